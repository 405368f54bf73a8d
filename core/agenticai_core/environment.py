"""The values of a project's environment variables: one secret, which the table only names.

A use case stores the values first and then, in its transaction, their names and the secret's
version. Whoever reads them reads that version, so that it sees what some transaction committed,
and never half of a change. A version that lost its transaction is never looked at.
"""

import json
from collections.abc import Callable, Mapping
from typing import TypeVar

from pydantic import SecretStr

from agenticai_core.bootstrap import Services
from agenticai_core.configuration import MASK, encode, find_problem
from agenticai_core.errors import ValidationFailed
from agenticai_core.models import Project
from agenticai_core.store.base import StoreUnavailable

T = TypeVar("T")


def secret_name(project_id: str) -> str:
    return f"projects/{project_id}/environment"


def seal(services: Services, project: Project, values: Mapping[str, str]) -> Project:
    """Store the values; the project with their names and their version, yet to be written."""
    version = services.secrets.put(secret_name(project.id), encode(values))
    return project.model_copy(
        update={"environment": tuple(sorted(values)), "environment_version": version}
    )


def change(
    services: Services, project: Project, changes: Mapping[str, SecretStr | None]
) -> Project:
    """Set what is given, remove what is None, keep what is masked; raises `ValidationFailed`."""
    values = unseal(services, project)
    for name, secret in changes.items():
        if secret is None:
            values.pop(name, None)
        elif secret.get_secret_value() != MASK:
            values[name] = secret.get_secret_value()
        elif name not in values:
            raise _refused(name, f"has no value that {MASK} could keep")
    if problem := find_problem(values):
        raise _refused("", problem)
    return seal(services, project, values)


def unseal(services: Services, project: Project) -> dict[str, str]:
    """Name -> value, of the version that the project names."""
    if not project.environment_version:
        return {}
    stored = services.secrets.get(secret_name(project.id), project.environment_version)
    values: dict[str, str] = json.loads(stored or "{}")
    return values


def forget(services: Services, project_id: str) -> None:
    """Remove every version."""
    services.secrets.delete(secret_name(project_id))


def forget_if_lost(services: Services, project_id: str, write: Callable[[], T]) -> T:
    """What ``write`` gives; when it is refused for good, the secret that it stored is removed.

    An outage is no refusal: the transaction may have happened, and its project needs the values.
    """
    try:
        return write()
    except StoreUnavailable:
        raise
    except Exception:
        forget(services, project_id)
        raise


def _refused(name: str, problem: str) -> ValidationFailed:
    field = f"environment_vars.{name}" if name else "environment_vars"
    told = {"field": field, "message": problem}
    return ValidationFailed(f"'{field}' {problem}", details={"field": field, "errors": [told]})
