"""What `api.py` compares with: routes that make the same calls to table, bucket and queue, bare.

No authentication, no model, no error handling, no middleware: FastAPI, and the calls.
"""

import json
from typing import Any

from fastapi import Body, FastAPI

from agenticai_core.bootstrap import connect
from agenticai_core.clock import now, stamp
from agenticai_core.ids import new_id
from agenticai_core.models import Agent
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import Put, Update, absent, equals

app = FastAPI()
services = connect(Settings())
OWNER = "local"


def _item(key: keys.Key, **fields: Any) -> dict[str, Any]:
    return {"PK": key.pk, "SK": key.sk, **fields}


@app.get("/api/projects/{project_id}")
def get_project(project_id: str) -> Any:
    return services.store.get(keys.project(project_id))


@app.get("/api/projects")
def list_projects() -> Any:
    page = services.store.query(
        keys.owner_pk(OWNER), index="GSI1", prefix="PROJECT#", limit=20, newest_first=True
    )
    return {"projects": page.items}


@app.get("/api/projects/{project_id}/events")
def list_events(project_id: str) -> Any:
    services.store.get(keys.project(project_id))
    page = services.store.query(
        keys.project_pk(project_id), after=keys.event_sk(0), upto=keys.event_sk(10**12 - 1)
    )
    services.store.batch_get([keys.head(project_id)])
    return {"events": page.items}


@app.get("/api/projects/{project_id}/files")
def list_files(project_id: str) -> Any:
    project = services.store.get(keys.project(project_id)) or {}
    revision = services.store.get(keys.revision(project_id, project["revision"])) or {}
    return json.loads(services.files.get(revision["manifest_key"]))


@app.post("/api/projects")
def create_project(body: dict[str, Any] = Body()) -> Any:  # noqa: B008 - FastAPI's own form
    at, run, project_id = stamp(now()), new_id("run"), new_id("proj")
    held = keys.holding(OWNER, "projects")
    services.store.get(held)
    task_id = f"{run}.01.plan"
    project = _item(
        keys.project(project_id),
        **keys.by_owner("bare", at, project_id),
        **keys.by_status("planning", project_id),
        **body,
        id=project_id,
        created_at=at,
    )
    task = _item(keys.task(project_id, task_id), id=task_id, status="queued", created_at=at)
    event = _item(keys.event(project_id, 1), type="project_created", at=at, data=body)
    services.store.write(
        Put(project, absent()),
        Update(held, add={"n": 1}),
        Put(task, absent()),
        Update(keys.head(project_id), set={"seq": 1}, condition=absent()),
        Put(event, absent()),
    )
    services.queue.send(Agent.PM, project_id, task_id)
    return project


@app.put("/api/projects/{project_id}")
def update_project(project_id: str, body: dict[str, Any] = Body()) -> Any:  # noqa: B008
    project = services.store.get(keys.project(project_id)) or {}
    changed = project | body | {"version": project["version"] + 1}
    services.store.write(Put(changed, equals("version", project["version"])))
    return changed
