"""What the files of the built-in template `rest-api-fastapi` have to be: what the engine writes for
the template's plan, with variables in place of what they stand for.

``python -m tests.fakes.service_template`` writes them anew after the engine has changed.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from agenticai_core.plans import Plan
from agenticai_core.templates import builtin, rendering
from agenticai_worker.llm.template.write.project import render, render_deployment

ID = "rest-api-fastapi"
FOLDER = Path(builtin.__file__).parent / ID
# No name, database or description like these: where they come out is where a variable belongs.
MARKS = {
    "project_name": "Xqname",
    "db_name": "xqdatabase",
    "project_description": "Xqdescription.",
}
_PLACES = {
    '"Xqname"': "{{ project_name | quoted }}",
    "Xqname": "{{ project_name }}",
    "xqdatabase": "{{ db_name }}",
}
_SUMMARY = (
    "{% set summary = project_description or"
    ' project_name ~ ": an HTTP API for items. One can publish items and archive items.'
    ' With request logging." %}\n'
)
_SUMMARY_PLACES = {'"Xqdescription."': "{{ summary | quoted }}", "Xqdescription.": "{{ summary }}"}


def planned(values: Mapping[str, str]) -> Plan:
    """The template's plan with these values."""
    text = (FOLDER / "plan.json.j2").read_text(encoding="utf-8")
    return Plan.model_validate_json(rendering.make_environment().from_string(text).render(values))


def written(plan: Plan) -> dict[str, str]:
    """Every file that the engine writes for a plan, packaging included."""
    return {**render(plan), **render_deployment(plan)}


def template_files() -> dict[str, str]:
    """Name below `files/` -> content."""
    return dict(_as_template(path, text) for path, text in written(planned(MARKS)).items())


def _as_template(path: str, text: str) -> tuple[str, str]:
    if not any(mark in text for mark in MARKS.values()):
        return path, text
    for literal, place in (_SUMMARY_PLACES | _PLACES).items():
        text = text.replace(literal, place)
    return f"{path}.j2", (_SUMMARY if "summary" in text else "") + text


def main() -> None:
    shutil.rmtree(FOLDER / "files", ignore_errors=True)
    for name, text in template_files().items():
        path = FOLDER / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
