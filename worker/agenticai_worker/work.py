"""What an agent gets to work with. `runner` makes it; tests make their own."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from agenticai_core.files.base import Files
from agenticai_core.models import EventDraft, Failure, Modification, Project, Task
from agenticai_worker.llm.base import Generation, Prompt

T = TypeVar("T", bound=BaseModel)


class PermanentFailure(Exception):
    """The task cannot succeed, whatever is tried; the user sees the failure."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(code=code, message=message, hint=hint)


class TransientFailure(Exception):
    """Worth another try later (throttling, time-outs, 5xx); the runner puts the task back."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Work(Protocol):
    """One leased run of one task."""

    @property
    def project(self) -> Project: ...
    @property
    def task(self) -> Task: ...
    @property
    def modification(self) -> Modification | None: ...
    @property
    def files(self) -> Files: ...
    @property
    def llm(self) -> bool:
        """Whether a language model answers `ask`; for showing, never for deciding."""

    def document(self, name: str, model: type[T]) -> T:
        """The JSON document that ``task.inputs[name]`` points to."""

    def unit(
        self,
        name: str,
        produce: Callable[[], bytes],
        events: Callable[[bytes], Sequence[EventDraft]] | None = None,
    ) -> bytes:
        """Do one unit of work once: a rerun of the task gets the stored bytes back.

        Checks first that there is time and that the lease still holds; stores the result, then
        records its pointer and ``events`` in one transaction.
        """

    def ask(self, prompt: Prompt, schema: type[T] | None = None) -> Generation[T]:
        """One model call within the budget and the time left; streams to `agent_output` events.

        Raises `MalformedReply` (the caller asks again), `TransientFailure`, `PermanentFailure`.
        """

    def event(self, step: str, type_: str, **data: Any) -> EventDraft:
        """A draft with a deterministic id: task/step."""

    def remaining(self) -> float:
        """Seconds until the task must have stored its work."""

    def check(self) -> None:
        """Leave now (by an exception that only the runner catches) if drained, late or fenced."""
