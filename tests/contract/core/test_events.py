"""The event log over every store: 1..n without a gap or a repeat, whoever appends."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agenticai_core import events, runs
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound
from agenticai_core.models import EventDraft, Project
from agenticai_core.store.base import StoreUnavailable, Write


@pytest.fixture
def project(services: Services) -> Project:
    new = runs.NewProject(name="N", type="api", description="d")  # type: ignore[arg-type]
    return runs.create_project(services, "owner", new)


def draft(name: str) -> EventDraft:
    return EventDraft(id=name, type="note", data={"name": name})


def test_appends_by_many_at_once_leave_no_gap(services: Services, project: Project) -> None:
    def append(n: int) -> None:
        for m in range(5):
            events.append(services.store, project.id, [draft(f"{n}/{m}/a"), draft(f"{n}/{m}/b")])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, range(4)))
    log = events.read(services.store, project.id, 0, limit=1000)
    assert [event.seq for event in log] == list(range(1, 42))
    assert len({event.id for event in log}) == 41
    assert events.heads(services.store, [project.id])[project.id].seq == 41


def test_reads_a_part(services: Services, project: Project) -> None:
    events.append(services.store, project.id, [draft(str(n)) for n in range(5)])
    assert [event.seq for event in events.read(services.store, project.id, 2, upto=4)] == [3, 4]
    assert [event.seq for event in events.read(services.store, project.id, 1, limit=2)] == [2, 3]
    assert events.read(services.store, project.id, 6) == []
    assert events.read(services.store, project.id, 4, upto=4) == []


class LosesAnswers:
    """A store whose writes succeed while their answers are lost on the way."""

    def __init__(self, store: Any, times: int) -> None:
        self._store, self._left = store, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def write(self, *writes: Write, token: str | None = None) -> None:
        self._store.write(*writes, token=token)
        if self._left:
            self._left -= 1
            raise StoreUnavailable("the answer was lost")


def test_a_lost_answer_repeats_nothing(services: Services, project: Project) -> None:
    store = LosesAnswers(services.store, 1)
    assert events.append(store, project.id, [draft("a"), draft("b")]) == 3
    events.append(store, project.id, [draft("c")])
    log = events.read(services.store, project.id, 1)
    assert [event.id for event in log] == ["a", "b", "c"]


def test_a_closed_or_absent_log_takes_nothing(services: Services, project: Project) -> None:
    runs.delete_project(services, "owner", project.id)
    with pytest.raises(NotFound):
        events.append(services.store, project.id, [draft("late")])
    with pytest.raises(NotFound):
        events.append(services.store, f"proj_{uuid.uuid4().hex}", [draft("x")])
    assert events.heads(services.store, [project.id, "proj_none"])[project.id].closed
