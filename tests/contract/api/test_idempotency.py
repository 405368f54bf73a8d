"""A request that is sent again: one effect, one answer; also for fifty at once."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contract.api.conftest import NEW_PROJECT, Api

from agenticai_api.main import create_app
from agenticai_core import auth
from agenticai_core.bootstrap import Services, connect
from agenticai_core.errors import WrongState
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.idempotency import KEPT, IdempotencyKeyReused, Once, perform_once
from agenticai_core.models import Usage
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.base import ConditionFailed, Store, StoreUnavailable
from agenticai_core.store.memory import MemoryStore

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


def count(api: Api) -> int:
    return len(api.get("/api/projects").json()["projects"])


def test_the_same_request_again_gets_the_same_answer(api: Api) -> None:
    first = api.post("/api/projects", json=NEW_PROJECT, headers=KEY)
    again = api.post("/api/projects", json=NEW_PROJECT, headers=KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    for header in ("Location", "ETag"):
        assert again.headers[header] == first.headers[header]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert count(api) == 1


def test_the_answer_is_that_of_then_whatever_has_happened_since(api: Api) -> None:
    first = api.post("/api/projects", json=NEW_PROJECT, headers=KEY)
    project_id = first.json()["project"]["id"]
    api.put(f"/api/projects/{project_id}", json={"name": "Another"})
    again = api.post("/api/projects", json=NEW_PROJECT, headers=KEY)
    assert again.json() == first.json()


def test_how_the_body_is_written_does_not_matter(api: Api) -> None:
    api.post("/api/projects", json=NEW_PROJECT, headers=KEY)
    text = '{ "description": "Customers bring bikes.",\n"type": "api", "name": "Bike workshop" }'
    headers = KEY | {"Content-Type": "application/json"}
    again = api.post("/api/projects", content=text, headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_quotes_around_the_key_are_not_part_of_it(api: Api) -> None:
    api.post("/api/projects", json=NEW_PROJECT, headers={"Idempotency-Key": '"abc"'})
    api.post("/api/projects", json=NEW_PROJECT, headers={"Idempotency-Key": "abc"})
    assert count(api) == 1


def test_the_key_of_another_request_is_refused(api: Api) -> None:
    api.post("/api/projects", json=NEW_PROJECT, headers=KEY)
    other = api.post("/api/projects", json=NEW_PROJECT | {"name": "Other"}, headers=KEY)
    assert other.status_code == 422
    assert other.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert count(api) == 1


def test_a_request_that_was_refused_is_looked_at_again(api: Api) -> None:
    wrong = NEW_PROJECT | {"type": "spaceship"}
    assert api.post("/api/projects", json=wrong, headers=KEY).status_code == 422
    assert api.post("/api/projects", json=NEW_PROJECT, headers=KEY).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "ü", "a b", "x" * 256, '"', 'a"b'])
def test_a_key_of_another_form_is_refused(api: Api, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = api.post("/api/projects", json=NEW_PROJECT, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "INVALID_IDEMPOTENCY_KEY"
    assert count(api) == 0


def test_another_owner_may_use_the_same_key(api: Api, stranger: Api) -> None:
    mine = api.post("/api/projects", json=NEW_PROJECT, headers=KEY).json()["project"]["id"]
    theirs = stranger.post("/api/projects", json=NEW_PROJECT, headers=KEY)
    assert theirs.status_code == 201
    assert theirs.json()["project"]["id"] != mine


def test_the_same_key_at_another_route_is_another_request(api: Api, built_id: str) -> None:
    api.post("/api/projects", json=NEW_PROJECT, headers=KEY)
    path = f"/api/projects/{built_id}/modify"
    assert api.post(path, json={"request": "Add colours"}, headers=KEY).status_code == 202


def test_a_modification_is_asked_for_once(api: Api, built_id: str) -> None:
    path = f"/api/projects/{built_id}/modify"
    answers = [api.post(path, json={"request": "Add colours"}, headers=KEY) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    listed = api.get(f"/api/projects/{built_id}/modifications").json()["modifications"]
    assert len(listed) == 1


def test_the_same_key_for_another_project_is_refused(api: Api, built_id: str) -> None:
    other = api.post("/api/projects", json=NEW_PROJECT).json()["project"]["id"]
    body = {"request": "Add colours"}
    api.post(f"/api/projects/{built_id}/modify", json=body, headers=KEY)
    answer = api.post(f"/api/projects/{other}/modify", json=body, headers=KEY)
    assert answer.json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_the_day_after_it_is_a_new_request(
    api: Api, monkeypatch: pytest.MonkeyPatch, services: Services
) -> None:
    once = Once("alice", "POST /x", "k", "f")
    result = Usage(input_tokens=1)
    services.store.write(*once.writes(result))
    with pytest.raises(ConditionFailed):
        services.store.write(*once.writes(result))
    later = time.time() + KEPT + 1
    monkeypatch.setattr("agenticai_core.store.memory.time.time", lambda: later)
    assert once.replay(services.store, Usage) is None
    monkeypatch.setattr(
        "agenticai_core.idempotency.now",
        lambda: datetime.fromtimestamp(later, UTC),
    )
    services.store.write(*once.writes(result))  # although the expired row still lies there


@pytest.mark.parametrize("where", ["memory", "emulator"])
def test_fifty_at_once_make_one_project(where: str, request: pytest.FixtureRequest) -> None:
    store: Store = MemoryStore()
    if where == "emulator":
        store = connect(request.getfixturevalue("emulator_settings")).store
    services = Services(store=store, files=MemoryFiles(), queue=MemoryQueue())
    _, secret = auth.create_api_key(services.store, "carol", "test", ("read", "write"))
    api = Api(create_app(services, Settings()), secret)

    async def fire() -> list[Any]:
        sent = [
            api._send("POST", "/api/projects", json=NEW_PROJECT, headers=KEY) for _ in range(50)
        ]
        return await asyncio.gather(*sent)

    answers = asyncio.run(fire())
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert count(api) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 49
    queue = services.queue
    assert isinstance(queue, MemoryQueue)
    assert len(queue.sent) == 1


class LosesAnswers(MemoryStore):
    """Writes, and then says that it did not answer: the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.lose = True

    def write(self, *writes: Any, token: str | None = None) -> None:
        super().write(*writes, token=token)
        if self.lose:
            self.lose = False
            raise StoreUnavailable("no answer")


