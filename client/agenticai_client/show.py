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


def revision_table(revisions: Iterable[Json]) -> Table:
    table = _table("No.", "Made", "How", "Scores", "Summary")
    for revision in revisions:
        table.add_row(
            str(revision["number"]),
            local_time(revision["created_at"], _DATE),
            one_line(revision["kind"]).replace("_", " "),
            scores_line(revision["scores"]),
            one_line(revision["summary"])[:100],
        )
    return table


def key_table(keys: Iterable[Json]) -> Table:
    table = _table("ID", "Name", "Scopes", "Created", "Expires", "Revoked")
    for key in keys:
        ends = (key.get(name) for name in ("expires_at", "revoked_at"))
        table.add_row(
            one_line(key["id"]),
            one_line(key["name"]),
            ", ".join(key["scopes"]),
            local_time(key["created_at"], _DATE),
            *(local_time(end, _DATE) if end else "" for end in ends),
        )
    return table


def template_table(templates: Iterable[Json]) -> Table:
    table = _table("ID", "Name", "Category", "Variables", "Whose")
    for template in templates:
        table.add_row(
            one_line(template["id"]),
            one_line(template["name"]),
            one_line(template["category"]),
            one_line(", ".join(variable["name"] for variable in template["variables"])),
            "built in" if template["builtin"] else "yours",
        )
    return table


def audit_table(entries: Iterable[Json]) -> Table:
    table = _table("At", "What", "Of", "Details", "By the key")
    for entry in entries:
        details = (f"{name}: {_listed(value)}" for name, value in entry["details"].items())
        table.add_row(
            local_time(entry["at"], _DATE),
            one_line(entry["action"]).replace("_", " "),
            one_line(entry["subject"]),
            one_line("; ".join(details)),
            one_line(entry["key_id"] or ""),
        )
    return table


def print_me(console: Console, me: Json) -> None:
    """Who somebody is, what the key may do, and how much."""
    credential, limits = me["credential"], me["limits"]
    ends = credential["expires_at"]
    name = f"{one_line(credential['key_name'])}  ({one_line(credential['key_id'])})"
    rate = f"{limits['requests_per_second']:,} a second, {limits['burst']:,} at once"
    facts = (
        ("Owner", one_line(me["owner_id"])),
        ("Key", name),
        ("Scopes", ", ".join(credential["scopes"])),
        ("Expires", local_time(ends, _DATE) if ends else "never"),
        ("Requests", f"{rate}, {limits['requests_per_month']:,} a month"),
    )
    _print_facts(console, ((label, Text(value)) for label, value in facts))


def print_usage(console: Console, usage: Json) -> None:
    """What was used in a month, in all and by project."""
    facts = (("Month", one_line(usage["month"])), ("Requests", f"{usage['requests']:,}"))
    _print_facts(console, ((label, Text(value)) for label, value in facts))
    table = _table("Project", "Tokens in", "Tokens out", "Dollars")
    total = {**usage, "project_id": "all"}
    for used in (*usage["projects"], total):
        table.add_row(
            one_line(used["project_id"]),
            f"{used['input_tokens']:,}",
            f"{used['output_tokens']:,}",
            f"{used['cost_usd']:.4f}",
        )
    console.print(table)


def status_text(thing: Json) -> Text:
    status = one_line(thing["status"])
    return Text(status.replace("_", " "), style=_COLOURS.get(status, "cyan"))


def print_project(console: Console, project: Json, modifications: list[Json]) -> None:
    """A project's page: what it is, how it stands, what was asked of it lately."""
    _print_facts(console, _facts(project))
    print_failure(console, project)
    if modifications:
        console.print(Text("\nLatest modifications", style="bold"))
    for modification in modifications:
        request = one_line(modification["request"])
        line = Text.assemble(one_line(modification["id"]), "  ", status_text(modification))
        console.print(line.append(f"  {request[:100]}"), soft_wrap=True)
        print_failure(console, modification)


def print_template(console: Console, template: Json) -> None:
    """A template's page: what it is, what it wants to be told, what it makes."""
    console.print(Text(f"{one_line(template['name'])}  ({one_line(template['id'])})", "bold"))
    console.print(Text(plain(template["description"])), soft_wrap=True)
    variables = _table("Variable", "Default", "Allowed", "What it is")
    for variable in template["variables"]:
        wanted = "(required)" if variable["required"] else variable["default"] or ""
        allowed = ", ".join(variable["choices"]) or variable["pattern"] or ""
        told = (variable["name"], wanted, allowed, variable["description"])
        variables.add_row(*(Text(one_line(part)) for part in told))
    files = _table("Path", "Size")
    for file in template["files"]:
        files.add_row(Text(one_line(file["path"])), size(len(file["content"].encode())))
    for table in (variables, files):
        if table.row_count:
            console.print()
            console.print(table)


def print_failure(console: Console, thing: Json) -> None:
    """Why it ended badly, and what to do; nothing where it did not."""
    failure = thing.get("failure")
    if not failure:
        return
    console.print(Text(f"{plain(failure['message'])} [{one_line(failure['code'])}]", style="red"))
    if failure.get("hint"):
        console.print(Text(f"Hint: {plain(failure['hint'])}", style="yellow"))


def _print_facts(console: Console, facts: Iterable[tuple[str, Text]]) -> None:
    grid = Table.grid(padding=(0, 2))
    for label, value in facts:
        grid.add_row(Text(label, style="bold"), value)
    console.print(grid)


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
    yield from _chosen(project)
    if project.get("model"):
        yield "Model", Text(one_line(project["model"]))
    if tokens or budget:
        yield "Tokens", Text(f"{tokens:,}" + (f" of {budget:,}" if budget else ""))
    if cost := _cost(project):
        yield "Cost", Text(cost)
    yield "Created", Text(local_time(project["created_at"], _DATE))
    yield "Changed", Text(local_time(project["updated_at"], _DATE))
    yield "Description", Text(plain(project["description"]))


def _chosen(project: Json) -> Iterator[tuple[str, Text]]:
    """What the user chose for it, where there is something."""
    named = (
        ("Tags", "tags"),
        ("Packages", "dependencies"),
        ("Environment", "environment_vars"),
    )
    for label, name in named:
        if project.get(name):
            yield label, Text(one_line(", ".join(project[name])))
    if where := project.get("deployment_config"):
        yield "Platform", Text(one_line(f"{where['platform']}, {where['region']}"))
    if project.get("template_id"):
        yield "Template", Text(one_line(project["template_id"]))


def _cost(project: Json) -> str:
    spent, budget = project["usage"].get("cost_usd"), project.get("cost_budget_usd")
    if not (spent or budget):
        return ""
    return f"{spent or 0:.4f} USD" + (f" of {budget:.2f}" if budget else "")


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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
