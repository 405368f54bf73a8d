"""An estimate with what it rests on, and how it is shown."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from agenticai_core.metrics import REGISTRY
from agenticai_core.models import Agent
from agenticai_core.prices import find_price
from agenticai_core.settings import Settings
from agenticai_operate.cost.calls import Calls, measured_calls
from agenticai_operate.cost.estimate import Estimate, Load, estimate, idle_polls
from agenticai_operate.cost.prices import PriceTable, price_table
from agenticai_operate.cost.sizes import Layout, read_layout, resize
from agenticai_operate.errors import BadManifest, NotConfigured

_RECKONED = ("sqs_wait_seconds", "sweep_seconds", "metrics", "model")


@dataclass(frozen=True)
class Wanted:
    """What the user says of the month; None: what the settings or the table of prices say."""

    projects: int
    stored: int | None = None
    sizes: tuple[str, ...] = ()
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True)
class Report:
    env: str
    projects: int
    stored: int
    model: str
    estimate: Estimate
    standing: float  # USD of a month in which nobody asks for anything
    notes: tuple[str, ...]
    table: PriceTable
    calls: Calls


def report(folder: Path, env: str, wanted: Wanted) -> Report:
    """Read the manifests and reckon. Raises `NotConfigured`, `BadManifest`."""
    table, calls = price_table(), measured_calls()
    layout = resize(read_layout(folder, env), list(wanted.sizes))
    settings = _deployed(layout)
    load = _load(settings, table, wanted)
    made = estimate(layout, calls, load, table)
    standing = estimate(layout, calls, replace(load, projects=0, stored=0), table).total
    return Report(
        env=env,
        projects=load.projects,
        stored=load.stored,
        model=wanted.model or settings.model,
        estimate=made,
        standing=standing,
        notes=tuple(_notes(layout, load, table, standing)),
        table=table,
        calls=calls,
    )


def _deployed(layout: Layout) -> Settings:
    """The settings that the services will have: the manifests' variables, then those set here."""
    given = {
        name: layout.variables[variable]
        for name in _RECKONED
        if (variable := f"AGENTICAI_{name.upper()}") in layout.variables
    }
    try:
        return Settings(**given)  # type: ignore[arg-type]  # text, as from the environment
    except ValidationError as error:
        raise BadManifest(
            f"The worker's variables make no sense: {error.errors()[0]['msg']}",
            hint="docs/architecture.md lists them, with what they may be",
        ) from error


def _load(settings: Settings, table: PriceTable, wanted: Wanted) -> Load:
    model, assume = wanted.model or settings.model, table.assume
    price = find_price(model, settings)
    if price is None:
        raise NotConfigured(
            f"Nobody knows what the model '{model}' costs",
            hint="Set AGENTICAI_MODEL_PRICE_INPUT and AGENTICAI_MODEL_PRICE_OUTPUT"
            " (USD per million tokens)",
        )
    default = wanted.projects * assume.stored_months
    return Load(
        projects=wanted.projects,
        stored=default if wanted.stored is None else wanted.stored,
        poll_seconds=settings.sqs_wait_seconds,
        sweep_seconds=settings.sweep_seconds,
        model=price,
        input_tokens=_or(wanted.input_tokens, assume.input_tokens),
        output_tokens=_or(wanted.output_tokens, assume.output_tokens),
        **_metrics(settings),
    )


def _metrics(settings: Settings) -> dict[str, int]:
    """How many CloudWatch reckons: each set of dimensions counts as one."""
    if settings.metrics == "off":
        return {}
    by_agent = sum(metric.by_agent for metric in REGISTRY)
    return {"metrics": len(REGISTRY) - by_agent, "busy_metrics": by_agent * len(Agent)}


def _or(given: int | None, default: int) -> int:
    return default if given is None else given


def _notes(layout: Layout, load: Load, table: PriceTable, standing: float) -> list[str]:
    polls = idle_polls(layout, load, table.hours)
    free = table.price["queue_requests"].free
    return [
        f"{standing:.2f} USD of it is due in a month without a single project: containers and"
        " load balancers never sleep, and no free tier covers them.",
        "Tables on demand have no free units; only their first 25 GB are free.",
        f"Waiting for work takes {polls:,.0f} requests to SQS a month,"
        f" {polls / 1e6 / free:.0%} of the free million: every container of every worker task has"
        f" a poll of {load.poll_seconds:g} s waiting.",
        "Services that scale are reckoned at their least number of tasks. Tax, support, domains"
        " and what new accounts get for a while are left out.",
    ]


def as_json(report: Report) -> dict[str, Any]:
    return {
        "env": report.env,
        "region": report.table.region,
        "prices_noted": report.table.noted,
        "calls_measured": report.calls.measured,
        "projects": report.projects,
        "stored_projects": report.stored,
        "model": report.model,
        "lines": [asdict(line) for line in report.estimate.lines],
        "free_usd": report.estimate.free,
        "total_usd": report.estimate.total,
        "standing_usd": report.standing,
        "notes": list(report.notes),
    }


def print_report(console: Console, report: Report) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", show_footer=True)
    made = report.estimate
    table.add_column("Item", footer="Total a month", overflow="fold")
    for name, footer in (
        ("Quantity", ""),
        ("Unit", ""),
        ("USD each", ""),
        ("Free tier", f"-{made.free:.2f}"),
        ("USD", f"{made.total:.2f}"),
    ):
        table.add_column(name, footer=footer, justify="left" if name == "Unit" else "right")
    table.add_column("How", overflow="fold")
    for line in made.lines:
        table.add_row(
            line.label,
            f"{line.quantity:,.2f}" if line.quantity < 1000 else f"{line.quantity:,.0f}",
            line.unit,
            f"{line.unit_usd:.6f}".rstrip("0").rstrip("."),
            f"-{line.free_usd:.2f}" if line.free_usd else "",
            f"{line.usd:.2f}",
            Text(line.why, style="dim"),
        )
    console.print(_title(report), soft_wrap=True)
    console.print(table)
    for note in report.notes:
        console.print(Text(f"* {note}", style="dim"))


def _title(report: Report) -> Text:
    return Text.assemble(
        (f"{report.env}, {report.projects} projects a month, model {report.model}", "bold"),
        f"  ({report.table.region}; prices noted on {report.table.noted},"
        f" calls measured on {report.calls.measured})",
    )
