"""The month's bill, reckoned from sizes, measured calls and prices. Pure: no I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agenticai_core.models import Usage
from agenticai_core.prices import Price
from agenticai_operate.cost.calls import NODES, Calls
from agenticai_operate.cost.prices import PriceTable
from agenticai_operate.cost.sizes import WORKER, Layout, Service

MILLION = 1_000_000
_S3_READS = frozenset({"GetObject", "HeadObject"})
_S3_FREE = frozenset({"DeleteObject", "DeleteObjects"})


@dataclass(frozen=True)
class Load:
    """What is asked of the system in a month, and how it waits meanwhile."""

    projects: int
    stored: int  # projects that are kept
    poll_seconds: float = 20.0
    sweep_seconds: float = 15.0
    model: Price | None = None  # None: nobody knows its price
    input_tokens: int = 0  # per project
    output_tokens: int = 0
    metrics: int = 0  # that services write all the time
    busy_metrics: int = 0  # that they write while they work


@dataclass(frozen=True)
class Line:
    """One item: ``usd`` is what is to be paid, ``free_usd`` what the free tier has taken off."""

    key: str
    label: str
    quantity: float
    unit: str
    unit_usd: float
    free_usd: float
    usd: float
    why: str = ""


@dataclass(frozen=True)
class Estimate:
    lines: tuple[Line, ...]

    @property
    def total(self) -> float:
        return sum(line.usd for line in self.lines)

    @property
    def free(self) -> float:
        return sum(line.free_usd for line in self.lines)


Quantity = tuple[str, float, str]  # the price's key, how much, why


def estimate(layout: Layout, calls: Calls, load: Load, table: PriceTable) -> Estimate:
    """Every item that costs something, or would without the free tier."""
    quantities = [
        *_containers(layout, table),
        *_network(layout, load, table),
        *_table(calls, load, table),
        *_queues(layout, calls, load, table),
        *_bucket(calls, load, table),
        *_watching(layout, load, table),
    ]
    lines = [_line(table, *quantity) for quantity in quantities if quantity[1] > 0]
    return Estimate(tuple([*lines, *_model(load)]))


def idle_polls(layout: Layout, load: Load, hours: int) -> float:
    """Requests to SQS in a month in which nothing happens: each node always has a poll waiting."""
    return _nodes(layout) * hours * 3600 / load.poll_seconds


def _line(table: PriceTable, key: str, quantity: float, why: str) -> Line:
    price = table.price[key]
    free = min(quantity, price.free)
    return Line(
        key=key,
        label=price.label,
        quantity=quantity,
        unit=price.unit,
        unit_usd=price.usd,
        free_usd=free * price.usd,
        usd=(quantity - free) * price.usd,
        why=why,
    )


def _containers(layout: Layout, table: PriceTable) -> Iterator[Quantity]:
    for arm, kind in ((True, "arm"), (False, "x86")):
        for ending, spot in (("", False), ("_spot", True)):
            running = [one for one in layout.services if one.arm is arm and _running(one, spot)]
            cpu = sum(one.cpu / 1024 * _running(one, spot) for one in running)
            memory = sum(one.memory / 1024 * _running(one, spot) for one in running)
            why = ", ".join(f"{one.name} {_running(one, spot)} × {_size(one)}" for one in running)
            yield f"fargate_{kind}_cpu{ending}", cpu * table.hours, why
            yield f"fargate_{kind}_memory{ending}", memory * table.hours, ""
    tasks = sum(service.tasks for service in layout.services)
    yield "namespace", 1, "Copilot makes one for each environment"
    yield "discovered", tasks, ""
    yield "images", table.assume.image_gb, "assumed"
    yield "key", 1, "Copilot makes one for each application and region"


def _running(service: Service, spot: bool) -> int:
    """How many of its tasks are Spot, or are not."""
    return service.spot if spot else service.tasks - service.spot


def _size(service: Service) -> str:
    return f"{service.cpu}/{service.memory}"


def _network(layout: Layout, load: Load, table: PriceTable) -> Iterator[Quantity]:
    zones = table.assume.zones
    addresses = sum(service.tasks for service in layout.services if not service.private)
    if layout.balanced:
        addresses += zones
        yield "load_balancer", table.hours, ""
        yield "load_balancer_use", table.hours * table.assume.load_balancer_units, "assumed"
    if layout.private:
        addresses += zones
        yield "nat", table.hours * zones, f"one in each of {zones} zones"
        yield "nat_data", table.assume.nat_gb, "assumed"
    yield "public_ipv4", table.hours * addresses, f"{addresses} addresses"
    yield "data_out", load.projects * table.assume.out_mb / 1000, "assumed"


def _table(calls: Calls, load: Load, table: PriceTable) -> Iterator[Quantity]:
    assume = table.assume
    looks = table.hours * 60 * calls.sweep_seconds / load.sweep_seconds
    writes = _units(calls, assume.write_units) * load.projects
    writes += looks * calls.per_idle_minute.get("dynamodb PutItem", 0)
    reads = _units(calls, assume.read_units) * load.projects
    reads += looks * calls.per_idle_minute.get("dynamodb Query", 0) * assume.idle_read_units
    stored = load.stored * assume.table_mb / 1000
    looking = f"sweepers look every {load.sweep_seconds:g} s"
    yield "table_writes", writes / MILLION, f"measured calls, assumed units; {looking}"
    yield "table_reads", reads / MILLION, "the same"
    yield "table_storage", stored, f"{load.stored} projects, size assumed"
    yield "table_recovery", stored, ""


def _units(calls: Calls, units: Mapping[str, float]) -> float:
    """Units of reading or writing that one project takes."""
    return sum(
        count * units.get(name.removeprefix("dynamodb "), 0)
        for name, count in calls.per_project.items()
        if name.startswith("dynamodb ")
    )


def _queues(layout: Layout, calls: Calls, load: Load, table: PriceTable) -> Iterator[Quantity]:
    sent = calls.per_project.get("sqs SendMessage", 0)
    polls = idle_polls(layout, load, table.hours)
    # Each message is sent, received and deleted; every other receive is a poll that found nothing.
    why = f"{polls:,.0f} of them polls that wait {load.poll_seconds:g} s"
    yield "queue_requests", (polls + 3 * sent * load.projects) / MILLION, why


def _bucket(calls: Calls, load: Load, table: PriceTable) -> Iterator[Quantity]:
    counts = {
        name.removeprefix("s3 "): count
        for name, count in calls.per_project.items()
        if name.startswith("s3 ") and name.removeprefix("s3 ") not in _S3_FREE
    }
    reads = sum(count for name, count in counts.items() if name in _S3_READS)
    writes = sum(counts.values()) - reads
    yield "bucket_storage", load.stored * table.assume.bucket_mb / 1000, "size assumed"
    yield "bucket_writes", writes * load.projects / 1000, "measured"
    yield "bucket_reads", reads * load.projects / 1000, "measured"


def _watching(layout: Layout, load: Load, table: PriceTable) -> Iterator[Quantity]:
    assume = table.assume
    yield "logs", assume.idle_log_gb + load.projects * assume.log_mb / 1000, "assumed"
    # A metric is paid for the hours in which it is written.
    busy = min(1.0, load.projects / table.hours)
    why = f"{load.metrics}, and in hours with work {load.busy_metrics} more"
    yield "metrics", load.metrics + load.busy_metrics * busy, why
    yield "alarms", layout.alarms, ""
    yield "dashboards", layout.dashboards, ""
    yield "traces", load.projects * assume.traces / MILLION, "assumed"


def _model(load: Load) -> Iterator[Line]:
    if load.model is None or not load.projects:
        return
    one = Usage(input_tokens=load.input_tokens, output_tokens=load.output_tokens)
    each = load.model.microusd(one) / MILLION
    if each:
        why = f"{load.input_tokens:,} tokens in and {load.output_tokens:,} out, assumed"
        whole = each * load.projects
        yield Line("model", "Language model", load.projects, "project", each, 0.0, whole, why)


def _nodes(layout: Layout) -> int:
    return sum(NODES * service.tasks for service in layout.services if service.name == WORKER)
