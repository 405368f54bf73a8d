"""Changes that take steps of the workflow: a run's next task, its promotion, its end."""

from typing import Any

from agenticai_core import workflow
from agenticai_core.change import Change
from agenticai_core.clock import now, stamp
from agenticai_core.models import (
    Action,
    Failure,
    Modification,
    ModificationStatus,
    Outcome,
    ProjectStatus,
    Scores,
    Task,
)
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import Put
from agenticai_core.workflow import Step

_NOT_HEEDED = (
    "The built-in engine heeds messages while it plans; ask for a modification when this is done"
)
_TOO_LATE = "The run ended before a step could heed it; ask for a modification"


class RunChange(Change):
    """A `Change` of a project's run."""

    def take_step(
        self,
        step: Step,
        modification: Modification | None,
        *,
        task: Task | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        """Apply what the workflow decided: statuses, events, the next task, promotion, the end."""
        outcome = outcome or Outcome()
        self.set(run_inputs=self.project.run_inputs | _outputs(outcome))
        if modification is not None:
            modification = self._changed(modification, step, outcome)
        elif step.failure is not None:
            self.set(failure=step.failure, failed_task=task.id if task else None)
        if step.project_status is not None:
            self.set(status=step.project_status)
        self._settle_messages(outcome, step)
        number = self._promote(modification, task) if step.promote and task else None
        for type_, data in step.events:
            self.tell(type_, data | ({"revision": number} if number else {}))
        if modification is not None:
            self.put_modification(modification.model_copy(update=_applied(step, number)))
        if step.next is not None:
            self._next(step)
        elif step.ends:
            self._end_run()
        elif step.project_status or step.modification_status:
            self.set(active_task=None)

    def start_modification(self, modification: Modification) -> Modification:
        """Make a pending modification the run under way, on top of the current revision."""
        step = workflow.begin_modification(modification)
        started = modification.model_copy(update={"status": step.modification_status})
        inputs = {
            "plan": self.project.plan_key or "",
            "manifest": self._manifest_key(),
            "last_step": "1",
        }
        self.set(active_run=modification.id, run_inputs=inputs)
        for type_, data in step.events:
            self.tell(type_, data)
        self.put_modification(started)
        task = self.add_task(modification.id, 1, step.next or Action.ANALYZE, inputs)
        self.set(active_task=task.id)
        return started

    def _changed(self, modification: Modification, step: Step, outcome: Outcome) -> Modification:
        changes: dict[str, Any] = {}
        if step.modification_status is not None:
            changes["status"] = step.modification_status
        if step.failure is not None:
            changes["failure"] = step.failure
        if outcome.impact is not None:
            changes["impact_analysis"] = outcome.impact
        if outcome.test_results:
            changes["test_results"] = outcome.test_results
        if outcome.modified_files:
            files = {*modification.modified_files, *outcome.modified_files}
            changes["modified_files"] = tuple(sorted(files))
        return modification.model_copy(update=changes)

    def _promote(self, modification: Modification | None, task: Task) -> int:
        """The candidate that the run has tested becomes the next revision."""
        inputs = self.project.run_inputs
        revision = self.next_revision(
            kind="modified" if modification else "created",
            manifest_key=inputs["manifest"],
            plan_key=inputs.get("plan"),
            author_task=task.id,
            summary=modification.request if modification else "Created",
            report_key=inputs.get("report"),
            scores=Scores.model_validate_json(inputs.get("scores", "{}")),
        )
        self.promote(revision)
        return revision.number

    def _settle_messages(self, outcome: Outcome, step: Step) -> None:
        """Tell of every message that plays no part in the run, once, before the run ends."""
        told, said = self.project.messages_settled, self.project.messages
        shown = max(told, outcome.messages_shown)
        for text in said[max(told, outcome.messages_used) : shown]:
            self.tell("message_not_used", {"text": text, "reason": _NOT_HEEDED})
        if step.ends and step.next is None:
            for text in said[shown:]:
                self.tell("message_not_used", {"text": text, "reason": _TOO_LATE})
        self.set(messages_settled=shown)

    def _next(self, step: Step) -> None:
        run = self.project.active_run
        if run is None or step.next is None:
            raise ValueError("a next task needs a run")
        last = int(self.project.run_inputs.get("last_step", "0"))
        inputs = self.project.run_inputs | {"last_step": str(last + 1)}
        self.set(run_inputs=inputs)
        done = step.resumes.checkpoint if step.resumes else None
        following = self.add_task(
            run, last + 1, step.next, inputs, round=step.round, checkpoint=done
        )
        self.set(active_task=following.id)

    def _end_run(self) -> None:
        """No run is under way; the oldest waiting modification begins, if the project lives."""
        self.set(active_run=None, active_task=None, run_inputs={}, messages=(), messages_settled=0)
        waiting = self.project.waiting
        if not waiting:
            return
        if self.project.status in (ProjectStatus.FAILED, ProjectStatus.CANCELLED):
            self._drop_waiting()
            return
        self.set(waiting=waiting[1:])
        self.start_modification(self._read_modification(waiting[0]))

    def _drop_waiting(self) -> None:
        """There is nothing left to modify: the waiting ones end with the reason."""
        why = Failure(
            code="PROJECT_ENDED", message=f"The project ended as {self.project.status.value}"
        )
        for modification_id in self.project.waiting:
            ended = self._read_modification(modification_id).model_copy(
                update={"status": ModificationStatus.CANCELLED, "failure": why}
            )
            self.put_modification(ended)
            data = {"modification_id": modification_id} | why.model_dump(exclude_none=True)
            self.tell("modification_cancelled", data)
        self.set(waiting=())

    def _read_modification(self, modification_id: str) -> Modification:
        item = self.services.store.get(keys.modification(self.project.id, modification_id))
        if item is None:
            raise LookupError(f"modification {modification_id} is waiting but not stored")
        return parse(Modification, item)

    def _manifest_key(self) -> str:
        row = self._rows.get(f"rev {self.project.revision}")
        if isinstance(row, Put):
            return str(row.item["manifest_key"])
        item = self.services.store.get(keys.revision(self.project.id, self.project.revision))
        if item is None:
            raise LookupError(f"revision {self.project.revision} is not stored")
        return str(item["manifest_key"])


def _outputs(outcome: Outcome) -> dict[str, str]:
    if outcome.scores is None:
        return outcome.outputs
    return outcome.outputs | {"scores": outcome.scores.model_dump_json()}


def _applied(step: Step, number: int | None) -> dict[str, Any]:
    if step.modification_status is not ModificationStatus.APPLIED:
        return {}
    return {"applied_at": stamp(now()), "revision": number}
