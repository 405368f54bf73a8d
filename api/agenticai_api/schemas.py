"""The bodies that the API takes and gives; what is stored has its model in core."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from agenticai_core.models import (
    ApiKey,
    Event,
    Failure,
    Modification,
    Project,
    ProjectStatus,
    ProjectType,
    Scores,
    Usage,
)
from agenticai_core.runs import MAX_FEEDBACK

MAX_NAME = 100
MAX_TEXT = 20_000
MAX_TOKENS = 10**12

Scope = Literal["read", "write", "admin"]


def _check_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control characters and line breaks are not allowed")
    return text


def _check_text(text: str) -> str:
    if not text.strip():
        raise ValueError("say something: it holds nothing but spaces")
    if any(ord(char) < 32 and char not in "\t\r\n" for char in text):
        raise ValueError("control characters other than tabs and line breaks are not allowed")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_check_line),
]
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(_check_text)
]
Budget = Annotated[int, Field(ge=1, le=MAX_TOKENS, strict=True)]


class RequestBody(BaseModel):
    """Unknown fields are refused, so that a typing error never passes for a default."""

    model_config = ConfigDict(extra="forbid")


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


class RequestModification(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"request": "Add user authentication"}]}
    )

    request: Text = Field(description="What to change, in your own words.")


class Approve(RequestBody):
    run: str | None = Field(
        None,
        max_length=MAX_NAME,
        description="The `active_run` that you mean; null: whatever waits.",
    )


class Reject(RequestBody):
    feedback: Text | None = Field(
        None, max_length=MAX_FEEDBACK, description="What should be different."
    )


class CreateKey(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "build server", "scopes": ["read"]}]}
    )

    name: Name
    scopes: list[Scope] = Field(default=["read", "write"], min_length=1, max_length=3)


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


class ModificationAnswer(BaseModel):
    modification: Modification


class ModificationsAnswer(BaseModel):
    modifications: list[Modification]
    next_cursor: str | None = Field(description="Give it back as `cursor`; null at the end.")


class FileView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    size: int = Field(description="Bytes.")
    sha256: str
    last_modified: str


class FilesAnswer(BaseModel):
    files: dict[str, FileView] = Field(description="By path, of the current revision.")


class EventsAnswer(BaseModel):
    events: list[Event]
    next_after: int = Field(description="Give it back as `after` to read on.")
    head: int = Field(description="The last event there is: `next_after` has caught up with it.")


class KeyView(BaseModel):
    """A key without its hash."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    owner_id: str
    scopes: list[Scope]
    created_at: str
    revoked_at: str | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        return cls.model_validate(key)


class KeyAnswer(BaseModel):
    key: KeyView


class CreatedKeyAnswer(BaseModel):
    key: KeyView
    secret: str = Field(description="Shown this once and stored nowhere: keep it.")


class KeysAnswer(BaseModel):
    keys: list[KeyView]


class HealthAnswer(BaseModel):
    status: Literal["ok"]
    version: str


class ReadyAnswer(BaseModel):
    status: Literal["ready"]
    checks: dict[str, str]


class ErrorView(BaseModel):
    code: str = Field(description="Stable, fit for programs.")
    message: str = Field(description="For people.")
    details: dict[str, Any]
    hint: str | None = Field(default=None, description="What to do next; may be absent.")


class ErrorAnswer(BaseModel):
    """Every error has this form."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": False,
                    "error": {
                        "code": "VALIDATION_ERROR",
                        "message": "'type' must be one of api, web, mobile, data, microservice",
                        "details": {
                            "field": "type",
                            "allowed_values": ["api", "web", "mobile", "data", "microservice"],
                            "errors": [
                                {
                                    "field": "type",
                                    "message": "must be one of api, web, mobile, data, "
                                    "microservice",
                                    "allowed_values": [
                                        "api",
                                        "web",
                                        "mobile",
                                        "data",
                                        "microservice",
                                    ],
                                }
                            ],
                        },
                    },
                    "request_id": "req_01jd3v9k2m7q8r5s6t7u8v9w0x",
                    "timestamp": "2025-11-24T12:00:00.000000Z",
                }
            ]
        }
    )

    success: Literal[False]
    error: ErrorView
    request_id: str = Field(description="Also the header `X-Request-Id`.")
    timestamp: str