def test_an_answer_that_was_lost_is_found_by_the_next_try() -> None:
    store = LosesAnswers()
    once = Once("alice", "POST /x", "k", "f")
    made: list[Usage] = []

    def attempt() -> Usage:
        made.append(Usage(input_tokens=len(made) + 1))
        store.write(*once.writes(made[-1]))
        return made[-1]

    with pytest.raises(StoreUnavailable):
        perform_once(store, once, Usage, attempt)
    assert perform_once(store, once, Usage, attempt) == Usage(input_tokens=1)
    assert len(made) == 1


@given(
    requests=st.lists(
        st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.booleans()), max_size=12
    )
)
def test_any_order_of_requests_has_each_effect_once(requests: list[tuple[str, str, bool]]) -> None:
    """A model of it: key -> the body that it named first, unless that request was refused."""
    store: Store = MemoryStore()
    named: dict[str, str] = {}
    effects: list[str] = []
    for key, body, refused in requests:
        once = Once("alice", "POST /x", key, body)

        def attempt(once: Once = once, refused: bool = refused) -> Usage:
            if refused:
                raise WrongState("no")
            result = Usage(input_tokens=len(effects))
            store.write(*once.writes(result))
            effects.append(once.key)
            return result

        try:
            perform_once(store, once, Usage, attempt)
        except WrongState:
            assert key not in named
        except IdempotencyKeyReused:
            assert named[key] != body
        else:
            assert named.setdefault(key, body) == body
    assert sorted(effects) == sorted(named)


def test_threads_with_one_key_have_one_effect() -> None:
    store = MemoryStore()
    once = Once("alice", "POST /x", "k", "f")

    def attempt(n: int) -> Usage:
        result = Usage(input_tokens=n)
        store.write(*once.writes(result))
        return result

    with ThreadPoolExecutor(16) as pool:
        results = list(
            pool.map(lambda n: perform_once(store, once, Usage, lambda: attempt(n)), range(50))
        )
    assert len(set(results)) == 1
