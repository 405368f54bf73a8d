"""Templates: list, look at, create, replace, delete, and projects made from them."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from agenticai_api.deps import (
    ExpectedVersion,
    Id,
    OnceDep,
    PagingDep,
    Reader,
    ServicesDep,
    Writer,
)
from agenticai_api.errors import documented
from agenticai_api.schemas.projects import ProjectAnswer
from agenticai_api.schemas.templates import (
    CreateFromTemplate,
    TemplateAnswer,
    TemplatesAnswer,
    TemplateView,
    TemplateWithFiles,
    TemplateWithFilesAnswer,
    WriteTemplate,
)
from agenticai_core.configuration import Tag
from agenticai_core.templates import library
from agenticai_core.templates.models import Category, Template
from agenticai_core.templates.starting import create_from_template

router = APIRouter(tags=["templates"])

TemplateId = Annotated[Id, Path(description="A template's id.", examples=["rest-api-fastapi"])]


@router.get("/api/templates", summary="List your templates, newest first, and the built-in ones")
def list_templates(
    *,
    owner_id: Reader,
    services: ServicesDep,
    paging: PagingDep,
    category: Annotated[Category | None, Query(description="Only those.")] = None,
    tag: Annotated[Tag | None, Query(description="Only those that have it.")] = None,
) -> TemplatesAnswer:
    listing = library.list_templates(
        services, owner_id, category=category, tag=tag, limit=paging.limit, cursor=paging.cursor
    )
    found = [TemplateView.model_validate(template) for template in listing.items]
    return TemplatesAnswer(templates=found, next_cursor=listing.next_cursor)


@router.post(
    "/api/templates",
    status_code=201,
    summary="Create a template",
    responses=documented(400, 409, 413, 415),
)
def create_template(
    body: WriteTemplate, owner_id: Writer, services: ServicesDep, once: OnceDep, response: Response
) -> TemplateAnswer:
    """At most 90 files of 300 KB each, within the size of a request."""
    template = library.create_template(services, owner_id, body, once)
    response.headers["Location"] = f"/api/templates/{template.id}"
    return _answer(template, response)


@router.get(
    "/api/templates/{template_id}",
    summary="Show a template with its files",
    responses=documented(404),
)
def get_template(
    template_id: TemplateId, owner_id: Reader, services: ServicesDep, response: Response
) -> TemplateWithFilesAnswer:
    template, files = library.read_template(services, owner_id, template_id)
    told = TemplateView.model_validate(template).model_dump()
    response.headers["ETag"] = f'"{template.version}"'
    return TemplateWithFilesAnswer(template=TemplateWithFiles(files=list(files), **told))


@router.put(
    "/api/templates/{template_id}",
    summary="Replace a template of yours",
    responses=documented(400, 404, 409, 412, 413, 415),
)
def replace_template(
    *,
    template_id: TemplateId,
    owner_id: Writer,  # before the version, so that a stranger learns nothing from it
    if_match: ExpectedVersion,
    body: WriteTemplate,
    services: ServicesDep,
    response: Response,
) -> TemplateAnswer:
    """The body is the whole template. Projects made from it stay as they are."""
    template = library.replace_template(services, owner_id, template_id, body, if_match)
    return _answer(template, response)


@router.delete(
    "/api/templates/{template_id}",
    summary="Delete a template of yours",
    responses=documented(404, 409),
)
def delete_template(
    template_id: TemplateId, owner_id: Writer, services: ServicesDep
) -> TemplateAnswer:
    """Projects made from it stay as they are."""
    return TemplateAnswer.of(library.delete_template(services, owner_id, template_id))


@router.post(
    "/api/projects/from-template",
    status_code=201,
    summary="Create a project from a template",
    responses=documented(400, 404, 409, 413, 415),
)
def create_project_from_template(
    body: CreateFromTemplate,
    owner_id: Writer,
    services: ServicesDep,
    once: OnceDep,
    response: Response,
) -> ProjectAnswer:
    """Answers at once: the template is rendered, tested and packaged in the background.

    Later changes of the template do not change the project.
    """
    project = create_from_template(
        services, owner_id, body.template_id, body.variables, body.describe, once=once
    )
    response.headers["Location"] = f"/api/projects/{project.id}"
    response.headers["ETag"] = f'"{project.config_version}"'
    return ProjectAnswer.of(project)


def _answer(template: Template, response: Response) -> TemplateAnswer:
    response.headers["ETag"] = f'"{template.version}"'
    return TemplateAnswer.of(template)
