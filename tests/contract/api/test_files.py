"""A project's files over REST."""

import hashlib
import io
import zipfile
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.api.conftest import TREE
from tests.fakes.promoted import promote

from agenticai_api.throttle import Throttle
from agenticai_core.paths import safe_path
from agenticai_core.project_files import MAX_INLINE
from agenticai_core.settings import Settings


def test_files_are_an_object_by_path(api, built_id):
    files = api.get(f"/api/projects/{built_id}/files").json()["files"]

    assert "main.py" in files
    assert set(files) == {"main.py", "README.md", "static/logo.bin", "docs/index.html"}
    assert files["main.py"]["size"] == 15
    assert files["main.py"]["sha256"] == hashlib.sha256(b"print('hello')\n").hexdigest()
    assert files["main.py"]["last_modified"].endswith("Z")


def test_a_project_without_a_revision_has_no_files(api, project_id):
    answer = api.get(f"/api/projects/{project_id}/files")

    assert (answer.status_code, answer.json()) == (
        200,
        {"revision": 0, "total_size": 0, "files": {}},
    )


@pytest.mark.parametrize(
    ("path", "content", "media_type"),
    [
        ("main.py", b"print('hello')\n", "text/plain; charset=utf-8"),
        ("static/logo.bin", b"\x89PNG\xff\x00", "application/octet-stream"),
        ("docs/index.html", b"<script>alert(1)</script>", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_comes_as_it_is_and_never_as_a_page(api, built_id, path, content, media_type):
    answer = api.get(f"/api/projects/{built_id}/files/{path}")

    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_file_that_is_not_there_is_not_found(api, built_id):
    assert api.get(f"/api/projects/{built_id}/files/other.py").status_code == 404


@pytest.mark.parametrize("path", ["..%2f..%2fmain.py", "%2fetc%2fpasswd", "a%00b", "..%5cmain.py"])
def test_an_unsafe_path_gets_no_file(api, built_id, path):
    answer = api.get(f"/api/projects/{built_id}/files/{path}")

    assert answer.status_code in (404, 422)
    assert answer.json()["success"] is False


# ---- links --------------------------------------------------------------------------------------


def follow(services, answer):
    """What lies where a redirect leads to, and the name to save it under."""
    assert answer.status_code == 307
    assert answer.content == b""
    location = urlsplit(answer.headers["Location"])
    assert location.scheme == "memory"
    told = parse_qs(location.query)
    return services.files.get(unquote(location.path).lstrip("/")), told["filename"][0]


def test_a_file_can_be_asked_for_as_a_link(api, services, built_id):
    answer = api.get(f"/api/projects/{built_id}/files/static/logo.bin?redirect=true")

    assert follow(services, answer) == (b"\x89PNG\xff\x00", "logo.bin")
    assert answer.headers["ETag"] == '"1"'


def test_a_large_file_is_always_a_link(api, services, built_id):
    large = b"x" * (MAX_INLINE + 1)
    promote(services, built_id, {"just.txt": large[1:], "large.txt": large})

    inline = api.get(f"/api/projects/{built_id}/files/just.txt")
    linked = api.get(f"/api/projects/{built_id}/files/large.txt")

    assert (inline.status_code, len(inline.content)) == (200, MAX_INLINE)
    assert follow(services, linked) == (large, "large.txt")


def read_zip(packed):
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_archive_holds_every_file(api, services, built_id):
    packed, name = follow(services, api.get(f"/api/projects/{built_id}/archive"))

    assert name == "bike-workshop-r1.zip"
    assert read_zip(packed) == TREE


def test_each_revision_has_its_archive(api, services, built_id):
    promote(services, built_id, {"only.py": b"2"})

    first, name = follow(services, api.get(f"/api/projects/{built_id}/archive?revision=1"))
    last, _ = follow(services, api.get(f"/api/projects/{built_id}/archive"))

    assert (read_zip(first), name) == (TREE, "bike-workshop-r1.zip")
    assert read_zip(last) == {"only.py": b"2"}
    assert api.get(f"/api/projects/{built_id}/archive?revision=3").status_code == 404
    assert api.get(f"/api/projects/{built_id}/archive?revision=0").status_code == 422


# ---- edits --------------------------------------------------------------------------------------


def put(api, project_id, path, content, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.put(f"/api/projects/{project_id}/files/{path}", content=content, headers=named)


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("main.py", b"print('bye')\n", "text/plain"),
        ("new/caf\u00e9 menu.txt", "caf\u00e9".encode(), "text/plain; charset=utf-8"),
        ("static/logo.bin", bytes(range(256)), "application/octet-stream"),
        ("data.json", b'{"a": 1}', "application/json"),
        ("broken.json", b"{", "application/json"),
        ("empty", b"", ""),
        ("form", b"a=1&b=2", "application/x-www-form-urlencoded"),
    ],
)
def test_a_file_is_written_as_it_is_sent(api, built_id, path, content, kind):
    answer = put(api, built_id, path, content, **({"Content_Type": kind} if kind else {}))

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert answer.headers["ETag"] == '"2"'
    assert told["path"] == path
    assert told["file"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert told["file"]["size"] == len(content)
    assert (told["revision"]["number"], told["revision"]["kind"]) == (2, "edited")
    assert told["revision"]["scores"]["test_coverage"] is None
    assert api.get(f"/api/projects/{built_id}/files/{path}").content == content
    files = api.get(f"/api/projects/{built_id}/files")
    assert files.headers["ETag"] == '"2"'
    assert set(files.json()["files"]) == {*TREE, path}


def test_what_is_so_already_makes_no_revision(api, built_id):
    answer = put(api, built_id, "main.py", TREE["main.py"])

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert answer.json()["revision"]["number"] == 1
    assert answer.json()["file"]["last_modified"]
    assert len(api.get(f"/api/projects/{built_id}/revisions").json()["revisions"]) == 1


def test_a_file_is_removed(api, built_id):
    answer = api.delete(f"/api/projects/{built_id}/files/docs/index.html")

    assert (answer.status_code, answer.json()["file"]) == (200, None)
    assert api.get(f"/api/projects/{built_id}/files/docs/index.html").status_code == 404
    old = api.get(f"/api/projects/{built_id}/revisions/1/files/docs/index.html")
    assert old.content == TREE["docs/index.html"]
    again = api.delete(f"/api/projects/{built_id}/files/docs/index.html")
    assert again.status_code == 404


def test_the_last_file_stays(api, built_id):
    *others, last = sorted(TREE)
    for path in others:
        assert api.delete(f"/api/projects/{built_id}/files/{path}").status_code == 200
    assert api.delete(f"/api/projects/{built_id}/files/{last}").status_code == 409


@pytest.mark.parametrize(
    ("tag", "status"),
    [('"1"', 200), ('W/"1"', 200), ("*", 200), ('"2"', 412), ('"0"', 412), ("1", 412), ("x", 412)],
)
def test_an_edit_can_name_the_revision_that_it_is_based_on(api, built_id, tag, status):
    written = put(api, built_id, "main.py", b"new", If_Match=tag)
    assert written.status_code == status
    assert api.get(f"/api/projects/{built_id}/files/main.py").content == (
        b"new" if status == 200 else TREE["main.py"]
    )


def test_while_a_run_is_under_way_nothing_is_edited(api, built_id):
    api.post(f"/api/projects/{built_id}/modify", json={"request": "Add colours"})
    for answer in (
        put(api, built_id, "main.py", b"new"),
        api.delete(f"/api/projects/{built_id}/files/main.py"),
        api.post(f"/api/projects/{built_id}/rollback", json={"revision": 1}),
    ):
        assert answer.status_code == 409
        assert "cancel" in answer.json()["error"]["hint"]
    assert api.get(f"/api/projects/{built_id}").json()["project"]["revision"] == 1


def test_before_there_is_code_nothing_is_edited(api, project_id):
    assert put(api, project_id, "main.py", b"new").status_code == 409
    api.post(f"/api/projects/{project_id}/cancel")
    refused = put(api, project_id, "main.py", b"new")
    assert refused.status_code == 409
    assert "no files" in refused.json()["error"]["message"]


@pytest.mark.parametrize("path", ["MAIN.py", "main.py/x", "docs", "static/Logo.bin"])
def test_a_path_that_collides_is_refused(api, built_id, path):
    answer = put(api, built_id, path, b"x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "UNSAFE_PATH")


def test_a_body_of_over_one_megabyte_is_refused(api, built_id):
    assert put(api, built_id, "big", b"x" * 2**20).status_code == 200
    answer = put(api, built_id, "bigger", b"x" * (2**20 + 1))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")


def test_a_project_has_its_limits(api, built_id, monkeypatch):
    monkeypatch.setattr("agenticai_core.user_edits.MAX_FILES", len(TREE))
    assert put(api, built_id, "main.py", b"x").status_code == 200
    answer = put(api, built_id, "one.more", b"")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "PROJECT_TOO_LARGE")
    monkeypatch.setattr("agenticai_core.user_edits.MAX_TREE", 100)
    answer = put(api, built_id, "main.py", b"x" * 100)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "PROJECT_TOO_LARGE")


def test_an_edit_is_told_and_mirrored(api, services, built_id):
    put(api, built_id, "main.py", b"new")
    events = api.get(f"/api/projects/{built_id}/events").json()["events"][-2:]
    assert [event["type"] for event in events] == ["file_edited", "revision_promoted"]
    assert events[0]["data"] == {
        "path": "main.py",
        "change": "replaced",
        "revision": 2,
        "size": 3,
    }
    agent, _, task, _ = services.queue.sent[-1]
    assert (agent, task) == ("ops", "rev_000002.01.mirror")


def test_a_stranger_edits_nothing(api, stranger, built_id):
    assert put(stranger, built_id, "main.py", b"x").status_code == 404
    assert put(stranger, built_id, "main.py", b"x" * (2**20 + 1)).status_code in (404, 413)
    assert stranger.delete(f"/api/projects/{built_id}/files/main.py").status_code == 404
    assert api.get(f"/api/projects/{built_id}").json()["project"]["revision"] == 1


# ---- paths --------------------------------------------------------------------------------------

UNHURRIED = Settings(rate_limit=10_000, rate_burst=10_000)
PARTS = ["..", ".", "", "a", "main.py", "con", ".git", "a:b", "~", "\x00", "\\", "\u00e9"]
ANY_PATH = st.one_of(
    st.text(max_size=30), st.lists(st.sampled_from(PARTS), max_size=5).map("/".join)
)
MANY = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@MANY
@given(path=ANY_PATH)
def test_no_path_leads_out_of_the_project(api, services, built_id, path):
    """Whatever it is, through every route that takes one."""
    api.app.state.throttle = Throttle(services.store, UNHURRIED)  # these are many requests
    named = quote(path, safe="").replace(".", "%2E")  # else the client itself would resolve ".."
    root = f"/api/projects/{built_id}"
    before = set(services.files.list(""))
    answers = [
        api.get(f"{root}/files/{named}"),
        api.get(f"{root}/revisions/1/files/{named}"),
        api.get(f"{root}/diff", params={"path": path, "from": 0, "to": 1}),
        api.delete(f"{root}/files/{named}", headers={"If-Match": '"999"'}),
    ]
    for answer in answers:
        assert answer.status_code in (200, 307, 404, 405, 412, 422), answer.text
    written = api.put(f"{root}/files/{named}", content=b"hypothesis")
    assert written.status_code in (200, 404, 405, 422), written.text
    made = set(services.files.list("")) - before
    assert all(key.startswith(f"objects/{built_id}/") for key in made)
    for kept in api.get(f"{root}/files").json()["files"]:
        assert safe_path(kept) == kept


@pytest.mark.parametrize("what", ["archive", "files/main.py"])
def test_what_is_not_built_yet_is_refused_in_words(api, project_id, what):
    answer = api.get(f"/api/projects/{project_id}/{what}")

    assert answer.status_code in (404, 409)
    assert answer.json()["error"]["message"]
