"""What is said about a plan changes it, or is told as not understood."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenticai_core.models import ProjectType
from agenticai_core.plans import Plan
from agenticai_worker.llm.template.understand.feedback import make_plan_with
from agenticai_worker.llm.template.understand.plan import make_plan

DESCRIPTION = (
    "A tool library lends tools to members. Each tool has a name and a daily fee. "
    "Members borrow tools. A loan has a start date and a due date."
)


def planned(*remarks: str) -> Plan:
    return make_plan_with("Library", ProjectType.API, DESCRIPTION, remarks)


def names(plan: Plan) -> set[str]:
    return {entity.name for entity in plan.entities}


def fields(plan: Plan, entity: str) -> set[str]:
    return {field.name for one in plan.entities if one.name == entity for field in one.fields}


def test_without_a_word_it_is_the_plan() -> None:
    assert planned() == make_plan("Library", ProjectType.API, DESCRIPTION)


def test_a_change_is_made() -> None:
    assert "daily_fee" in fields(planned(), "Tool")
    assert "daily_fee" not in fields(planned("Remove the daily fee from tools"), "Tool")
    assert "Supplier" in names(planned("Add suppliers with a name"))


def test_later_words_build_on_earlier_ones() -> None:
    plan = planned("Add suppliers with a name", "Add an email to suppliers")

    assert {"name", "email"} <= fields(plan, "Supplier")
    assert names(planned("Add suppliers with a name", "Remove suppliers")) == names(planned())


def test_more_of_the_description_is_read_as_such() -> None:
    plan = planned("Each repair of a tool has a date and a cost.")

    assert names(plan) > names(planned())
    assert not [note for note in plan.not_covered if "Said about" in note]


@pytest.mark.parametrize(
    "remark", ["smaller", "Use euros for the fee", "Make it like Mars", "Über!"]
)
def test_what_is_not_understood_is_told_and_not_read_in(remark: str) -> None:
    plan = planned(remark)

    assert plan.entities == planned().entities
    assert any(
        "not understood" in note and remark.strip("!")[:10] in note for note in plan.not_covered
    )


def test_one_sentence_that_is_not_understood_spoils_no_other() -> None:
    plan = planned("Add suppliers with a name. Make everything prettier.")

    assert "Supplier" in names(plan)
    assert any("prettier" in note for note in plan.not_covered)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=3))
def test_no_text_breaks_the_plan(remarks: list[str]) -> None:
    plan = planned(*remarks)
    assert plan.entities
    assert plan == planned(*remarks)
