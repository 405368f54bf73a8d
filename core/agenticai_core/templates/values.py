"""The values that a project gives to a template's variables."""

from collections.abc import Iterator, Mapping, Sequence

from agenticai_core.errors import ValidationFailed
from agenticai_core.templates.models import PROJECT_NAME, Variable

Problem = dict[str, object]


def fill_in(
    variables: Sequence[Variable], project_name: str, given: Mapping[str, str]
) -> dict[str, str]:
    """A value for every variable; the project's name is that of ``project_name``.

    Raises `ValidationFailed` that names each missing, unknown and ill-formed one.
    """
    declared = {variable.name: variable for variable in variables}
    values = dict(given)
    if PROJECT_NAME in declared:
        values.setdefault(PROJECT_NAME, project_name)
    problems = list(_find_problems(declared, values, project_name))
    if problems:
        first = problems[0]
        more = f" ({len(problems) - 1} more in details.errors)" if len(problems) > 1 else ""
        raise ValidationFailed(
            f"'{first['field']}' {first['message']}{more}",
            hint="GET /api/templates/{id} shows the template's variables",
            details={"field": first["field"], "errors": problems},
        )
    return {name: values.get(name, variable.default or "") for name, variable in declared.items()}


def _find_problems(
    declared: Mapping[str, Variable], values: Mapping[str, str], project_name: str
) -> Iterator[Problem]:
    for name, variable in declared.items():
        if name not in values:
            if variable.required:
                yield {"field": f"variables.{name}", "message": "is required"}
            continue
        if name == PROJECT_NAME and values[name] != project_name:
            message = "differs from project_name; leave it out"
            yield {"field": f"variables.{name}", "message": message}
            continue
        if problem := variable.find_problem(values[name]):
            field = PROJECT_NAME if name == PROJECT_NAME else f"variables.{name}"
            told: Problem = {"field": field, "message": problem}
            yield told | ({"allowed_values": list(variable.choices)} if variable.choices else {})
    for name in values:
        if name not in declared:
            known = ", ".join(declared) or "it has none"
            message = f"is not a variable of this template ({known})"
            yield {"field": f"variables.{name[:100]}", "message": message}
