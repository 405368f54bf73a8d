"""A `Work` in memory: units are kept, events are listed, and the model is called directly."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import (
    Action,
    Agent,
    EventDraft,
    Modification,
    Project,
    ProjectType,
    Task,
    Usage,
)
from agenticai_worker.llm.base import (
    Generation,
    LanguageModel,
    MalformedReply,
    PermanentModelError,
    Prompt,
    TransientModelError,
)
from agenticai_worker.work import PermanentFailure, TransientFailure

T = TypeVar("T", bound=BaseModel)

_NOW = "2026-01-01T00:00:00.000000Z"


def make_project(**changes: Any) -> Project:
    values: dict[str, Any] = {
        "id": "proj_1",
        "owner_id": "owner_1",
        "name": "Notes",
        "type": ProjectType.API,
        "description": "Keeps notes with a title and a text.",
        "created_at": _NOW,
        "updated_at": _NOW,
    }
    return Project(**values | changes)


def make_modification(request: str) -> Modification:
    return Modification(
        id="mod_1",
        project_id="proj_1",
        request=request,
        requested_by="owner_1",
        requested_at=_NOW,
    )


class FakeWork:
    """Implements `agenticai_worker.work.Work`. ``stored`` survives what a crash would not."""

    llm = True

    def __init__(
        self,
        model: LanguageModel,
        action: Action = Action.PLAN,
        inputs: dict[str, str] | None = None,
        *,
        files: MemoryFiles | None = None,
        project: Project | None = None,
        modification: Modification | None = None,
        task_id: str = "task_1",
    ) -> None:
        self.model = model
        self.files = files or MemoryFiles()
        self.project = project or make_project()
        self.modification = modification
        self.task = Task(
            id=task_id,
            project_id=self.project.id,
            run="create",
            agent=Agent.DEV,
            action=action,
            inputs=inputs or {},
            created_at=_NOW,
            updated_at=_NOW,
        )
        self.stored: dict[str, bytes] = {}
        self.events: list[EventDraft] = []
        self.prompts: list[Prompt] = []
        self.usage = Usage()

    def document(self, name: str, model: type[T]) -> T:
        return model.model_validate_json(self.files.get(self.task.inputs[name]))

    def unit(
        self,
        name: str,
        produce: Callable[[], bytes],
        events: Callable[[bytes], Sequence[EventDraft]] | None = None,
    ) -> bytes:
        if name not in self.stored:
            result = produce()
            self.stored[name] = result
            self.events += events(result) if events else []
        return self.stored[name]

    def ask(self, prompt: Prompt, schema: type[T] | None = None) -> Generation[T]:
        self.prompts.append(prompt)
        try:
            generation = self.model.generate(prompt, schema)
        except MalformedReply as error:
            self.usage += error.usage
            raise
        except TransientModelError as error:
            raise TransientFailure(str(error), error.retry_after) from error
        except PermanentModelError as error:
            raise PermanentFailure(error.code, str(error), error.hint) from error
        self.usage += generation.usage
        return generation

    def event(self, step: str, type_: str, **data: Any) -> EventDraft:
        return EventDraft(id=f"{self.task.id}/{step}", type=type_, data=data)

    def remaining(self) -> float:
        return 300.0

    def check(self) -> None:
        return None

    def told(self, type_: str) -> list[dict[str, Any]]:
        """The data of every event of one type."""
        return [event.data for event in self.events if event.type == type_]
