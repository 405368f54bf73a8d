"""Both budgets at once: nothing overshoots, nothing is paid for twice, and failures name theirs."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from agenticai_core import projects, runs
from agenticai_core.models import Action, Outcome, Usage
from agenticai_core.rows import task_item
from agenticai_core.settings import Settings
from agenticai_core.store.base import Put, StoreUnavailable
from agenticai_core.usage import current_month, read_month
from agenticai_worker import runner
from agenticai_worker.lease import Lease
from agenticai_worker.llm.base import PermanentModelError, TransientModelError
from agenticai_worker.run import Run, Worker
from agenticai_worker.runner import run_task
from agenticai_worker.work import PermanentFailure

from .conftest import World
from .test_runner import PROMPT, FakeSandbox, StreamingModel

# A call of the fake model takes 20 + 100 tokens at most, and uses 7 + 3.
PRICED = {"model_price_input": 1.0, "model_price_output": 10.0}
MOST, USED = 20 + 1000, 7 + 30  # millionths of a dollar


def ask(run: Run, tools: Any) -> Outcome:
    run.ask(PROMPT)
    return Outcome(outputs={"plan": "p"})


class Bench:
    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world, self.model = world, StreamingModel()
        world.settings = Settings(**PRICED)  # type: ignore[arg-type]
        monkeypatch.setattr(runner, "AGENTS", {Action.PLAN: ask})

    def run(self, **options: Any) -> None:
        world = self.world
        world.create(**options)
        worker = Worker(world.services, world.settings, self.model, FakeSandbox())
        run_task(worker, world.project_id, world.task_id)

    @property
    def failure(self) -> tuple[str, str, str]:
        failure = self.world.project.failure
        assert failure is not None
        return failure.code, failure.message, failure.hint or ""


@pytest.fixture
def bench(world: World, monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(world, monkeypatch)


def costs(world: World) -> tuple[int, int, int]:
    """Spent, reserved on the project, reserved on the task."""
    project, task = world.project, world.task
    return (
        project.usage.cost_microusd,
        project.cost_reserved_microusd,
        task.reservation_microusd,
    )


def test_a_call_costs_what_it_used(bench: Bench) -> None:
    bench.run(cost_budget_usd=MOST / 1e6)

    assert bench.world.project.failure is None
    assert costs(bench.world) == (USED, 0, 0)
    assert bench.world.project.usage.total == 10


def test_a_call_beyond_the_cost_budget_is_not_made(bench: Bench) -> None:
    bench.run(cost_budget_usd=(MOST - 1) / 1e6)

    code, message, hint = bench.failure
    assert code == "BUDGET_EXCEEDED"
    assert "may cost $0.00102; $0.001019 of the cost budget of $0.001019 are left" in message
    assert "cost_budget_usd" in hint
    assert bench.model.timeouts == []
    assert costs(bench.world) == (0, 0, 0)


def test_the_budget_that_is_too_small_is_named(bench: Bench) -> None:
    bench.run(token_budget=119, cost_budget_usd=1)

    code, message, hint = bench.failure
    assert (code, "tokens" in message, "token_budget" in hint) == ("BUDGET_EXCEEDED", True, True)


def test_without_a_price_a_cost_budget_holds_nothing(bench: Bench) -> None:
    bench.world.settings = Settings()
    bench.run(cost_budget_usd=1000)

    code, _, hint = bench.failure
    assert code == "PRICE_UNKNOWN"
    assert "AGENTICAI_MODEL_PRICE_INPUT" in hint
    assert "AGENTICAI_MODEL_PRICE_OUTPUT" in hint
    assert bench.model.timeouts == []


def test_without_a_price_and_a_cost_budget_tokens_are_counted(bench: Bench) -> None:
    bench.world.settings = Settings()
    bench.run()

    assert bench.world.project.failure is None
    assert bench.world.project.usage == Usage(input_tokens=7, output_tokens=3)


def test_the_built_in_engine_costs_nothing_whatever_the_budget(bench: Bench) -> None:
    bench.model.name, bench.model.llm = "template", False
    bench.run(cost_budget_usd=0.000001)

    assert bench.world.project.failure is None
    assert bench.world.project.usage.cost_microusd == 0


@pytest.mark.parametrize(
    ("error", "spent"),
    [
        (TransientModelError("429", refused=True), 0),
        (TransientModelError("timed out"), MOST),
        (PermanentModelError("unsafe", usage=Usage(input_tokens=9)), 9),
    ],
)
def test_what_a_failed_call_may_have_cost_is_counted(
    bench: Bench, error: Exception, spent: int
) -> None:
    bench.model.fails = error
    bench.run()
    bench.world.take()

    assert costs(bench.world) == (spent, 0, 0)


def test_an_orphan_counts_as_fully_spent(world: World) -> None:
    world.taken().reserve(70, 500)
    assert costs(world) == (0, 500, 500)
    world.expire()

    world.taken()

    assert costs(world) == (500, 0, 0)
    assert world.project.usage.output_tokens == 70


@pytest.mark.parametrize("end", ["cancel", "delete", "advance"])
def test_whatever_ends_a_task_settles_its_reservation(world: World, end: str) -> None:
    lease = world.taken()
    lease.reserve(70, 500)
    if end == "cancel":
        runs.cancel(world.services, "me", world.project_id)
    elif end == "delete":
        runs.delete_project(world.services, "me", world.project_id)
    else:
        outcome = Outcome(outputs={"plan": "p"})
        runs.advance(world.services, world.project_id, world.task_id, lease.task.fence, outcome)

    assert costs(world) == (500, 0, 0)


@pytest.mark.parametrize("which", ["reserve", "settle"])
def test_a_lost_answer_counts_once(world: World, which: str) -> None:
    lease = world.taken()
    world.store.lose = int(which == "reserve")
    lease.reserve(70, 500)
    assert costs(world) == (0, 500, 500)
    world.store.lose = int(which == "settle")
    lease.settle(70, Usage(output_tokens=9, cost_microusd=90), 500)

    assert costs(world) == (90, 0, 0)


def test_workers_at_once_overshoot_neither_budget(world: World) -> None:
    world.create(token_budget=150, cost_budget_usd=0.0001)
    ids = [f"{world.task_id}{n}" for n in range(6)]
    for task_id in ids:
        world.store.write(Put(task_item(world.task.model_copy(update={"id": task_id}))))
    leases = []
    for world.task_id in ids:
        leases.append(world.taken())
    start = threading.Barrier(len(leases))

    def spend(job: tuple[int, Lease]) -> None:
        number, lease = job
        tokens, microusd = (20, 5) if number % 2 else (5, 20)
        start.wait()
        for _ in range(4):
            try:
                lease.reserve(tokens, microusd)
            except PermanentFailure as refused:
                assert refused.failure.code == "BUDGET_EXCEEDED"
                continue
            project = world.project
            assert project.usage.total + project.tokens_reserved <= 150
            assert project.usage.cost_microusd + project.cost_reserved_microusd <= 100
            lease.settle(tokens, Usage(output_tokens=tokens, cost_microusd=microusd), microusd)

    with ThreadPoolExecutor(len(leases)) as pool:
        list(pool.map(spend, enumerate(leases)))

    project = world.project
    assert (project.tokens_reserved, project.cost_reserved_microusd) == (0, 0)
    assert project.usage.total <= 150
    assert project.usage.cost_microusd <= 100
    # What is held only grows, so whatever refused a call is nearly used up now.
    assert project.usage.total > 130 or project.usage.cost_microusd > 80


def test_a_higher_budget_is_seen_by_the_run_under_way(world: World) -> None:
    world.create(cost_budget_usd=0.0001)
    lease = world.taken()
    with pytest.raises(PermanentFailure):
        lease.reserve(1, 200)
    changes = projects.ProjectChanges.model_validate({"cost_budget_usd": 0.0002})
    projects.update_project(world.services, "me", world.project_id, changes)

    lease.reserve(1, 200)

    assert costs(world) == (0, 200, 200)


# ---- the owner's month --------------------------------------------------------------------------


def month(world: World) -> tuple[Usage, int]:
    """What the owner's month has counted, and of how many projects."""
    read = read_month(world.store, "me", current_month())
    return read.total, len(read.projects)


