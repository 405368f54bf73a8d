"""Rate, quota and failed authentications as a client sees them."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts

from agenticai_api.main import create_app
from agenticai_api.throttle import Throttle, lifespan
from agenticai_core import auth
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import StoreUnavailable, Update
from agenticai_core.store.memory import MemoryStore

NOON = datetime(2099, 5, 31, 12, tzinfo=UTC)
TOLD = ("RateLimit", "RateLimit-Policy")
POLICY = re.compile(r'"(\w+)";q=(\d+);w=(\d+)')
LIMIT = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


class World:
    """An application whose time stands still until it is told to pass."""

    def __init__(self, **settings: Any) -> None:
        self.store = CountingStore()
        self.seconds = 0.0
        self.services = Services(store=self.store, files=MemoryFiles(), queue=MemoryQueue())
        chosen = Settings(**settings)
        self.app = create_app(self.services, chosen)
        self.app.state.throttle = Throttle(
            self.store, chosen, clock=lambda: self.seconds, now=lambda: NOON
        )

    def key(self, owner: str = "alice", *scopes: auth.Scope) -> str:
        return auth.create_api_key(self.store, owner, "test", scopes or ("read",))[1]

    def ask(
        self,
        key: str | None,
        path: str = "/api/projects",
        *,
        method: str = "GET",
        address: str = "192.0.2.1",
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, client=(address, 1234))
            async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
                named = {"X-API-Key": key} if key is not None else headers
                return await client.request(method, path, headers=named, **options)

        return asyncio.run(send())


class CountingStore(MemoryStore):
    reads = 0
    read_only = False

    def get(self, key):
        self.reads += 1
        return super().get(key)

    def write(self, *writes, token=None):
        if self.read_only:
            raise StoreUnavailable("writes are throttled")
        super().write(*writes, token=token)


def told(answer: httpx.Response) -> dict[str, tuple[int, int, int]]:
    """Policy -> quota, window, remaining. Both headers are lists of items of one form."""
    policies, limits = answer.headers["RateLimit-Policy"], answer.headers["RateLimit"]
    assert all(POLICY.fullmatch(part) for part in policies.split(", ")), policies
    assert all(LIMIT.fullmatch(part) for part in limits.split(", ")), limits
    left = {name: int(remaining) for name, remaining, _ in LIMIT.findall(limits)}
    return {name: (int(q), int(w), left[name]) for name, q, w in POLICY.findall(policies)}


# ---- what every answer tells --------------------------------------------------------------------


def test_an_answer_tells_both_limits():
    world = World()
    answer = world.ask(world.key())

    assert answer.status_code == 200
    assert told(answer) == {
        "rate": (200, 2, 199),
        "quota": (100_000, 31 * 86400, 99_999),
    }
    assert answer.headers["RateLimit"] == '"rate";r=199;t=1, "quota";r=99999;t=43200'


@pytest.mark.parametrize(
    ("path", "method", "options", "status"),
    [
        ("/api/projects/proj_none", "GET", {}, 404),
        ("/api/projects", "GET", {"params": {"limit": 0}}, 422),
        ("/api/projects", "POST", {"json": {}}, 403),
        ("/api/keys", "GET", {}, 403),
    ],
)
def test_errors_tell_them_too(path, method, options, status):
    world = World()
    answer = world.ask(world.key(), path, method=method, **options)

    assert answer.status_code == status
    assert told(answer)["quota"] == (100_000, 31 * 86400, 99_999)


def test_a_fault_of_ours_tells_them_too(monkeypatch):
    world = World()
    key = world.key()
    monkeypatch.setattr(world.store, "query", None)

    answer = world.ask(key)

    assert answer.status_code == 500
    assert told(answer)["rate"] == (200, 2, 199)


def test_answers_to_nobody_tell_nothing():
    world = World()
    for answer in (world.ask(None), world.ask("agk_wrong"), world.ask(None, "/health")):
        assert not set(TOLD) & set(answer.headers)


def test_every_guarded_route_is_throttled_by_itself():
    """A new route takes part by asking who calls; there is nothing to forget."""
    world = World(rate_limit=1, rate_burst=1)
    key = world.key("alice", "read", "write", "admin")
    world.ask(key)

    routes = [
        (method, one.path)
        for one in iter_route_contexts(world.app.routes)
        if isinstance(one.route, APIRoute) and one.path.startswith("/api/")
        for method in one.route.methods
    ]
    assert len(routes) > 15
    for method, path in routes:
        assert world.ask(key, path, method=method).status_code == 429, (method, path)


# ---- the rate -----------------------------------------------------------------------------------


def test_the_burst_then_the_rate():
    world = World(rate_limit=5, rate_burst=10)
    key = world.key()

    assert [world.ask(key).status_code for _ in range(12)] == [200] * 10 + [429] * 2
    world.seconds += 1
    assert [world.ask(key).status_code for _ in range(7)] == [200] * 5 + [429] * 2


def test_a_refusal_says_when_to_come_back():
    world = World(rate_limit=1, rate_burst=2)
    key = world.key()
    world.ask(key), world.ask(key)

    answer = world.ask(key)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["RateLimit-Policy"] == '"rate";q=2;w=2'
    assert answer.headers["RateLimit"] == '"rate";r=0;t=2'
    body = answer.json()
    assert body["error"]["code"] == "RATE_LIMITED"
    assert body["error"]["details"] == {"limit": 2, "window_seconds": 2, "retry_after": 1}
    assert body["success"] is False
    assert body["request_id"] == answer.headers["X-Request-Id"]


def test_other_keys_are_not_affected_even_of_the_same_owner():
    world = World(rate_limit=1, rate_burst=1)
    mine, second, theirs = world.key("alice"), world.key("alice"), world.key("bob")
    world.ask(mine)

    statuses = [world.ask(key).status_code for key in (mine, second, theirs)]

    assert statuses == [429, 200, 200]


def test_a_bearer_token_is_the_same_key():
    world = World(rate_limit=1, rate_burst=1)
    key = world.key()
    world.ask(key)

    assert world.ask(None, headers={"Authorization": f"Bearer {key}"}).status_code == 429


# ---- the quota ----------------------------------------------------------------------------------


def counted(world: World) -> int:
    return world.store.get(keys.usage("alice", "2099-05"))["requests"]


def test_the_quota_is_the_owners_and_ends_with_the_month():
    world = World(monthly_quota=3)
    first, second = world.key("alice"), world.key("alice")

    statuses = [world.ask(key).status_code for key in (first, second, first, second, first)]
    answer = world.ask(first)

    assert statuses == [200] * 3 + [429] * 2
    assert answer.json()["error"]["code"] == "QUOTA_EXCEEDED"
    assert answer.headers["Retry-After"] == str(12 * 3600)
    assert told(answer)["quota"] == (3, 31 * 86400, 0)
    assert world.ask(world.key("bob")).status_code == 200
    assert counted(world) == 3


def test_what_the_rate_refuses_does_not_count():
    world = World(monthly_quota=4, rate_limit=1, rate_burst=2)
    key = world.key()
    for _ in range(10):
        world.ask(key)
    world.seconds += 2

    assert [world.ask(key).status_code for _ in range(2)] == [200, 200]
    world.seconds += 2
    assert world.ask(key).json()["error"]["code"] == "QUOTA_EXCEEDED"


def test_the_quota_needs_a_write_now_and_then_only():
    world = World()
    key = world.key()
    world.ask(key)
    world.store.read_only = True

    assert [world.ask(key).status_code for _ in range(9)] == [200] * 9
    refused = world.ask(key)  # the block is used up

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert told(refused)["rate"][0] == 200


# ---- failed authentications ---------------------------------------------------------------------


def test_guessing_is_slow_and_costs_no_read():
    world = World(auth_failure_rate=2, auth_failure_burst=4)
    good = world.key()

    statuses = [world.ask(f"agk_{n}").status_code for n in range(6)]
    reads = world.store.reads
    answer = world.ask("agk_more")

    assert statuses == [401] * 4 + [429] * 2
    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "RATE_LIMITED"
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["RateLimit"] == '"failures";r=0;t=2'
    assert world.store.reads == reads
    assert world.ask(good).status_code == 429  # it could be one more guess
    assert world.ask(good, address="192.0.2.2").status_code == 200
    world.seconds += 1
    assert [world.ask(f"agk_{n}").status_code for n in range(3)] == [401, 401, 429]


def test_who_is_known_is_not_locked_out():
    world = World(auth_failure_rate=1, auth_failure_burst=1)
    good = world.key()
    world.ask(good)
    world.ask("agk_guess")

    assert world.ask("agk_guess").status_code == 429
    assert world.ask(good).status_code == 200


def test_no_key_at_all_is_no_guess():
    world = World(auth_failure_rate=1, auth_failure_burst=1)
    assert {world.ask(None).status_code for _ in range(20)} == {401}


def test_good_keys_never_use_it_up():
    world = World(auth_failure_rate=1, auth_failure_burst=1)
    assert {world.ask(world.key()).status_code for _ in range(20)} == {200}


# ---- documented ---------------------------------------------------------------------------------


def test_429_and_its_headers_are_in_the_document():
    document = World().app.openapi()
    guarded = [
        given
        for path, methods in document["paths"].items()
        for given in methods.values()
        if path.startswith("/api/")
    ]
    assert guarded
    for given in guarded:
        answer = given["responses"]["429"]
        if "$ref" in answer:
            answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        assert set(answer["headers"]) == {"Retry-After", *TOLD}


# ---- the instance -------------------------------------------------------------------------------


def test_it_is_counted_while_it_serves_and_gives_back_at_its_end():
    world = World()
    key = world.key()
    other = Update(keys.instance("api", "other"), set={"expires_at": "2099-05-31T13:00:00.000000Z"})
    world.store.write(other)

    async def serve() -> int:
        async with lifespan(world.app):
            return len(world.store.query(keys.instances_pk("api")).items)

    living = asyncio.run(serve())
    assert living == 2
    assert len(world.store.query(keys.instances_pk("api")).items) == 1

    async def serve_one() -> httpx.Response:
        async with lifespan(world.app):
            transport = httpx.ASGITransport(app=world.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
                return await client.get("/api/projects", headers={"X-API-Key": key})

    answer = asyncio.run(serve_one())
    assert told(answer)["rate"] == (200, 2, 198)  # 99 of its half
    assert counted(world) == 1


def test_without_a_lifespan_it_takes_itself_for_the_only_one():
    world = World()
    world.ask(world.key())
    assert world.store.query(keys.instances_pk("api")).items == []
