"""A project from a template."""

from collections.abc import Callable, Mapping

from agenticai_core import runs
from agenticai_core.bootstrap import Services
from agenticai_core.idempotency import Once
from agenticai_core.models import Project
from agenticai_core.runs import NewProject
from agenticai_core.templates import library
from agenticai_core.templates.models import Template, TemplateSnapshot
from agenticai_core.templates.values import fill_in


def create_from_template(
    services: Services,
    owner_id: str,
    template_id: str,
    variables: Mapping[str, str],
    describe: Callable[[Template], NewProject],
    *,
    once: Once | None = None,
) -> Project:
    """Create a project, as ``describe`` has it, whose first task renders the template.

    What is rendered is the template as it is now: a snapshot of it lies with the project, so
    later changes of the template do not matter. Raises `NotFound`, `ValidationFailed`.
    """
    # The template may be gone by the time that a request is sent again.
    done = once.replay(services.store, Project) if once else None
    if done is not None:
        return done
    template, files = library.read_template(services, owner_id, template_id)
    new = describe(template)
    values = fill_in(template.variables, new.name, variables)
    snapshot = TemplateSnapshot(template=template, files=files, variables=values)
    return runs.create_project(services, owner_id, new, once, snapshot)
