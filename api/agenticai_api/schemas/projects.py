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
from agenticai_core.configuration import (
    MASK,
    CostBudget,
    Dependencies,
    EnvironmentChanges,
    EnvironmentVars,
    Tags,
    TokenBudget,
    to_dollars,
)
from agenticai_core.models import (
    DeploymentConfig,
    Failure,
    Project,
    ProjectStatus,
    ProjectType,
    Scores,
)
from agenticai_core.runs import MAX_FEEDBACK
from agenticai_core.steering import MAX_MESSAGE

_TAGS = "Slugs to find it by."
_DEPENDENCIES = "Packages that the code is to use, as pip or npm names them; read by the planner."
_DEPLOYMENT = "What the project is packaged for."
_COST = "The most US dollars that a language model may cost; null: no limit."


class CreateProject(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Bike workshop",
                    "type": "api",
                    "description": "Customers bring bikes for repair. Each repair has a price, "
                    "a due date and a status: waiting, in progress or done.",
                    "tags": ["workshop", "internal"],
                    "dependencies": ["httpx>=0.27"],
                    "environment_vars": {"SMTP_PASSWORD": "correct horse"},
                    "deployment_config": {"platform": "aws", "region": "eu-west-1"},
                    "cost_budget_usd": 2.5,
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
    tags: Tags = Field((), description=_TAGS)
    dependencies: Dependencies = Field((), description=_DEPENDENCIES)
    environment_vars: EnvironmentVars = Field(default_factory=dict)
    deployment_config: DeploymentConfig = Field(DeploymentConfig(), description=_DEPLOYMENT)
    token_budget: TokenBudget | None = Field(
        None, description="The most tokens that a language model may use; null: no limit."
    )
    cost_budget_usd: CostBudget | None = Field(None, description=_COST)


class UpdateProject(RequestBody):
    """Only the fields given are changed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Bike workshop, south"}]})

    name: Name | SkipJsonSchema[None] = None
    description: Text | SkipJsonSchema[None] = None
    approval: Literal["auto", "required"] | SkipJsonSchema[None] = None
    # Defaults that are made are not in the schema: what is left out is not set at all.
    tags: Tags = Field(default_factory=tuple, description=_TAGS)
    dependencies: Dependencies = Field(default_factory=tuple, description=_DEPENDENCIES)
    environment_vars: EnvironmentChanges = Field(default_factory=dict)
    deployment_config: DeploymentConfig = Field(
        default_factory=DeploymentConfig, description=_DEPLOYMENT
    )
    token_budget: TokenBudget | None = Field(None, description="null lifts the limit.")
    cost_budget_usd: CostBudget | None = Field(None, description="null lifts the limit.")

    @field_validator("name", "description", "approval", mode="before")
    @classmethod
    def _refuse_null(cls, value: Any) -> Any:
        # Defaults do not come through here, so this null was sent, and would change nothing.
        if value is None:
            raise ValueError("cannot be null; leave it out to keep it as it is")
        return value


class UsageView(BaseModel):
    """Of language models; the built-in engine uses none."""

    input_tokens: int
    output_tokens: int
    cost_usd: float = Field(description="0 where the price of the model is not known.")


class ProjectView(BaseModel):
    """A project without the bookkeeping of its runs."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    owner_id: str
    name: str
    type: ProjectType
    description: str
    tags: list[str]
    dependencies: list[str]
    environment_vars: dict[str, str] = Field(
        description=f'Name -> "{MASK}": values are write-only.',
        examples=[{"SMTP_PASSWORD": MASK}],
    )
    deployment_config: DeploymentConfig
    template_id: str | None = Field(description="Of the template it was made from, if any.")
    approval: Literal["auto", "required"]
    status: ProjectStatus
    failure: Failure | None = Field(description="Why it failed, if it did.")
    revision: int = Field(description="Of the code; 0: none has been finished yet.")
    active_run: str | None = Field(description="What is being worked on; null: nothing.")
    waiting: list[str] = Field(description="Modifications that come next, in their order.")
    config_version: int = Field(description="Of what you edit: the `ETag`.")
    token_budget: int | None
    cost_budget_usd: float | None
    usage: UsageView
    scores: Scores
    model: str = Field(description='What planned it; "template" is no language model.')
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, project: Project) -> "ProjectView":
        shown = {
            name: getattr(project, name) for name in cls.model_fields if hasattr(project, name)
        }
        usage, budget = project.usage, project.cost_budget_microusd
        return cls(
            **shown
            | {
                "environment_vars": dict.fromkeys(project.environment, MASK),
                "cost_budget_usd": None if budget is None else to_dollars(budget),
                "usage": UsageView(
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                    cost_usd=to_dollars(usage.cost_microusd),
                ),
            }
        )


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


class SendMessage(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "Prices are in euros, with two decimals."}]}
    )

    text: Annotated[Text, Field(max_length=MAX_MESSAGE)] = Field(
        description="What the agents should heed."
    )
