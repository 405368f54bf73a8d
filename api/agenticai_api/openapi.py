"""The OpenAPI document: what the framework derives, and what it cannot know.

``python -m agenticai_api.openapi`` prints it; nothing is connected to for that.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, get_args

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from agenticai_api import deps
from agenticai_api.errors import DESCRIPTIONS, documented
from agenticai_api.examples import Examples, error_example
from agenticai_core.errors import AgenticError

Json = dict[str, Any]

_FORM = {"$ref": "#/components/schemas/ErrorAnswer"}
_OURS = ("agenticai_core.", "agenticai_api.")
# What stands around every route adds to what the route itself can answer.
_OF_EVERY_BODY = (400, 408, 413)
_HEADERS: dict[int, Json] = {
    401: {"WWW-Authenticate": {"description": "How to send a key.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}
_SCOPES = {
    get_args(dependency)[1].dependency: scope
    for dependency, scope in ((deps.Reader, "read"), (deps.Writer, "write"), (deps.Admin, "admin"))
}
# Which operation makes what another one's path names, and where its answer tells the id.
_MADE_BY = {
    "project_id": ("create_project", "201", "$response.body#/project/id"),
    "modification_id": ("request_modification", "202", "$response.body#/modification/id"),
    "template_id": ("create_template", "201", "$response.body#/template/id"),
    "key_id": ("create_key", "201", "$response.body#/key/id"),
}


def error_classes() -> list[type[AgenticError]]:
    """Every error of ours that has a code of its own, by code."""
    found: dict[str, type[AgenticError]] = {}
    pending = AgenticError.__subclasses__()
    while pending:
        error = pending.pop()
        if error.__module__.startswith(_OURS) and "code" in vars(error):
            found[error.code] = error
        pending += error.__subclasses__()
    return [found[code] for code in sorted(found)]


def meaning_of(error: type[AgenticError]) -> str:
    """The first line of what its class says of itself, else what its status says."""
    told = vars(error).get("__doc__") or DESCRIPTIONS[error.status]
    first: str = told.strip().splitlines()[0]
    return first.replace("``", "`")


def complete(document: Json, app: FastAPI) -> Json:
    """The framework's ``document`` with errors, scopes, examples and links, in place."""
    scopes = _scopes(app)
    for operation in _operations(document):
        operation.setdefault("security", [])
        _tell_scope(operation, scopes.get(operation["operationId"]))
        _add_errors(operation)
        for parameter in operation.get("parameters", []):
            parameter["schema"] = _without_null(parameter["schema"])
    components = document["components"]
    components["responses"] = dict(_error_answers(_statuses(document)))
    _tell_codes(components["schemas"]["ErrorView"]["properties"]["code"])
    _add_examples(document)
    _add_links(document)
    return document


def _operations(document: Json) -> Iterator[Json]:
    for methods in document["paths"].values():
        yield from methods.values()


def _scopes(app: FastAPI) -> dict[str, str]:
    """The scope that each operation asks for, by operation id."""
    found = {}
    for route in iter_route_contexts(app.routes):
        pending = [route.dependant] if hasattr(route, "dependant") else []
        while pending:
            dependant = pending.pop()
            pending += dependant.dependencies
            if dependant.call in _SCOPES:
                found[route.name or ""] = _SCOPES[dependant.call]
    return found


def _tell_scope(operation: Json, scope: str | None) -> None:
    told = f"Needs the scope `{scope}`." if scope else "Needs no key."
    if not scope and operation["security"]:
        told = "Any key will do."
    description = operation.get("description")
    operation["description"] = f"{description}\n\n{told}" if description else told
    if scope:
        operation["x-required-scope"] = scope


def _without_null(schema: Json) -> Json:
    """Of a parameter: it may be left out, but there is no way to send a null."""
    choices: list[Json] = [
        choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}
    ]
    if len(choices) != 1:
        return schema
    return {key: value for key, value in schema.items() if key != "anyOf"} | choices[0]


# ---- errors -------------------------------------------------------------------------------------


def _name(status: int) -> str:
    return HTTPStatus(status).name.title().replace("_", "")


def _add_errors(operation: Json) -> None:
    """Those of every route; each in its common form where the route says no more of it."""
    answers = operation["responses"]
    missing = [500, 504, *(_OF_EVERY_BODY if "requestBody" in operation else ())]
    common = {status: {"$ref": f"#/components/responses/{_name(status)}"} for status in missing}
    for status, reference in common.items():
        answers.setdefault(str(status), reference)
    for status in [status for status in answers if status >= "400"]:
        if answers[status].get("description") == DESCRIPTIONS[int(status)]:
            answers[status] = {"$ref": f"#/components/responses/{_name(int(status))}"}
    operation["responses"] = dict(sorted(answers.items()))


def _statuses(document: Json) -> list[int]:
    """Of the errors that any operation can end in."""
    told = {status for one in _operations(document) for status in one["responses"]}
    return sorted(int(status) for status in told if status >= "400")


def _error_answers(statuses: list[int]) -> Iterator[tuple[str, Json]]:
    classes = error_classes()
    for status in statuses:
        ours = [error for error in classes if error.status == status]
        examples = {
            error.code: {"value": error_example(error.code, meaning_of(error))} for error in ours
        }
        answer: Json = {
            "description": DESCRIPTIONS[status],
            "content": {"application/json": {"schema": _FORM, "examples": examples}},
            "x-error-codes": [error.code for error in ours],
        }
        headers = documented(status)[status].get("headers", {}) | _HEADERS.get(status, {})
        if headers:
            answer["headers"] = headers
        yield _name(status), answer


def _tell_codes(schema: Json) -> None:
    # Not an enum: a client must live with a code that is younger than it.
    classes = error_classes()
    lines = [f"- `{error.code}` ({error.status}): {meaning_of(error)}" for error in classes]
    schema["description"] = "\n".join(["Stable, fit for programs:", "", *lines])
    schema["x-error-codes"] = [error.code for error in classes]


# ---- examples and links -------------------------------------------------------------------------


def _add_examples(document: Json) -> None:
    examples = Examples(document["components"]["schemas"])
    for operation in _operations(document):
        for status, answer in operation["responses"].items():
            media = answer.get("content", {}).get("application/json")
            if media and status < "300" and not {"example", "examples"} & set(media):
                media["example"] = examples.of(media["schema"])


def _add_links(document: Json) -> None:
    """From what makes a thing to all that can be done with it."""
    by_id = {operation["operationId"]: operation for operation in _operations(document)}
    for name, target in by_id.items():
        wanted = [one["name"] for one in target.get("parameters", []) if one["in"] == "path"]
        for parameter in wanted:
            maker, status, where = _MADE_BY.get(parameter, ("", "", ""))
            if maker in by_id and not _is_more_than(wanted, by_id[maker], parameter):
                links = by_id[maker]["responses"][status].setdefault("links", {})
                links[name] = {
                    "operationId": name,
                    "parameters": {
                        one: where if one == parameter else f"$request.path.{one}" for one in wanted
                    },
                }


def _is_more_than(wanted: list[str], maker: Json, parameter: str) -> bool:
    """Whether the target's path needs something that the maker's request does not know."""
    known = {one["name"] for one in maker.get("parameters", []) if one["in"] == "path"}
    return bool(set(wanted) - known - {parameter})


def main() -> None:
    from agenticai_api.main import create_app
    from agenticai_core.bootstrap import connect
    from agenticai_core.settings import Settings

    settings = Settings()
    print(json.dumps(create_app(connect(settings), settings).openapi(), indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
