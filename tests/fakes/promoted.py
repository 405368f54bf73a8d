"""Projects with code, without a run that writes it."""

from collections.abc import Mapping
from typing import Any

from agenticai_core import content
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp
from agenticai_core.models import ProjectStatus, Revision
from agenticai_core.rows import load, project_item, revision_item
from agenticai_core.store.base import Put


def promote(
    services: Services, project_id: str, tree: Mapping[str, bytes], **fields: Any
) -> Revision:
    """Make a tree the project's next revision, as a run that has ended well would."""
    project = load(services.store, project_id).project
    number = project.revision + 1
    revision = Revision(
        **{
            "project_id": project_id,
            "number": number,
            "parent": number - 1,
            "manifest_key": content.put_tree(services.files, project_id, tree),
            "author_task": "create.1",
            "summary": "The first one",
            "created_at": stamp(now()),
            **fields,
        }
    )
    changes = {
        "status": ProjectStatus.ACTIVE,
        "active_run": None,
        "active_task": None,
        "revision": number,
        "plan_key": revision.plan_key,
        "scores": revision.scores,
        "version": project.version + 1,
    }
    rested = project.model_copy(update=changes)
    services.store.write(Put(project_item(rested)), Put(revision_item(revision)))
    return revision
