"""The mirror equals the current revision; a deleted project leaves nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.promoted import promote

from agenticai_core import content, housekeeping, runs
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound, Unavailable
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Project
from agenticai_core.queues import MemoryQueue
from agenticai_core.rows import load
from agenticai_core.store import keys
from agenticai_core.store.memory import MemoryStore

FIRST = {"main.py": b"1", "docs/a.md": b"a", "app": b"an executable", "app.py": b"app"}


def mirrored(services: Services, project_id: str) -> dict[str, bytes]:
    root = keys.mirror_key(project_id, "")
    return {key.removeprefix(root): services.files.get(key) for key in services.files.list(root)}


def rows(services: Services, project_id: str) -> dict[str, tuple[int, int]]:
    page = services.store.query(keys.project_pk(project_id), prefix="FILE#", limit=1000)
    return {row["file_path"]: (row["size"], row["revision"]) for row in page.items}


def remaining(services: Services, project_id: str) -> list[str]:
    """Keys of every row and object that names the project."""
    found = [row["SK"] for row in services.store.query(keys.project_pk(project_id)).items]
    return found + [key for key in services.files.list("") if project_id in key]


@pytest.fixture
def project_id(services: Services, create: Callable[..., Project]) -> str:
    return create().id


def test_the_mirror_equals_the_revision(services: Services, project_id: str) -> None:
    promote(services, project_id, FIRST)

    assert housekeeping.mirror_current(services, project_id) == 1

    assert mirrored(services, project_id) == FIRST
    assert rows(services, project_id) == {path: (len(text), 1) for path, text in FIRST.items()}


def test_what_a_revision_drops_leaves_the_mirror(services: Services, project_id: str) -> None:
    promote(services, project_id, FIRST)
    housekeeping.mirror_current(services, project_id)
    second = {"main.py": b"22", "app.py": b"app", "new.py": b"n"}  # "app" goes, "app.py" stays
    promote(services, project_id, second)

    for _ in range(2):  # again changes nothing
        assert housekeeping.mirror_current(services, project_id) == 2
        assert mirrored(services, project_id) == second
        assert rows(services, project_id) == {p: (len(text), 2) for p, text in second.items()}


def test_a_damaged_mirror_is_rebuilt(services: Services, project_id: str) -> None:
    promote(services, project_id, FIRST)
    housekeeping.mirror_current(services, project_id)
    services.files.put(keys.mirror_key(project_id, "main.py"), b"spoilt")
    services.files.put(keys.mirror_key(project_id, "stray"), b"x")
    services.files.delete_prefix(keys.mirror_key(project_id, "docs/"))

    housekeeping.mirror_current(services, project_id)

    assert mirrored(services, project_id) == FIRST


def test_a_large_revision_is_mirrored_whole(services: Services, project_id: str) -> None:
    tree = {f"f{n}.py": str(n).encode() for n in range(130)}
    promote(services, project_id, tree)

    housekeeping.mirror_current(services, project_id)

    assert len(rows(services, project_id)) == 130
    housekeeping.remove_project(services, project_id)
    assert remaining(services, project_id) == []


def test_a_revision_promoted_meanwhile_is_mirrored_too(
    services: Services, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(services, project_id, FIRST)
    read = content.read_tree

    def reading(*args: Any) -> dict[str, bytes]:
        tree = read(*args)
        if load(services.store, project_id).project.revision == 1:
            promote(services, project_id, {"only.py": b"2"})
        return tree

    monkeypatch.setattr(content, "read_tree", reading)

    assert housekeeping.mirror_current(services, project_id) == 2
    assert mirrored(services, project_id) == {"only.py": b"2"}


def test_without_a_revision_there_is_no_mirror(services: Services, project_id: str) -> None:
    assert housekeeping.mirror_current(services, project_id) == 0
    assert mirrored(services, project_id) == {}


# ---- deletion -----------------------------------------------------------------------------------


def test_a_deleted_project_leaves_nothing(
    services: Services, project_id: str, create: Callable[..., Project]
) -> None:
    other = create().id
    for each in (project_id, other):
        promote(services, each, FIRST)
        housekeeping.mirror_current(services, each)
        services.files.put(keys.unit_key(each, "t", "u", "0"), b"x")
        services.files.put(keys.plan_key(each, "0"), b"x")
        runs.request_modification(services, "me", each, "change it")
    before = remaining(services, other)
    runs.delete_project(services, "me", project_id)

    for _ in range(2):  # again changes nothing
        housekeeping.remove_project(services, project_id)
        assert remaining(services, project_id) == []

    assert remaining(services, other) == before


def test_an_interrupted_deletion_keeps_what_brings_it_back(project_id: str) -> None:
    """Wherever it stops, the tombstone and the deletion's own task are still there."""
    for stop in range(1, 20):
        store = Stopping()
        services = Services(store, MemoryFiles(), MemoryQueue())
        new = runs.NewProject.model_validate({"name": "N", "type": "api", "description": "d"})
        made = runs.create_project(services, "me", new).id
        promote(services, made, {f"f{n}": b"x" for n in range(60)})
        housekeeping.mirror_current(services, made)
        task_id = runs.delete_project(services, "me", made).active_task or ""
        store.left = stop
        try:
            housekeeping.remove_project(services, made)
        except Unavailable:
            left = remaining(services, made)
            assert {"METADATA", "HEAD", f"TASK#{task_id}"} <= set(left)
            continue
        assert remaining(services, made) == []
        assert stop > 3
        return
    raise AssertionError("it never ended")


class Stopping(MemoryStore):
    """Refuses writes once ``left`` of them have been made."""

    left: int | None = None

    def write(self, *writes: Any, token: str | None = None) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Unavailable("stopped")
        super().write(*writes, token=token)


@pytest.mark.parametrize("gone", [False, True])
def test_a_mirror_beside_a_deletion_leaves_nothing(
    services: Services, project_id: str, monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    promote(services, project_id, FIRST)
    read = content.read_tree

    def reading(*args: Any) -> dict[str, bytes]:
        tree = read(*args)
        runs.delete_project(services, "me", project_id)
        if gone:
            housekeeping.remove_project(services, project_id)
        return tree

    monkeypatch.setattr(content, "read_tree", reading)

    with pytest.raises(NotFound):
        housekeeping.mirror_current(services, project_id)

    assert mirrored(services, project_id) == {}
    assert rows(services, project_id) == {}


def test_a_closed_project_is_not_mirrored(services: Services, project_id: str) -> None:
    promote(services, project_id, FIRST)
    runs.delete_project(services, "me", project_id)

    with pytest.raises(NotFound):
        housekeeping.mirror_current(services, project_id)
