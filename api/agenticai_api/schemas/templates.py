"""Bodies about templates."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from agenticai_api.deps import Id
from agenticai_api.schemas.base import Name, RequestBody, Text
from agenticai_core.configuration import (
    CostBudget,
    Dependencies,
    EnvironmentVars,
    Tags,
    TokenBudget,
    at_most,
)
from agenticai_core.models import DeploymentConfig, ProjectType
from agenticai_core.runs import NewProject
from agenticai_core.templates.models import (
    MAX_VALUE,
    MAX_VARIABLES,
    Category,
    NewTemplate,
    Template,
    TemplateFile,
    Variable,
)

_FILES: list[JsonValue] = [
    {
        "path": "{{ project_name | slug }}.py",
        "content": "print({{ greeting | quoted }})\n",
        "is_template": True,
    },
    {"path": "README.md", "content": "# {{ project_name }}\n", "is_template": True},
]
_VARIABLES: list[JsonValue] = [
    {"name": "project_name", "description": "What the project is called."},
    {
        "name": "greeting",
        "description": "What it says.",
        "required": False,
        "default": "Hello",
        "pattern": "[A-Z][a-z]+",
    },
]
_EXAMPLE: dict[str, JsonValue] = {
    "name": "Greeter",
    "description": "A program that greets.",
    "category": "cli",
    "type": "api",
    "variables": _VARIABLES,
    "tech_stack": ["Python"],
    "complexity": "low",
    "estimated_setup_time": 1,
    "tags": ["python"],
    "files": _FILES,
}


class WriteTemplate(NewTemplate):
    """A whole template; files are Jinja2, with the filters `slug`, `snake`, `pascal`, `quoted`."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class TemplateView(BaseModel):
    """A template without its files."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["rest-api-fastapi"])
    builtin: bool = Field(description="Everybody's, and nobody's to change.")
    name: str = Field(examples=["REST API with FastAPI"])
    description: str = Field(examples=["A service with a database, tests and a container"])
    category: Category
    type: ProjectType = Field(description="Of the projects made from it.")
    variables: list[Variable]
    required_vars: list[str] = Field(examples=[["project_name"]])
    optional_vars: list[str] = Field(examples=[["greeting"]])
    tech_stack: list[str] = Field(examples=[["FastAPI", "SQLAlchemy"]])
    complexity: Literal["low", "medium", "high"]
    estimated_setup_time: int = Field(description="Minutes.", examples=[15])
    tags: list[str] = Field(examples=[["api", "rest"]])
    version: int = Field(description="Of what it says and holds: the `ETag`.", examples=[1])
    created_at: str
    updated_at: str


class TemplateAnswer(BaseModel):
    template: TemplateView

    @classmethod
    def of(cls, template: Template) -> "TemplateAnswer":
        return cls(template=TemplateView.model_validate(template))


class TemplateWithFiles(TemplateView):
    files: list[TemplateFile] = Field(description="By path.", examples=[_FILES])


class TemplateWithFilesAnswer(BaseModel):
    template: TemplateWithFiles


class TemplatesAnswer(BaseModel):
    templates: list[TemplateView]
    next_cursor: str | None = Field(description="Give it back as `cursor`; null at the end.")


class CreateFromTemplate(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "template_id": "rest-api-fastapi",
                    "project_name": "My API",
                    "variables": {"db_name": "mydb"},
                }
            ]
        }
    )

    template_id: Id
    project_name: Name = Field(description="Also the value of the variable `project_name`.")
    variables: Annotated[
        dict[
            Annotated[str, StringConstraints(max_length=100)],
            Annotated[str, StringConstraints(max_length=MAX_VALUE)],
        ],
        at_most(2 * MAX_VARIABLES),
    ] = Field(
        default_factory=dict,
        max_length=2 * MAX_VARIABLES,
        description="Name -> value, of those that the template declares.",
    )
    description: Text | None = Field(
        None, description="What the project is; left out: what the template says of itself."
    )
    approval: Literal["auto", "required"] = Field(
        "auto",
        description='Of later modifications; with "required" each waits for `approve`. The '
        "template itself holds nothing that needs it.",
    )
    tags: Tags = ()
    dependencies: Dependencies = ()
    environment_vars: EnvironmentVars = Field(default_factory=dict)
    deployment_config: DeploymentConfig = DeploymentConfig()
    token_budget: TokenBudget | None = None
    cost_budget_usd: CostBudget | None = None

    def describe(self, template: Template) -> NewProject:
        """The project to be made from ``template``."""
        told = self.model_dump(exclude={"template_id", "project_name", "variables", "description"})
        return NewProject(
            name=self.project_name,
            type=template.type,
            description=self.description or template.description,
            **told,
        )
