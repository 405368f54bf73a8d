"""A project under any sequence of agents' outcomes and users' commands, as a state machine.

Whatever happens: the log has no gap, one run is under way at most, nothing is active whose tests
have not passed, repairs are bounded, and every modification ends as something.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agenticai_core import content, events, projects, runs, steering
from agenticai_core.bootstrap import Services
from agenticai_core.change import FenceLost
from agenticai_core.errors import NotFound, WrongState
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import (
    Action,
    Failure,
    Impact,
    Modification,
    ModificationStatus,
    Outcome,
    Project,
    ProjectStatus,
    Task,
    TaskStatus,
)
from agenticai_core.queues import MemoryQueue
from agenticai_core.rows import load, parse
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.memory import MemoryStore
from agenticai_core.workflow import ENDED, MAX_REPAIRS, is_circumstance
from agenticai_worker.lease import Lease, take


class ProjectMachine(RuleBasedStateMachine):
    @initialize(approval=st.sampled_from(["auto", "required"]))
    def create(self, approval: str) -> None:
        self.queue = MemoryQueue()
        self.services = Services(MemoryStore(), MemoryFiles(), self.queue)
        self.settings = Settings()
        new = {"name": "N", "type": "api", "description": "d", "approval": approval}
        made = runs.create_project(self.services, "me", runs.NewProject.model_validate(new))
        self.id = made.id
        self.leases: list[Lease] = []
        self.tested: set[str] = set()  # manifests whose tests passed
        self.trees = 0
        self.said = 0
        self.used: set[str] = set()  # messages that an agent has taken into account

    # ---- what agents do -------------------------------------------------------------------------

    @precondition(lambda self: self.queue.sent)
    @rule(data=st.data())
    def deliver(self, data: Any) -> None:
        """Any message, any number of times, in any order."""
        _, project_id, task_id, _ = data.draw(st.sampled_from(self.queue.sent))
        lease = take(self.services, self.settings, project_id, task_id)
        if lease is not None:
            assert not any(held.task.id == task_id for held in self._live())
            self.leases.append(lease)

    @precondition(lambda self: self.leases)
    @rule(
        data=st.data(),
        passed=st.booleans(),
        fails=st.integers(0, 5),
        code=st.sampled_from(["BROKEN", "WORKER_LOST", "MODEL_REFUSED"]),
    )
    def end(self, data: Any, passed: bool, fails: int, code: str) -> None:
        lease = data.draw(st.sampled_from(self.leases))
        self.leases.remove(lease)
        if lease.task.action is Action.DELETE:
            return  # ends with its rows gone, never by advancing
        outcome = self._outcome(lease.task, passed, code if fails == 0 else None)
        before = self._task(lease.task.id)
        said = self._project().messages
        if lease.task.action in (Action.PLAN, Action.ANALYZE, Action.GENERATE):
            shown = data.draw(st.integers(0, len(said)))
            used = data.draw(st.integers(0, shown))
            heard = {"messages_shown": shown, "messages_used": used}
            outcome = outcome.model_copy(update=heard)
        try:
            runs.advance(self.services, self.id, lease.task.id, lease.task.fence, outcome)
        except FenceLost:
            assert before.fence != lease.task.fence or before.status is not TaskStatus.RUNNING
        else:
            if lease.task.action is Action.TEST and outcome.tests_passed:
                self.tested.add(lease.task.inputs["manifest"])
            self.used |= set(said[: outcome.messages_used])

    def _outcome(self, task: Task, passed: bool, fails: str | None) -> Outcome:
        if fails and task.action not in (Action.MIRROR, Action.DELETE):
            return Outcome(failure=Failure(code=fails, message="it broke"))
        outputs = {}
        if task.action in (Action.PLAN, Action.ANALYZE):
            outputs["plan"] = "plans/p"
        if task.action in (Action.GENERATE, Action.APPLY, Action.REPAIR):
            self.trees += 1
            tree = {"main.py": f"{self.trees}".encode()}
            outputs["manifest"] = content.put_tree(self.services.files, self.id, tree)
        impact = Impact(understood=True) if task.action is Action.ANALYZE else None
        return Outcome(
            outputs=outputs,
            impact=impact,
            tests_passed=passed if task.action is Action.TEST else None,
        )

    # ---- what users do --------------------------------------------------------------------------

    @rule()
    def modify(self) -> None:
        project = self._project()
        try:
            runs.request_modification(self.services, "me", self.id, "change it")
        except WrongState:
            ended = project.revision == 0 and project.status.value in ("failed", "cancelled")
            assert ended or project.status is ProjectStatus.DELETING or len(project.waiting) == 20

    @rule(command=st.sampled_from(["approve", "reject", "feedback", "cancel"]))
    def command(self, command: str) -> None:
        act = {
            "approve": lambda: runs.approve(self.services, "me", self.id),
            "reject": lambda: runs.reject(self.services, "me", self.id),
            "feedback": lambda: runs.reject(self.services, "me", self.id, "smaller"),
            "cancel": lambda: runs.cancel(self.services, "me", self.id),
        }[command]
        try:
            act()
        except WrongState:
            assert self._status() != "awaiting_approval"

    @rule()
    def say(self) -> None:
        """Every message is another, so that each can be followed."""
        project = self._project()
        try:
            steering.send_message(self.services, "me", self.id, f"message {self.said}")
        except WrongState:
            busy = project.active_run is not None and project.status is not ProjectStatus.DELETING
            assert not busy or len(project.messages) == steering.MAX_MESSAGES
        else:
            assert project.active_run is not None
            self.said += 1

    @rule()
    def retry(self) -> None:
        project = self._project()
        try:
            begun = steering.retry_project(self.services, "me", self.id)
        except WrongState:
            assert project.status is not ProjectStatus.FAILED
            return
        assert project.status is ProjectStatus.FAILED
        assert project.failure is not None
        assert project.failed_task is not None
        failed, task = self._task(project.failed_task), self._task(begun.active_task or "")
        resumed = is_circumstance(project.failure.code)
        assert task.action is (failed.action if resumed else Action.PLAN)
        assert task.checkpoint == (failed.checkpoint if resumed else {})
        assert begun.failure is None

    @precondition(lambda self: self._modifications())
    @rule(data=st.data())
    def cancel_modification(self, data: Any) -> None:
        """One that waits goes alone; one under way ends the run; an ended one stays."""
        before = self._project()
        chosen = data.draw(st.sampled_from(self._modifications()))
        try:
            ended = steering.cancel_modification(self.services, "me", self.id, chosen.id)
        except WrongState:
            assert chosen.status in ENDED or before.status is ProjectStatus.DELETING
            return
        assert ended.status is ModificationStatus.CANCELLED
        after = self._project()
        assert chosen.id not in (*after.waiting, after.active_run)
        if chosen.id in before.waiting:
            assert (after.active_run, after.active_task) == (before.active_run, before.active_task)

    @precondition(lambda self: self._project().revision > 0)
    @rule(sure=st.integers(0, 9))
    def delete(self, sure: int) -> None:
        if sure == 0:
            assert runs.delete_project(self.services, "me", self.id).status.value == "deleting"

    # ---- what must hold -------------------------------------------------------------------------

    @invariant()
    def log_has_no_gap(self) -> None:
        log = events.read(self.services.store, self.id, 0, limit=10_000)
        assert [event.seq for event in log] == list(range(1, len(log) + 1))
        assert len({event.id for event in log}) == len(log)

    @invariant()
    def one_task_of_the_run_is_unfinished(self) -> None:
        project = self._project()
        unfinished = [
            task.id
            for task in self._tasks()
            if task.status in (TaskStatus.QUEUED, TaskStatus.RUNNING) and task.action != "mirror"
        ]
        assert unfinished == ([project.active_task] if project.active_task else [])
        assert all(task.round <= MAX_REPAIRS for task in self._tasks())

    @invariant()
    def revisions_were_tested(self) -> None:
        project = self._project()
        for number in range(1, project.revision + 1):
            row = self.services.store.get(keys.revision(self.id, number))
            assert row is not None
            assert row["manifest_key"] in self.tested
        assert (project.status is ProjectStatus.ACTIVE) <= (project.revision > 0)

    @invariant()
    def every_message_is_accounted_for(self) -> None:
        """It is in the run still, was taken into account, or was told as not used, once."""
        project = self._project()
        if project.status is ProjectStatus.DELETING:
            return
        log = events.read(self.services.store, self.id, 0, limit=10_000)
        unused = [event.data["text"] for event in log if event.type == "message_not_used"]
        assert len(unused) == len(set(unused))
        assert len([event for event in log if event.type == "message"]) == self.said
        pending = set(project.messages[project.messages_settled :])
        assert not pending & set(unused)
        everything = pending | set(unused) | self.used
        assert {f"message {n}" for n in range(self.said)} <= everything
        assert not project.messages or project.active_run is not None

    @invariant()
    def no_modification_is_forgotten(self) -> None:
        project = self._project()
        if project.status is ProjectStatus.DELETING:
            return
        for modification in projects.list_modifications(
            self.services, "me", self.id, limit=100
        ).items:
            if modification.status is ModificationStatus.PENDING:
                assert modification.id in project.waiting
            elif modification.status not in ENDED:
                assert modification.id == project.active_run
        assert not (project.waiting and project.active_run is None)

    def teardown(self) -> None:
        """Left to itself, everything comes to an end."""
        for _ in range(500):
            for task in self._tasks():
                lease = take(self.services, self.settings, self.id, task.id)
                if lease is not None:
                    self.leases.append(lease)
            if self._status() == "awaiting_approval":
                runs.approve(self.services, "me", self.id)
            elif not self.leases:
                break
            for lease in self.leases:
                if lease.task.action is Action.DELETE:
                    continue
                try:
                    outcome = self._outcome(lease.task, True, None)
                    if lease.task.action is Action.TEST:
                        self.tested.add(lease.task.inputs["manifest"])
                    runs.advance(self.services, self.id, lease.task.id, lease.task.fence, outcome)
                except FenceLost:
                    pass
            self.leases = []
        else:
            raise AssertionError("it does not end")
        assert self._project().status.value in ("active", "failed", "cancelled", "deleting")

    def _live(self) -> list[Lease]:
        live = []
        for lease in self.leases:
            task = self._task(lease.task.id)
            if task.fence == lease.task.fence and task.status is TaskStatus.RUNNING:
                live.append(lease)
        return live

    def _modifications(self) -> list[Modification]:
        if self._project().status is ProjectStatus.DELETING:
            return []
        return projects.list_modifications(self.services, "me", self.id, limit=100).items

    def _project(self) -> Project:
        return load(self.services.store, self.id).project

    def _status(self) -> str:
        seen = load(self.services.store, self.id)
        waiting = seen.modification and seen.modification.status.value == "awaiting_approval"
        return "awaiting_approval" if waiting else seen.project.status.value

    def _task(self, task_id: str) -> Task:
        row = self.services.store.get(keys.task(self.id, task_id))
        assert row is not None
        return parse(Task, row)

    def _tasks(self) -> list[Task]:
        page = self.services.store.query(keys.project_pk(self.id), prefix="TASK#", limit=1000)
        return [parse(Task, row) for row in page.items]


TestProject = ProjectMachine.TestCase
TestProject.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_absent_projects_are_not_found() -> None:
    services = Services(MemoryStore(), MemoryFiles(), MemoryQueue())
    try:
        runs.cancel(services, "me", "proj_none")
    except NotFound:
        return
    raise AssertionError("found")
