"""Models to items of the table and back, and the consistent read of a project's moving parts."""

from dataclasses import dataclass
from typing import TypeVar

from agenticai_core.errors import NotFound
from agenticai_core.events import Head
from agenticai_core.models import Model, Modification, Project, Revision, Task, TaskStatus
from agenticai_core.store import keys
from agenticai_core.store.base import Item, Key, Store
from agenticai_core.workflow import is_modification

M = TypeVar("M", bound=Model)
_UNFINISHED = frozenset({TaskStatus.QUEUED, TaskStatus.RUNNING})


@dataclass(frozen=True)
class Snapshot:
    """What one consistent read saw; writes are conditional on it."""

    project: Project
    head: Head
    task: Task | None = None
    modification: Modification | None = None


def project_item(project: Project) -> Item:
    return {
        **_keys(keys.project(project.id)),
        **keys.by_owner(project.owner_id, project.created_at, project.id),
        **keys.by_status(project.status.value, project.id),
        "EntityType": "Project",
        **project.model_dump(mode="json"),
    }


def task_item(task: Task) -> Item:
    """A task is in the sparse index of due tasks as long as it is not finished."""
    due = (
        keys.by_due(task.due_at, task.project_id, task.id)
        if task.due_at is not None and task.status in _UNFINISHED
        else {}
    )
    row = {**_keys(keys.task(task.project_id, task.id)), **due, "EntityType": "Task"}
    return row | task.model_dump(mode="json")


def modification_item(modification: Modification) -> Item:
    row = _keys(keys.modification(modification.project_id, modification.id))
    return row | {"EntityType": "Modification"} | modification.model_dump(mode="json")


def revision_item(revision: Revision) -> Item:
    row = _keys(keys.revision(revision.project_id, revision.number))
    return row | {"EntityType": "Revision"} | revision.model_dump(mode="json")


def parse(model: type[M], item: Item) -> M:
    """The model in an item, without the item's keys and index attributes."""
    return model.model_validate({name: item[name] for name in model.model_fields if name in item})


def load(store: Store, project_id: str, task_id: str | None = None) -> Snapshot:
    """The project, its log's head and, where named, a task and its modification.

    Without a task the modification of the run under way is read. Raises `NotFound`.
    """
    wanted = [keys.project(project_id), keys.head(project_id)]
    if task_id is not None:
        wanted.append(keys.task(project_id, task_id))
        if is_modification(task_id):
            wanted.append(keys.modification(project_id, task_id.split(".", 1)[0]))
    rows = {item["SK"]: item for item in store.batch_get(wanted)}
    if "METADATA" not in rows or "HEAD" not in rows:
        raise NotFound(f"No project '{project_id}'")
    project = parse(Project, rows["METADATA"])
    task = rows.get(f"TASK#{task_id}")
    if task_id is None and project.active_run and is_modification(project.active_run):
        found = store.get(keys.modification(project_id, project.active_run))
    else:
        found = next((row for sk, row in rows.items() if sk.startswith("MOD#")), None)
    return Snapshot(
        project=project,
        head=Head.of(rows["HEAD"]),
        task=parse(Task, task) if task else None,
        modification=parse(Modification, found) if found else None,
    )


def load_owned(store: Store, owner_id: str, project_id: str) -> Snapshot:
    """Like `load`, of the run under way; another owner's project is not found either."""
    seen = load(store, project_id)
    if seen.project.owner_id != owner_id:
        raise NotFound(f"No project '{project_id}'")
    return seen


def _keys(key: Key) -> Item:
    return {"PK": key.pk, "SK": key.sk}
