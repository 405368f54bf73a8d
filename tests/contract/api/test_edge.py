"""What stands around every route: HTTPS, proxies, other origins, headers, HEAD and OPTIONS."""

import dataclasses

import pytest
from fastapi import Request
from pydantic import ValidationError

from agenticai_api.main import create_app
from agenticai_core.settings import Settings

PROXY = "10.1.2.3"
ORIGIN = "https://console.example"
SAFE = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@pytest.fixture
def with_settings(api, services):
    """``with_settings(**settings)`` -> a caller of an application of its own."""

    def make(*, peer="127.0.0.1", **settings):
        app = create_app(services, Settings(**settings))

        @app.get("/seen")
        async def seen(request: Request) -> list[str]:
            return [request.url.scheme, request.client.host]

        return dataclasses.replace(api, app=app, peer=peer)

    return make


# ---- proxies ------------------------------------------------------------------------------------

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


def test_nobody_is_believed_about_himself_by_default(with_settings):
    answer = with_settings(peer=PROXY).get("/seen", headers=FORWARDED)

    assert answer.json() == ["http", PROXY]


@pytest.mark.parametrize("trusted", ["10.1.0.0/16", PROXY, "::1/128"])
@pytest.mark.parametrize("peer", [PROXY, "192.0.2.1", "::1"])
def test_forwarded_headers_count_from_a_trusted_proxy_alone(with_settings, trusted, peer):
    answer = with_settings(peer=peer, trusted_proxies=[trusted]).get("/seen", headers=FORWARDED)

    is_trusted = (":" in trusted) == (":" in peer) and peer != "192.0.2.1"
    assert answer.json() == (["https", "203.0.113.9"] if is_trusted else ["http", peer])


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        # A proxy adds the peer that it saw at the end; what stands before it, anyone can write.
        ("198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("10.1.9.9, 203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 10.1.9.9", "203.0.113.9"),
        ("203.0.113.9:51000", "203.0.113.9"),
    ],
)
def test_a_forged_address_before_the_proxys_own_is_passed_over(with_settings, forwarded, client):
    caller = with_settings(peer=PROXY, trusted_proxies=["10.1.0.0/16"])

    answer = caller.get("/seen", headers={"X-Forwarded-For": forwarded})

    assert answer.json() == ["http", client]


@pytest.mark.parametrize("trusted", ["*", "proxy.internal", "10.1.2.3/16", ""])
def test_only_addresses_and_networks_can_be_trusted(trusted):
    with pytest.raises(ValidationError):
        Settings(trusted_proxies=[trusted])


# ---- https --------------------------------------------------------------------------------------


def behind_proxy(with_settings):
    return with_settings(peer=PROXY, trusted_proxies=["10.1.0.0/16"], https_redirect=True)


def forwarded(scheme, host="api.example"):
    return {"X-Forwarded-Proto": scheme, "Host": host}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_readers_are_sent_to_https(with_settings, method):
    path = "/api/projects/a%2Fb?limit=5&cursor=x%20y"

    answer = behind_proxy(with_settings).request(
        method, path, headers=forwarded("http", "api.example:80")
    )

    assert answer.status_code == 308
    assert answer.headers["Location"] == f"https://api.example{path}"
    assert answer.content == b""
    assert {name: answer.headers[name] for name in SAFE} == SAFE
    assert "Strict-Transport-Security" not in answer.headers  # it counts over HTTPS alone


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_holds_a_body_is_refused_and_not_sent_twice(with_settings, method):
    answer = behind_proxy(with_settings).request(
        method, "/api/projects", headers=forwarded("http"), json={"name": "x", "type": "api"}
    )

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "HTTPS_REQUIRED"
    assert "Location" not in answer.headers


def test_over_https_all_is_as_ever_and_the_browser_is_told_to_stay(with_settings):
    caller = behind_proxy(with_settings)
    for path, status in (("/api/projects", 200), ("/api/projects/none", 404), ("/no", 404)):
        answer = caller.get(path, headers=forwarded("https"))

        assert answer.status_code == status
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_health_is_answered_in_plain_http(with_settings):
    for path in ("/health", "/health/ready"):
        assert behind_proxy(with_settings).get(path).status_code == 200


def test_a_stranger_cannot_claim_to_have_come_by_https(with_settings):
    stranger = with_settings(peer="192.0.2.1", trusted_proxies=["10.1.0.0/16"], https_redirect=True)

    assert stranger.get("/api/projects", headers=forwarded("https")).status_code == 308


