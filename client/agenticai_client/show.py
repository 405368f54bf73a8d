"""What the command line shows: tables, a project's page, and the live view of its events."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from agenticai_client.wording import (
    BAD,
    GOOD,
    describe,
    local_time,
    one_line,
    plain,
    scores_line,
    size,
)

Json = dict[str, Any]
_COLOURS = {
    "active": "green",
    "applied": "green",
    "failed": "red",
    "rejected": "red",
    "cancelled": "yellow",
    "awaiting_approval": "magenta",
}
_DATE = "%Y-%m-%d %H:%M"


def project_table(projects: Iterable[Json]) -> Table:
    table = _table("ID", "Name", "Type", "Status", "Revision", "Created")
    for project in projects:
        table.add_row(
            one_line(project["id"]),
            one_line(project["name"]),
            one_line(project["type"]),
            status_text(project),
            str(project["revision"]),
            local_time(project["created_at"], _DATE),
        )
    return table


def file_table(files: Mapping[str, Json]) -> Table:
    table = _table("Path", "Size")
    for path, entry in sorted(files.items()):
        table.add_row(one_line(path), size(entry["size"]))
    return table


def key_table(keys: Iterable[Json]) -> Table:
    table = _table("ID", "Name", "Scopes", "Created", "Revoked")
    for key in keys:
        revoked = key.get("revoked_at")
        table.add_row(
            one_line(key["id"]),
            one_line(key["name"]),
            ", ".join(key["scopes"]),
            local_time(key["created_at"], _DATE),
            local_time(revoked, _DATE) if revoked else "",
        )
    return table


def status_text(thing: Json) -> Text:
    status = one_line(thing["status"])
    return Text(status.replace("_", " "), style=_COLOURS.get(status, "cyan"))


def print_project(console: Console, project: Json, modifications: list[Json]) -> None:
    """A project's page: what it is, how it stands, what was asked of it lately."""
    grid = Table.grid(padding=(0, 2))
    for label, value in _facts(project):
        grid.add_row(Text(label, style="bold"), value)
    console.print(grid)
    print_failure(console, project)
    if modifications:
        console.print(Text("\nLatest modifications", style="bold"))
    for modification in modifications:
        request = one_line(modification["request"])
        line = Text.assemble(one_line(modification["id"]), "  ", status_text(modification))
        console.print(line.append(f"  {request[:100]}"), soft_wrap=True)
        print_failure(console, modification)


def print_failure(console: Console, thing: Json) -> None:
    """Why it ended badly, and what to do; nothing where it did not."""
    failure = thing.get("failure")
    if not failure:
        return
    console.print(Text(f"{plain(failure['message'])} [{one_line(failure['code'])}]", style="red"))
    if failure.get("hint"):
        console.print(Text(f"Hint: {plain(failure['hint'])}", style="yellow"))


def _facts(project: Json) -> Iterator[tuple[str, Text]]:
    scores, usage = project["scores"], project["usage"]
    budget = project.get("token_budget")
    tokens = usage["input_tokens"] + usage["output_tokens"]
    yield "Project", Text(f"{one_line(project['name'])}  ({one_line(project['id'])})")
    yield "Type", Text(one_line(project["type"]))
    yield "Status", status_text(project)
    yield "Revision", Text(str(project["revision"]) if project["revision"] else "none yet")
    if any(value is not None for value in scores.values()):
        yield "Scores", Text(scores_line(scores))
    if project.get("model"):
        yield "Model", Text(one_line(project["model"]))
    if tokens or budget:
        yield "Tokens", Text(f"{tokens:,}" + (f" of {budget:,}" if budget else ""))
    yield "Created", Text(local_time(project["created_at"], _DATE))
    yield "Changed", Text(local_time(project["updated_at"], _DATE))
    yield "Description", Text(plain(project["description"]))


def event_line(event: Json) -> Text:
    """``12:03:07  dev   wrote app/main.py (2.1 kB)``"""
    agent = one_line((event.get("data") or {}).get("agent", ""))
    kind = event["type"]
    style = "red" if kind in BAD else "green" if kind in GOOD else ""
    if kind == "agent_output":
        style = "dim"
    return Text.assemble(
        (local_time(event["at"]), "dim"),
        "  ",
        (f"{agent:<4}", "cyan"),
        " ",
        (describe(event), style),
    )


class LiveView:
    """One line for each event; what a model is writing shows, shortened, below the lines."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._status: Status | None = None

    @contextmanager
    def running(self, *, silent: bool) -> Iterator[None]:
        """Keep the line below alive; only a terminal has one."""
        if silent or not self._console.is_terminal:
            yield
            return
        with self._console.status("waiting for the agents") as self._status:
            yield

    def show(self, event: Json) -> None:
        if event["type"] == "agent_output" and not self._verbose:
            self._summarize(event)
            return
        self._console.print(event_line(event), soft_wrap=True)

    def _summarize(self, event: Json) -> None:
        if self._status:
            agent = one_line((event.get("data") or {}).get("agent", ""))
            end = describe(event)[-60:]
            self._status.update(Text(f"{agent} writes: …{end}", style="dim"))


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("ID", "Status"))
    return table
