"""What the README of a project tells, worked out from its plan."""

import json
import shlex
from dataclasses import dataclass
from typing import Any

from agenticai_worker.llm.template.write import moves
from agenticai_worker.llm.template.write.columns import Column
from agenticai_worker.llm.template.write.examples import example_body
from agenticai_worker.llm.template.write.figures import Figure
from agenticai_worker.llm.template.write.spec import Project, Thing


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    what: str


def readme_values(project: Project, figures: list[Figure]) -> dict[str, Any]:
    """Values of the README's blueprint."""
    first = project.things[0]
    independent = next((t for t in project.things if not _needs_others(t)), first)
    return {
        "routes": [*_routes(project), *(_figure_route(figure) for figure in figures)],
        "example": independent,
        "example_body": shlex.quote(json.dumps(example_body(independent), ensure_ascii=False)),
        "described": [(thing, [_describe(c) for c in thing.columns]) for thing in project.things],
        "rules": [
            (thing, [rule.description for rule in thing.entity.rules]) for thing in project.things
        ],
    }


def _routes(project: Project) -> list[Route]:
    found = []
    for thing in project.things:
        base, one = f"/{thing.plural}", f"/{thing.plural}/{{id}}"
        parameters = ", ".join(f"`{spec.parameter}`" for spec in thing.filters)
        searched = " and ".join(f"`{column.name}`" for column in thing.searched)
        listed = f"list {thing.labels}"
        listed += f"; filters: {parameters}" if parameters else ""
        listed += f"; `q` looks into {searched}" if searched else ""
        found.append(Route("POST", base, f"create {thing.a}"))
        found.append(Route("GET", base, listed))
        found.append(Route("GET", one, f"one {thing.label}"))
        if not thing.immutable:
            found.append(Route("PUT", one, f"replace {thing.a}"))
            found.append(Route("PATCH", one, f"change {thing.a}"))
            found.append(Route("DELETE", one, f"delete {thing.a}"))
        for move in moves.moves(thing):
            states = " or ".join(move.source.sources)
            found.append(Route("POST", f"{one}/{move.path}", f"{states} → {move.target_value}"))
        for link in thing.links:
            path = f"{one}/{link.right.plural}"
            found.append(Route("GET", path, f"the {link.right.labels} of {thing.a}"))
            found.append(Route("PUT, DELETE", f"{path}/{{other_id}}", "link, unlink"))
    return found


def _figure_route(figure: Figure) -> Route:
    return Route("GET", f"/reports/{figure.name}", figure.text)


def _describe(column: Column) -> tuple[str, str, str]:
    notes = []
    if column.kind == "enum":
        notes.append(", ".join(value for _, value in column.choices))
    if column.kind == "reference":
        notes.append(f"id of {column.target.a}")
    if column.minimum is not None:
        notes.append(f"at least {column.minimum}")
    if column.maximum is not None:
        notes.append(f"at most {column.maximum}")
    if column.source.unit:
        notes.append(f"in {column.source.unit}")
    if column.source.unique:
        notes.append("unique")
    if column.managed:
        notes.append("moved by the routes below, starts as " + moves.start_state(column))
    elif column.source.default is not None:
        notes.append(f"default: {column.source.default}")
    if column.nullable:
        notes.append("optional")
    return column.name, column.kind, "; ".join(notes)


def _needs_others(thing: Thing) -> bool:
    return any(not column.nullable for column in thing.references)
