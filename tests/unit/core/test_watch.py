"""The poller of heads: one look for all, closer together while something happens."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenticai_core.events import Head
from agenticai_core.models import Event
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import Item, Key, StoreUnavailable, Update
from agenticai_core.store.memory import MemoryStore
from agenticai_core.watch import HeadPoller, Pace, contiguous

SETTINGS = Settings(poll_min_seconds=0.01, poll_max_seconds=0.05)


class Heads(MemoryStore):
    """A store that counts the looks and can be away."""

    def __init__(self, **seqs: int) -> None:
        super().__init__()
        self.looks: list[int] = []
        self.away = False
        for project_id, seq in seqs.items():
            self.write(Update(keys.head(project_id), set={"seq": seq}))

    def batch_get(self, keys: Sequence[Key]) -> list[Item]:
        self.looks.append(len(keys))
        if self.away:
            raise StoreUnavailable("away")
        return super().batch_get(keys)


class Scene:
    def __init__(self, store: Heads, *project_ids: str) -> None:
        self.store = store
        self.watched = list(project_ids)
        self.seen: list[tuple[str, Head | None]] = []
        self.trouble: set[str] = set()
        self.poller = HeadPoller(store, SETTINGS, lambda: self.watched, self.advance)

    async def advance(self, project_id: str, head: Head | None) -> bool:
        if project_id in self.trouble:
            raise RuntimeError("a reader broke")
        self.seen.append((project_id, head))
        return head is not None and head.seq > 1


def test_a_look_is_one_read_for_all_and_tells_what_is_gone() -> None:
    async def scenario() -> None:
        scene = Scene(Heads(a=1, b=2), "a", "b", "gone")
        assert await scene.poller.look() is True
        assert scene.store.looks == [3]
        assert scene.seen == [("a", Head(1, False)), ("b", Head(2, False)), ("gone", None)]

    asyncio.run(scenario())


def test_one_project_s_trouble_is_not_the_others() -> None:
    async def scenario() -> None:
        scene = Scene(Heads(a=2, b=2), "a", "b")
        scene.trouble.add("a")
        assert await scene.poller.look() is True
        assert [project_id for project_id, _ in scene.seen] == ["b"]

    asyncio.run(scenario())


def test_an_outage_ends_nothing() -> None:
    async def scenario() -> None:
        scene = Scene(Heads(a=1), "a")
        scene.store.away = True
        running = asyncio.create_task(scene.poller.run())
        await until(lambda: scene.poller.failing)
        assert scene.seen == []
        scene.store.away = False
        await until(lambda: bool(scene.seen))
        await until(lambda: not scene.poller.failing)
        running.cancel()

    asyncio.run(scenario())


def test_nobody_watched_is_nothing_looked_at_until_woken() -> None:
    async def scenario() -> None:
        scene = Scene(Heads(a=1))
        running = asyncio.create_task(scene.poller.run())
        await asyncio.sleep(0.1)  # ten of its pauses
        assert scene.store.looks == []
        scene.watched.append("a")
        scene.poller.wake()
        await until(lambda: bool(scene.seen))
        running.cancel()

    asyncio.run(scenario())


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


def test_a_pace_slows_down_to_its_limit_and_starts_anew() -> None:
    pace = Pace(0.25, 2)
    seen = [pace.seconds]
    for _ in range(20):
        pace.slow_down()
        seen.append(pace.seconds)
    assert seen[0] == 0.25
    assert seen == sorted(seen)
    assert seen[-1] == 2
    pace.reset()
    assert pace.seconds == 0.25


@pytest.mark.parametrize("shortest", [0.25, 3])
def test_a_pace_never_gets_faster_than_its_shortest(shortest: float) -> None:
    pace = Pace(shortest, 2)
    pace.slow_down()
    assert pace.seconds >= shortest


@given(st.sets(st.integers(1, 30)), st.integers(0, 30))
def test_a_page_ends_before_the_first_gap(numbers: set[int], after: int) -> None:
    found = [
        Event(project_id="p", seq=seq, id=str(seq), type="t", at="a")
        for seq in sorted(numbers)
        if seq > after
    ]
    result = [event.seq for event in contiguous(found, after)]
    assert result == list(range(after + 1, after + 1 + len(result)))
    assert after + 1 + len(result) not in numbers
