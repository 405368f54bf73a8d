"""An owner's first API key, written to the emulator's table."""

import json

import pytest
from typer.testing import CliRunner

from agenticai_client.cli import app
from agenticai_client.session import ExitCode
from agenticai_core import audit, auth


def refused(environment, *words, code):
    told = environment.run("first-key", *words, "--json", code=code)
    assert told.stdout == ""
    return json.loads(told.stderr)["error"]


def test_the_key_that_it_prints_opens_the_api(environment):
    told = environment.run("first-key", "team")
    known = auth.authenticate(environment.services, told.stdout.rstrip("\n"))
    assert (known.owner_id, set(known.scopes)) == ("team", {"read", "write", "admin"})
    (key,) = auth.list_api_keys(environment.services.store, "team")
    assert key.name == "first"
    assert key.id in told.stderr


def test_only_the_secret_is_on_standard_output(environment):
    told = environment.run("first-key", "team")
    assert told.stdout.startswith(auth.PREFIX)
    assert told.stdout.count("\n") == 1
    assert "audit" not in told.output


def test_as_json_it_is_one_object(environment):
    told = environment.read("first-key", "team", "--name", "laptop")
    assert auth.authenticate(environment.services, told.pop("secret")).key.id == told["id"]
    assert (told["owner_id"], told["name"]) == ("team", "laptop")


def test_it_stands_in_the_audit_log(environment):
    told = environment.read("first-key", "team")
    ((entry,), _) = audit.list_entries(environment.services, "team")
    assert (entry.action, entry.subject, entry.key_id) == ("key_created", told["id"], None)


@pytest.mark.parametrize("owner", ["", "a b", "a#b", "é", "a\n", "x" * 65])
def test_a_bad_owner_is_refused_and_nothing_is_written(environment, owner):
    assert refused(environment, owner, code=ExitCode.USAGE)["code"] == "BAD_OWNER"
    rows = environment.place.dynamo.scan(TableName=environment.place.table)["Items"]
    assert [row for row in rows if row["EntityType"]["S"] == "ApiKey"] == []


@pytest.mark.parametrize("owner", ["x", "A-1_b", "x" * 64])
def test_a_good_owner_is_taken_as_it_is(environment, owner):
    assert environment.read("first-key", owner)["owner_id"] == owner


def test_a_table_that_is_not_there_is_told(environment):
    words = ("team", "--app", "nobodys", "--env", "test")
    error = refused(environment, *words, code=ExitCode.NOT_FOUND)
    assert error["code"] == "NOT_FOUND"
    assert "--app and --env" in error["hint"]


def test_without_an_environment_it_says_how_to_name_one(monkeypatch):
    monkeypatch.delenv("DYNAMODB_TABLE_NAME", raising=False)
    result = CliRunner().invoke(app, ["first-key", "team", "--json"])
    told = json.loads(result.stderr)["error"]
    assert (result.exit_code, told["code"]) == (ExitCode.UNREACHABLE, "NOT_CONFIGURED")
    assert "--app" in told["hint"]
