"""Quota and shares over both stores, with threads."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from agenticai_core.bootstrap import Services
from agenticai_core.limits.quota import MonthlyQuota
from agenticai_core.limits.share import Heartbeat, Instances
from agenticai_core.store import keys
from agenticai_core.store.base import Key, Put, Store, Update
from agenticai_core.store.memory import MemoryStore

MONTH = "2099-05"


@pytest.fixture
def store(services: Services) -> Store:
    return services.store


@pytest.fixture
def owner() -> str:
    return f"owner-{uuid.uuid4().hex}"


def noon() -> datetime:
    return datetime(2099, 5, 31, 12, tzinfo=UTC)


def counted(store: Store, owner: str) -> int:
    requests: int = (store.get(keys.usage(owner, MONTH)) or {})["requests"]
    return requests


def test_threads_of_three_instances_get_exactly_the_quota(store: Store, owner: str) -> None:
    crowd = [MonthlyQuota(store, 400, instances=lambda: 3, clock=noon) for _ in range(3)]

    def ask(which: int) -> int:
        return sum(crowd[which % 3].take(owner).allowed for _ in range(80))

    with ThreadPoolExecutor(9) as pool:
        total = sum(pool.map(ask, range(9)))  # 720 requests
    assert total <= counted(store, owner) <= 400

    rest = sum(crowd[which].take(owner).allowed for which in range(3) for _ in range(200))
    assert total + rest == counted(store, owner) == 400


def test_what_is_given_back_can_be_had_again(store: Store, owner: str) -> None:
    crowd = [MonthlyQuota(store, 100, clock=noon) for _ in range(3)]
    for quota in crowd:
        assert quota.take(owner).allowed
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(MonthlyQuota.close, crowd))

    assert counted(store, owner) == 3
    last = MonthlyQuota(store, 100, clock=noon)
    assert sum(last.take(owner).allowed for _ in range(120)) == 97


def test_a_write_with_a_token_has_one_effect(store: Store, owner: str) -> None:
    if isinstance(store, MemoryStore):
        pytest.skip("the store in memory loses no answer, so nothing is sent again")
    key = Key(f"TEST#{owner}", "a")
    store.write(Put({"PK": key.pk, "SK": key.sk, "count": 10}))
    token = str(uuid.uuid4())

    for _ in range(3):
        store.write(Update(key, add={"count": -3}), token=token)

    assert (store.get(key) or {})["count"] == 7


def test_instances_see_each_other(store: Store) -> None:
    service = f"api-{uuid.uuid4().hex}"
    crowd = [Instances(store, service) for _ in range(3)]
    for one in [*crowd, *crowd]:
        one.beat()
    assert [one.count() for one in crowd] == [3, 3, 3]

    crowd[0].leave()
    crowd[0].leave()
    crowd[1].beat()

    assert crowd[1].count() == 2


def test_a_heartbeat_leaves_nothing_behind(store: Store) -> None:
    service = f"api-{uuid.uuid4().hex}"
    heartbeat = Heartbeat(Instances(store, service, beat_seconds=0.01), lambda: None)
    heartbeat.start(10)
    assert len(store.query(keys.instances_pk(service)).items) == 1
    heartbeat.stop()
    assert store.query(keys.instances_pk(service)).items == []