def test_the_owners_month_counts_what_projects_use(bench: Bench) -> None:
    assert month(bench.world) == (Usage(), 0)
    for n in (1, 2):
        bench.run()
        used = Usage(input_tokens=7 * n, output_tokens=3 * n, cost_microusd=USED * n)
        assert month(bench.world) == (used, n)


@pytest.mark.parametrize("end", ["take", "cancel", "delete", "advance", "settle"])
@pytest.mark.parametrize("lost", [0, 1])
def test_the_month_and_the_project_never_differ(world: World, end: str, lost: int) -> None:
    lease = world.taken()
    lease.reserve(70, 500)
    world.expire()
    world.store.lose = lost
    services, project_id = world.services, world.project_id
    act: dict[str, Callable[[], object]] = {
        "take": world.take,
        "cancel": lambda: runs.cancel(services, "me", project_id),
        "delete": lambda: runs.delete_project(services, "me", project_id),
        "settle": lambda: lease.settle(70, Usage(output_tokens=70, cost_microusd=500), 500),
        "advance": lambda: runs.advance(
            services, project_id, world.task_id, lease.task.fence, Outcome(outputs={"plan": "p"})
        ),
    }
    with suppress(StoreUnavailable):
        act[end]()

    spent = Usage(output_tokens=70, cost_microusd=500)
    assert (world.project.usage, month(world)) == (spent, (spent, 1))
