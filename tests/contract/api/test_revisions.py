"""Revisions over REST: what there is, what differs, and back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.contract.api.conftest import TREE
from tests.fakes.promoted import promote

from agenticai_core import content
from agenticai_core.models import Scores, TestReport

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
SECOND = {**TREE, "main.py": b"print('goodbye')\n", "new.py": b"1\n"}
del SECOND["docs/index.html"]


@pytest.fixture
def root(services, built_id):
    """The address of a project with two revisions, the second by a modification."""
    report = TestReport(passed=7, coverage=0.9, seconds=1.5, sandbox="strong")
    promote(
        services,
        built_id,
        SECOND,
        author_task="mod_01abc.03.test",
        summary="Say goodbye",
        report_key=content.put_document(services.files, built_id, report),
        scores=Scores(test_coverage=0.9),
    )
    return f"/api/projects/{built_id}"


def test_revisions_come_newest_first_in_pages(api, root):
    first = api.get(f"{root}/revisions?limit=1").json()
    second = api.get(f"{root}/revisions", params={"limit": 1, "cursor": first["next_cursor"]})
    assert [page["revisions"][0]["number"] for page in (first, second.json())] == [2, 1]
    assert second.json()["next_cursor"] is None
    assert api.get(f"{root}/revisions").json()["revisions"][0] == first["revisions"][0]


def test_a_revision_tells_who_made_it_and_what_its_tests_gave(api, root):
    revision = api.get(f"{root}/revisions/2").json()["revision"]
    assert revision.pop("created_at").endswith("Z")
    assert revision == {
        "number": 2,
        "kind": "modified",
        "parent": 1,
        "source": None,
        "summary": "Say goodbye",
        "author": "mod_01abc.03.test",
        "modification_id": "mod_01abc",
        "scores": {"test_coverage": 0.9, "security_score": None, "performance_score": None},
        "tests": {
            "passed": 7,
            "failed": 0,
            "errors": 0,
            "skipped": 0,
            "coverage": 0.9,
            "seconds": 1.5,
            "sandbox": "strong",
            "stopped": None,
            "missing_modules": [],
        },
    }
    first = api.get(f"{root}/revisions/1").json()["revision"]
    assert (first["tests"], first["modification_id"]) == (None, None)


def test_each_has_its_files(api, root):
    first, second = (api.get(f"{root}/revisions/{n}/files").json() for n in (1, 2))
    assert (set(first["files"]), first["revision"]) == (set(TREE), 1)
    assert (set(second["files"]), second["revision"]) == (set(SECOND), 2)
    assert first["total_size"] == sum(map(len, TREE.values()))
    for number, tree in ((1, TREE), (2, SECOND)):
        answer = api.get(f"{root}/revisions/{number}/files/main.py")
        assert (answer.content, answer.headers["ETag"]) == (tree["main.py"], f'"{number}"')
    assert api.get(f"{root}/revisions/2/files/docs/index.html").status_code == 404


@pytest.mark.parametrize(
    ("number", "status"), [("3", 404), ("999999", 404), ("0", 422), ("1000000", 422), ("x", 422)]
)
def test_a_revision_that_is_not_there(api, root, number, status):
    for path in (f"revisions/{number}", f"revisions/{number}/files", f"revisions/{number}/files/a"):
        assert api.get(f"{root}/{path}").status_code == status


def test_the_list_is_empty_before_the_first(api, project_id):
    answer = api.get(f"/api/projects/{project_id}/revisions")
    assert answer.json() == {"revisions": [], "next_cursor": None}


def test_a_cursor_is_of_one_list(api, stranger, root, services):
    cursor = api.get(f"{root}/revisions?limit=1").json()["next_cursor"]
    for path in (f"{root}/modifications", "/api/projects"):
        refused = api.get(path, params={"cursor": cursor})
        assert refused.json()["error"]["code"] == "INVALID_CURSOR"
    assert stranger.get(f"{root}/revisions", params={"cursor": cursor}).status_code == 404


# ---- differences --------------------------------------------------------------------------------


def diff(api, root, accept="*/*", **query):
    named = {name.rstrip("_"): value for name, value in query.items()}
    return api.get(f"{root}/diff", params=named, headers={"Accept": accept})


def test_the_last_two_are_compared(api, root):
    told = diff(api, root).json()
    assert (told["from_revision"], told["to_revision"]) == (1, 2)
    assert told["totals"] == {"files": 3, "additions": 2, "deletions": 2}
    assert [(file["path"], file["status"]) for file in told["files"]] == [
        ("docs/index.html", "removed"),
        ("main.py", "modified"),
        ("new.py", "added"),
    ]
    assert told["files"][1]["hunks"] == [
        {
            "old_start": 1,
            "old_lines": 1,
            "new_start": 1,
            "new_lines": 1,
            "lines": ["-print('hello')", "+print('goodbye')"],
        }
    ]
    assert told["files"][0]["hunks"][0]["lines"][-1].startswith("\\ No newline")


@pytest.mark.parametrize(
    ("query", "files", "pair"),
    [
        ({"to": 1}, 4, (0, 1)),
        ({"from_": 0, "to": 2}, 4, (0, 2)),
        ({"from_": 2, "to": 1}, 3, (2, 1)),
        ({"from_": 2, "to": 2}, 0, (2, 2)),
        ({"to": 0}, 0, (0, 0)),
        ({"from_": 1}, 3, (1, 2)),
        ({"path": "main.py"}, 1, (1, 2)),
        ({"path": "README.md"}, 0, (1, 2)),
    ],
)
def test_any_two_can_be_compared(api, root, query, files, pair):
    told = diff(api, root, **query).json()
    assert (told["from_revision"], told["to_revision"]) == pair
    assert told["totals"]["files"] == len(told["files"]) == files


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"to": 3}, 404),
        ({"from_": 9}, 404),
        ({"path": "nothing.py"}, 404),
        ({"path": "../main.py"}, 422),
        ({"from_": -1}, 422),
        ({"to": 10**6}, 422),
    ],
)
def test_what_is_not_there_is_not_compared(api, root, query, status):
    assert diff(api, root, **query).status_code == status


def test_before_there_is_code_nothing_differs(api, project_id):
    told = diff(api, f"/api/projects/{project_id}").json()
    assert (told["files"], told["from_revision"], told["to_revision"]) == ([], 0, 0)


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/x-diff", "text/x-diff; charset=utf-8"),
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/*", "text/x-diff; charset=utf-8"),
        ("application/json;q=0.5, text/x-diff", "text/x-diff; charset=utf-8"),
        ("text/x-diff;q=0.2, application/json;q=0.3", "application/json"),
        ("text/x-diff;q=0, */*;q=0.1", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
        ("image/png", "application/json"),
        ("text/x-diff;q=high, text/plain;q=0.1", "text/plain; charset=utf-8"),
        (";;, ,q", "application/json"),
    ],
)
def test_the_form_is_the_clients_choice(api, root, accept, kind):
    answer = diff(api, root, accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == kind
    assert ("Vary" in answer.headers) == kind.startswith("text/")
    if kind.startswith("text/"):
        assert "--- a/main.py\n+++ b/main.py\n@@ -1,1 +1,1 @@\n-print('hello')\n" in answer.text


# ---- rollback -----------------------------------------------------------------------------------


def roll_back(api, root, number, headers=None, **more):
    return api.post(f"{root}/rollback", json={"revision": number, **more}, headers=headers or {})


def test_a_rollback_makes_a_new_revision(api, root):
    answer = roll_back(api, root, 1, reason="Too sad", expected_revision=2)

    assert answer.status_code == 201, answer.text
    revision = answer.json()["revision"]
    assert (revision["number"], revision["kind"], revision["source"]) == (3, "rolled_back", 1)
    assert revision["summary"] == "Back to revision 1: Too sad"
    assert answer.headers["ETag"] == '"3"'
    told = api.get(answer.headers["Location"]).json()["revision"]
    assert {name: told[name] for name in revision} == revision
    assert api.get(f"{root}/files/main.py").content == TREE["main.py"]
    project = api.get(root).json()["project"]
    assert (project["revision"], project["scores"]["test_coverage"]) == (3, None)
    assert diff(api, root, from_=1, to=3).json()["files"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"revision": 2}, 409, "WRONG_STATE"),
        ({"revision": 3}, 404, "NOT_FOUND"),
        ({"revision": 1, "expected_revision": 1}, 412, "PRECONDITION_FAILED"),
        ({"revision": 0}, 422, "VALIDATION_ERROR"),
        ({"revision": "1"}, 422, "VALIDATION_ERROR"),
        ({"revision": 10**6}, 422, "VALIDATION_ERROR"),
        ({"revision": 1, "reason": "x" * 1001}, 422, "VALIDATION_ERROR"),
        ({"revision": 1, "reason": "a\0b"}, 422, "VALIDATION_ERROR"),
        ({"revision": 1, "force": True}, 422, "VALIDATION_ERROR"),
        ({}, 422, "VALIDATION_ERROR"),
    ],
)
def test_a_rollback_that_cannot_be(api, root, body, status, code):
    answer = api.post(f"{root}/rollback", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert api.get(root).json()["project"]["revision"] == 2


def test_a_rollback_sent_again_happens_once(api, root):
    first = roll_back(api, root, 1, KEY)
    again = roll_back(api, root, 1, KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert roll_back(api, root, 2, KEY).json()["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert api.get(root).json()["project"]["revision"] == 3


def test_equal_rollbacks_at_once_happen_once(api, root):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: roll_back(api, root, 1, KEY), range(8)))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["revision"]["number"] for answer in answers} == {3}


def test_a_stranger_sees_and_changes_nothing(api, stranger, root):
    for path in ("revisions", "revisions/1", "revisions/1/files", "revisions/1/files/main.py"):
        assert stranger.get(f"{root}/{path}").status_code == 404
    assert diff(stranger, root).status_code == 404
    assert roll_back(stranger, root, 1).status_code == 404
    assert api.get(root).json()["project"]["revision"] == 2
