"""The OpenAPI document: whole, true to the code, and of use to who reads it."""

import ast
import json
import re
import subprocess
import sys

import jsonschema_rs
import pytest

from agenticai_api.errors import DESCRIPTIONS
from agenticai_api.examples import UNKNOWN
from agenticai_api.openapi import error_classes


@pytest.fixture
def document(app):
    return app.openapi()


def operations(document):
    return [one for methods in document["paths"].values() for one in methods.values()]


def resolve(document, value):
    while "$ref" in value:
        target = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        value = target
    return value


def is_valid(document, schema, value):
    root = {**schema, "components": document["components"]}
    return jsonschema_rs.validator_for(root).is_valid(value)


def test_every_operation_says_what_it_does(document):
    for one in operations(document):
        assert re.fullmatch(r"[A-Z].{3,70}", one["summary"]), one["operationId"]
        assert not one["summary"].endswith(".")
        assert one["description"]
        assert len(one["tags"]) == 1
        for parameter in one.get("parameters", []):
            assert parameter.get("description"), (one["operationId"], parameter["name"])
    told = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {one["tags"][0] for one in operations(document)} == told


def test_every_operation_says_which_scope_it_needs(document):
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            if "x-required-scope" in one:
                assert f"scope `{one['x-required-scope']}`" in one["description"]
            else:
                assert not one["security"] or "Any key" in one["description"], (method, path)


def test_every_body_has_an_example_that_fits(document):
    for one in operations(document):
        media = one.get("requestBody", {}).get("content", {}).get("application/json")
        if media is None:
            continue
        given = [media["example"]] if "example" in media else []
        for choice in [media["schema"], *media["schema"].get("anyOf", [])]:
            given += resolve(document, choice).get("examples", [])
        assert given, one["operationId"]
        for example in given:
            assert is_valid(document, media["schema"], example), one["operationId"]


def test_every_answer_has_an_example_that_fits(document):
    for one in operations(document):
        for status, answer in one["responses"].items():
            for kind, media in resolve(document, answer).get("content", {}).items():
                if kind != "application/json":
                    continue
                given = [each["value"] for each in media.get("examples", {}).values()]
                given += [media["example"]] if "example" in media else []
                assert given, (one["operationId"], status)
                for example in given:
                    assert is_valid(document, media["schema"], example), (
                        one["operationId"],
                        status,
                    )


def test_no_field_is_without_an_example(document):
    """A new text field gets one in its schema, or a name of `examples.VOCABULARY`."""
    for one in operations(document):
        told = json.dumps(one, ensure_ascii=False)
        assert UNKNOWN not in told, re.findall(r'"(\w+)": "' + UNKNOWN, told)


def test_every_link_can_be_followed(document):
    by_id = {one["operationId"]: one for one in operations(document)}
    followed = 0
    for maker in by_id.values():
        for answer in maker["responses"].values():
            for link in answer.get("links", {}).values():
                target = by_id[link["operationId"]]
                in_path = {p["name"] for p in target.get("parameters", []) if p["in"] == "path"}
                assert set(link["parameters"]) == in_path
                followed += 1
    assert followed > 10


def test_the_errors_of_every_route_are_told(document):
    for one in operations(document):
        assert {"500", "504"} <= set(one["responses"])
        if "requestBody" in one:
            assert {"400", "408", "413"} <= set(one["responses"])


def test_an_error_names_the_codes_that_it_may_hold(document):
    by_status = {}
    for error in error_classes():
        by_status.setdefault(error.status, set()).add(error.code)
    for one in operations(document):
        for status, answer in one["responses"].items():
            if status >= "400":
                assert set(resolve(document, answer)["x-error-codes"]) == by_status[int(status)]


def codes_in_the_source(repo_root):
    """Each ``code = "…"`` or ``code, status = "…", n`` of an error in core or the API."""
    found = {}
    for root in (repo_root / "core", repo_root / "api"):
        for path in root.rglob("*.py"):
            folders = path.relative_to(root).parents[:-1]
            if not all((root / folder / "__init__.py").exists() for folder in folders):
                continue  # what a project is made from, not a module of ours
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    found |= {code: node for code in codes_of(node)}
    return found


def codes_of(node):
    for line in node.body:
        if isinstance(line, ast.Assign):
            target, value = line.targets[0], line.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=True))
            for name, given in pairs:
                if isinstance(name, ast.Name) and name.id == "code":
                    yield given.value


def test_every_error_code_of_the_source_is_told_with_its_meaning(repo_root):
    """In the document of a process of its own: what other tests import changes nothing there."""
    printed = subprocess.run(
        [sys.executable, "-m", "agenticai_api.openapi"], check=True, capture_output=True, text=True
    ).stdout
    code = json.loads(printed)["components"]["schemas"]["ErrorView"]["properties"]["code"]
    source = codes_in_the_source(repo_root)

    assert set(code["x-error-codes"]) == set(source)
    for name, node in source.items():
        assert f"- `{name}` (" in code["description"]
        assert ast.get_docstring(node), f"{node.name} says nothing of what {name} means"


def test_every_status_of_an_error_has_a_description():
    assert {error.status for error in error_classes()} <= set(DESCRIPTIONS)