@pytest.mark.parametrize("host", ["", "a b", "api.example/x", "user@api.example", "x" * 254])
def test_nobody_is_sent_to_what_is_no_host(with_settings, host):
    answer = behind_proxy(with_settings).get("/health/x", headers=forwarded("http", host))

    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "HTTPS_REQUIRED"


# ---- other origins ------------------------------------------------------------------------------


def preflight(origin, method="POST", headers="X-API-Key"):
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


def test_an_allowed_origin_may_send_and_read_what_clients_need(with_settings):
    caller = with_settings(allowed_origins=[ORIGIN])
    sent = "authorization, content-type, idempotency-key, if-match, last-event-id, x-api-key"

    asked = caller.request("OPTIONS", "/api/projects", headers=preflight(ORIGIN, headers=sent))
    answer = caller.get("/api/projects", headers={"Origin": ORIGIN})

    assert asked.status_code == 200
    assert asked.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    shown = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert {"ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy"} <= shown
    assert {"Idempotent-Replayed", "X-Request-Id", "Content-Disposition"} <= shown
    for one in (asked, answer):
        assert "Access-Control-Allow-Credentials" not in one.headers
        assert "Origin" in one.headers["Vary"]


def test_an_allowed_origin_reads_errors_too(with_settings):
    answer = with_settings(allowed_origins=[ORIGIN]).get("/api/no", headers={"Origin": ORIGIN})

    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{ORIGIN}.evil.example", "null", "http://console.example"]
)
@pytest.mark.parametrize("allowed", [(), (ORIGIN,)])
def test_a_foreign_origin_gets_no_leave(with_settings, origin, allowed):
    caller = with_settings(allowed_origins=allowed)

    asked = caller.request("OPTIONS", "/api/projects", headers=preflight(origin))
    answer = caller.get("/api/projects", headers={"Origin": origin})

    for one in (asked, answer):
        assert "Access-Control-Allow-Origin" not in one.headers


@pytest.mark.parametrize("origin", ["*", "https://*.example", "console.example", ORIGIN + "/"])
def test_origins_are_named_one_by_one(origin):
    with pytest.raises(ValidationError):
        Settings(allowed_origins=[origin])


# ---- headers, HEAD, OPTIONS ---------------------------------------------------------------------


def test_every_kind_of_answer_has_the_safe_headers(api, nobody, built_id):
    answers = [
        api.get(f"/api/projects/{built_id}"),
        api.get(f"/api/projects/{built_id}/files/docs/index.html"),
        nobody.get("/api/projects"),
        nobody.get("/nothing"),
        nobody.get("/health"),
        nobody.get("/openapi.json"),
        nobody.request("OPTIONS", "/api/projects"),
        api.request("PATCH", "/api/projects"),
        api.post("/api/projects", content=b"[" * 2**20),
    ]
    for answer in answers:
        assert {name: answer.headers[name] for name in SAFE} == SAFE


@pytest.mark.parametrize(
    "path", ["", "/files", "/files/main.py", "/files/none", "/archive", "/docs", "/modifications"]
)
def test_head_is_get_without_a_body(api, built_id, path):
    address = f"/api/projects/{built_id}{path}"
    varies = {"x-request-id", "date", "ratelimit"} | (
        {"content-length"} if path == "/files/none" else set()
    )

    got, head = api.get(address), api.request("HEAD", address)

    assert head.status_code == got.status_code
    assert head.content == b""
    kept = [(k, v) for k, v in got.headers.items() if k not in varies]
    assert [(k, v) for k, v in head.headers.items() if k not in varies] == kept


def test_head_needs_a_key_and_a_route_of_get(api, nobody, built_id):
    assert nobody.request("HEAD", "/api/projects").status_code == 401
    assert nobody.request("HEAD", "/health").status_code == 200
    refused = api.request("HEAD", f"/api/projects/{built_id}/approve")
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "POST, OPTIONS"


def test_options_names_the_methods_of_a_path(nobody):
    answer = nobody.request("OPTIONS", "/api/projects")

    assert answer.status_code == 204
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert answer.content == b""
    assert nobody.request("OPTIONS", "/api/nothing").status_code == 404


# ---- the reference ------------------------------------------------------------------------------


def test_the_reference_loads_from_nowhere_else(nobody):
    page = nobody.get("/docs")

    assert "//" not in page.text.replace("</", "")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    for name, kind in (
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
        ("start.js", "text/javascript"),
    ):
        assert f'"/docs/{name}"' in page.text
        answer = nobody.get(f"/docs/{name}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["redoc.standalone.js", "..%2Fcore.py", "favicon.png", "x"])
def test_no_other_file_is_shown(nobody, name):
    answer = nobody.get(f"/docs/{name}")

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "ROUTE_NOT_FOUND"
