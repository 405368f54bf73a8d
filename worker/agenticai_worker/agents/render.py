"""Dev, for a project from a template: renders it, in the sandbox, without a model.

A template is a program that a user wrote: it may loop for ever or fill the memory.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from agenticai_core.content import put_plan
from agenticai_core.errors import UnsafePath
from agenticai_core.models import EventDraft, Outcome
from agenticai_core.paths import check_collisions, safe_path
from agenticai_core.plans import Plan, PlannedFile
from agenticai_core.templates import rendering
from agenticai_core.templates.models import TemplateSnapshot
from agenticai_worker.agents.base import (
    Changes,
    Tools,
    file_event,
    must_be_safe,
    store_changes,
)
from agenticai_worker.sandbox.base import Command, Finished
from agenticai_worker.sandbox.local import SandboxBroken
from agenticai_worker.work import PermanentFailure, TransientFailure, Work

RENDER_SECONDS = 30.0
_MEMORY_MB = 512
_DISK_MB = 64
_PROGRAM = "render.py"
_SOURCE = Path(rendering.__file__)


class _Rendered(Changes):
    """What the unit "render" stores."""

    plan: Plan


def render(work: Work, tools: Tools) -> Outcome:
    """Render the project's template; outputs ``plan`` and ``manifest``.

    Whatever is wrong with the template ends the task as ``TEMPLATE_FAILED``.
    """
    must_be_safe(tools)
    snapshot = TemplateSnapshot.model_validate_json(work.files.get(work.project.template_key or ""))
    rendered = _Rendered.model_validate_json(
        work.unit(
            "render",
            lambda: _render(tools, snapshot, work.project.name).model_dump_json().encode(),
            lambda result: _events(work, _Rendered.model_validate_json(result)),
        )
    )
    outputs = {
        "plan": put_plan(work.files, work.project.id, rendered.plan),
        "manifest": store_changes(work, rendered.files, None),
    }
    name = snapshot.template.name
    return Outcome(
        outputs=outputs, summary=f"Rendered {len(rendered.files)} files of the template '{name}'."
    )


def _events(work: Work, rendered: _Rendered) -> Sequence[EventDraft]:
    of = len(rendered.files)
    return [
        file_event(work, "render", path, text, (n, of))
        for n, (path, text) in enumerate(rendered.files.items(), start=1)
    ]


def _render(tools: Tools, snapshot: TemplateSnapshot, project_name: str) -> _Rendered:
    result = _run(tools, snapshot)
    files: dict[str, str] = result["files"]
    if not files:
        raise _failed("nothing is left of it: with these values every file has an empty path")
    try:
        clean = {safe_path(path): text for path, text in files.items()}
        check_collisions(clean)
    except UnsafePath as error:
        raise _failed(error.message) from error
    return _Rendered(files=clean, plan=_plan(snapshot, project_name, result["plan"], clean))


def _run(tools: Tools, snapshot: TemplateSnapshot) -> dict[str, Any]:
    request = {
        "files": [file.model_dump() for file in snapshot.files],
        "plan": snapshot.template.plan,
        "variables": snapshot.variables,
    }
    command = Command(
        argv=("python", _PROGRAM),
        files={
            _PROGRAM: _SOURCE.read_bytes(),
            rendering.REQUEST: json.dumps(request).encode(),
        },
        timeout=RENDER_SECONDS,
        collect=(rendering.RESULT,),
        memory_mb=_MEMORY_MB,
        disk_mb=_DISK_MB,
    )
    try:
        finished = tools.sandbox.run(command)
    except SandboxBroken as error:
        raise TransientFailure(f"The sandbox could not render the template: {error}") from error
    return _read(finished)


def _read(finished: Finished) -> dict[str, Any]:
    """The program's result. It ran beside a user's template, so nothing of it is relied on."""
    if finished.stopped is not None:
        raise _failed(f"rendering was stopped after {finished.seconds:.0f} s ({finished.stopped})")
    try:
        result: dict[str, Any] = json.loads(finished.collected.get(rendering.RESULT, b""))
        if problem := result.get("error"):
            line = f", line {problem['line']}" if problem["line"] else ""
            raise _failed(f"{problem['file']}{line}: {problem['message']}")
        files, plan = result["files"], result["plan"]
        texts = [*files.keys(), *files.values(), *([] if plan is None else [plan])]
        "".join(texts).encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        end = finished.stderr.strip().splitlines()[-1:] or ["no reason was told"]
        raise _failed(f"rendering ended with code {finished.exit_code}: {end[0][:300]}") from error
    return {"files": files, "plan": plan}


def _plan(
    snapshot: TemplateSnapshot, name: str, told: str | None, files: Mapping[str, str]
) -> Plan:
    """The template's own plan, or one that says no more than what is there."""
    template = snapshot.template
    planned = tuple(PlannedFile(path=path, purpose="Comes from the template.") for path in files)
    if told is None:
        return Plan(
            name=name,
            type=template.type,
            summary=template.description,
            stack=template.tech_stack,
            files=planned,
        )
    try:
        plan = Plan.model_validate_json(told)
    except ValidationError as error:
        raise _failed(f"its plan is none: {error}") from error
    return plan.model_copy(update={"name": name, "type": template.type, "files": planned})


def _failed(why: str) -> PermanentFailure:
    return PermanentFailure(
        "TEMPLATE_FAILED",
        f"The template could not be rendered: {why}",
        "Mend the template or choose other values, and create the project again",
    )
