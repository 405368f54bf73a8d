"""A project and a change through the whole system with a model on Gemini's wire format.

Some answers are malformed, cut off, or an error: what was asked for comes about all the same.
"""

from collections import Counter
from collections.abc import Iterator

import pytest
from tests.fakes import notes
from tests.fakes.gemini import Fault
from tests.fakes.house import House, asked, check_log, open_house

from agenticai_client.sdk import MODIFICATION_ENDS

# The fake counts them: 1 is the plan, then a call for each file.
FAULTS: dict[int, Fault] = {
    1: "malformed",
    4: "truncated",
    6: "429",
    9: "500",
    16: "500",
    18: "truncated",
}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(tmp_path_factory.mktemp("gemini")) as house:
        yield house


@pytest.fixture
def house(opened: House) -> Iterator[House]:
    opened.fake.calls.clear()
    opened.fake.tokens = 0
    yield opened
    opened.fake.faults = {}
    opened.fake.answer = notes.answer


def test_a_project_and_a_change_with_faults_on_the_way(house: House) -> None:
    house.fake.faults = FAULTS
    with house.client() as client:
        project_id = house.create()
        modification = client.modify(project_id, notes.REQUEST)["id"]
        seen = list(client.watch(project_id, until=lambda e: e["type"] in MODIFICATION_ENDS))
        changed = client.get_modification(project_id, modification)
        project = client.get_project(project_id)
        main = client.read_file(project_id, "app/main.py").decode()

    assert seen[-1]["type"] == "modification_complete", seen[-1]
    events = house.history(project_id)
    check_log(events)
    assert events[: len(seen)] == seen
    assert (project["status"], project["revision"]) == ("active", 2)
    assert project["model"] == "gemini:gemini-2.5-flash"
    assert changed["status"] == "applied"
    assert changed["test_results"]["passed"] == 5
    assert "def list_notes" in main
    met = [call.fault for call in house.fake.calls if call.fault]
    assert Counter(met) == Counter(FAULTS.values())
    # Each error put the task back once; the bad answers were asked for again within the task.
    reasons = [event["data"]["reason"] for event in events if event["type"] == "task_postponed"]
    assert len(reasons) == 3
    assert all("Gemini answered" in reason for reason in reasons), reasons
    again = [what for what, times in asked(house.fake).items() if times > 1]
    assert len(again) == len(FAULTS)


def test_what_the_service_counts_is_what_the_project_has_used(house: House) -> None:
    house.fake.faults = {1: "malformed", 3: "429", 5: "truncated", 7: "500"}
    project_id = house.create()
    house.watch(project_id).finish()

    project = house.project(project_id)
    assert project["status"] == "active"
    usage = project["usage"]
    # A refused call costs nothing; nothing stays reserved.
    assert usage["input_tokens"] + usage["output_tokens"] == house.fake.tokens
    (row,) = house.rows(project_id, "METADATA")
    assert row["tokens_reserved"] == 0


@pytest.mark.parametrize(
    ("budget", "calls"),
    [
        pytest.param(1_000, range(1), id="too small for one call"),
        pytest.param(37_000, range(2, 11), id="ends on the way"),
    ],
)
def test_a_budget_is_never_gone_beyond(house: House, budget: int, calls: range) -> None:
    house.fake.answer = answer_at_length
    project_id = house.create(token_budget=budget)
    events = house.watch(project_id).finish()

    project = house.project(project_id)
    assert project["status"] == "failed"
    assert project["failure"]["code"] == "BUDGET_EXCEEDED"
    assert f"of the budget of {budget}" in project["failure"]["message"]
    assert events[-1]["data"]["code"] == "BUDGET_EXCEEDED"
    assert "token_budget" in events[-1]["data"]["hint"]
    assert house.fake.tokens <= budget
    assert len(house.fake.calls) in calls
    usage = project["usage"]
    assert usage["input_tokens"] + usage["output_tokens"] == house.fake.tokens
    check_log(house.history(project_id))


def answer_at_length(prompt: str) -> str:
    """Useful, and with four thousand tokens of talk around each file."""
    reply = notes.answer(prompt)
    return reply if reply.startswith("{") else reply + "\nAs I said. " * 1500
