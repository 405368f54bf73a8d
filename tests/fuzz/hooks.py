"""What the fuzzer must not do, and what is no failure though a schema cannot tell."""

import json
import os
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.core.transport import Response

PROJECTS = json.loads(Path(os.environ["FUZZ_PROJECTS"]).read_text())
CHANCE = random.Random()  # hypothesis sets the module's own to the same start for every case
OWN_KEY = os.environ["FUZZ_KEY_ID"]
# Refusals of well-formed values: whether they are right, only the server knows.
SERVER_KNOWS = {
    "CURSOR_EXPIRED",
    "IDEMPOTENCY_KEY_REUSED",
    "INVALID_CURSOR",
    "INVALID_TEMPLATE",
    "PRECONDITION_FAILED",
    "UNSAFE_PATH",
}


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, **_: Any) -> None:
    """Put in a project of any state; leave the key alone that all this works with."""
    if case.path_parameters.get("project_id") == "any-project":
        case.path_parameters["project_id"] = CHANCE.choice(PROJECTS)
    wait = str((case.query or {}).get("wait"))
    if wait.isdecimal() and 1 < int(wait) <= 20:
        case.query["wait"] = 1  # as good as a longer one, and there are many
    if OWN_KEY in case.path_parameters.values():
        case.path_parameters["key_id"] = "key_" + "0" * 26


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case,
    response: Response,
) -> bool:
    match type(failure).__name__:
        case "RejectedPositiveData":
            return not only_the_server_knows(response.json()["error"])
        case "AcceptedNegativeData":  # whoever sends more headers than we know is welcome
            return "x-schemathesis-unknown-property" not in case.headers
        case "UseAfterFree":
            return not is_being_deleted(case.path_parameters.get("project_id", ""))
    return True


def only_the_server_knows(error: dict[str, Any]) -> bool:
    """Also how values fit each other: a template's variables, all dependencies together."""
    field = error["details"].get("field", "")
    together = field.split(".")[0] == "variables" or field in ("dependencies", "environment_vars")
    by_template = "GET /api/templates/" in error.get("hint", "")  # its pattern for project_name
    return error["code"] in SERVER_KNOWS or together or by_template


def is_being_deleted(project_id: str) -> bool:
    """Rows and files go in the background; until then the project says that it is going."""
    answer = httpx.get(
        f"{os.environ['FUZZ_URL']}/api/projects/{quote(project_id, safe='')}",
        headers={"X-API-Key": os.environ["FUZZ_KEY"]},
        trust_env=False,
    )
    return answer.is_success and answer.json()["project"]["status"] == "deleting"
