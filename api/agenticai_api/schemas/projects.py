"""Bodies about projects, and the decisions on their runs."""

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from agenticai_api.schemas.base import MAX_NAME, Name, RequestBody, Text
from agenticai_core.models import (
    Failure,
    Project,
    ProjectStatus,
    ProjectType,
    Scores,
    Usage,
)
from agenticai_core.runs import MAX_FEEDBACK

MAX_TOKENS = 10**12

Budget = Annotated[int, Field(ge=1, le=MAX_TOKENS, strict=True)]


class CreateProject(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Bike workshop",
                    "type": "api",
                    "description": "Customers bring bikes for repair. Each repair has a price, "
                    "a due date and a status: waiting, in progress or done.",
                }
            ]
        }
    )

    name: Name
    type: ProjectType
    description: Text | None = Field(
        None, description="What to build, in your own words. Left out: the name says it all."
    )
    approval: Literal["auto", "required"] = Field(
        "auto", description='With "required" the plan waits for `approve` before code is written.'
    )
    token_budget: Budget | None = Field(
        None, description="The most tokens that a language model may use; null: no limit."
    )


class UpdateProject(RequestBody):
    """Only the fields given are changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Bike workshop, south"}]})

    name: Name | SkipJsonSchema[None] = None
    description: Text | SkipJsonSchema[None] = None
    approval: Literal["auto", "required"] | SkipJsonSchema[None] = None
    token_budget: Budget | None = Field(None, description="null lifts the limit.")

    @field_validator("name", "description", "approval", mode="before")
    @classmethod
    def _refuse_null(cls, value: Any) -> Any:
        # Defaults do not come through here, so this null was sent, and would change nothing.
        if value is None:
            raise ValueError("cannot be null; leave it out to keep it as it is")
        return value


class ProjectView(BaseModel):
    """A project without the bookkeeping of its runs."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    owner_id: str
    name: str
    type: ProjectType
    description: str
    approval: Literal["auto", "required"]
    status: ProjectStatus
    failure: Failure | None = Field(description="Why it failed, if it did.")
    revision: int = Field(description="Of the code; 0: none has been finished yet.")
    active_run: str | None = Field(description="What is being worked on; null: nothing.")
    waiting: list[str] = Field(description="Modifications that come next, in their order.")
    config_version: int = Field(description="Of what you edit: the `ETag`.")
    token_budget: int | None
    usage: Usage
    scores: Scores
    model: str = Field(description='What planned it; "template" is no language model.')
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, project: Project) -> "ProjectView":
        return cls.model_validate(project)


class ProjectAnswer(BaseModel):
    project: ProjectView

    @classmethod
    def of(cls, project: Project) -> "ProjectAnswer":
        return cls(project=ProjectView.of(project))


class ProjectsAnswer(BaseModel):
    projects: list[ProjectView]
    next_cursor: str | None = Field(description="Give it back as `cursor`; null at the end.")


class Approve(RequestBody):
    model_config = ConfigDict(json_schema_extra={"examples": [{"run": "create"}]})

    run: str | None = Field(
        None,
        max_length=MAX_NAME,
        description="The `active_run` that you mean; null: whatever waits.",
    )


class Reject(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"feedback": "Customers need no account of their own."}]}
    )

    feedback: Text | None = Field(
        None, max_length=MAX_FEEDBACK, description="What should be different."
    )
