"""Singular and plural, verb forms, nouns for actions, names for code."""

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenticai_worker.llm.template.understand import words


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("boats", "boat"), ("hives", "hive"), ("boxes", "box"), ("batches", "batch"), ("bodies", "body"),
        ("classes", "class"), ("warehouses", "warehouse"), ("statuses", "status"), ("people", "person"),
        ("children", "child"), ("shelves", "shelf"), ("analyses", "analysis"), ("buses", "bus"),
        ("courses", "course"), ("heroes", "hero"), ("movies", "movie"), ("keys", "key"),
    ],
)  # fmt: skip
def test_number(plural: str, singular: str) -> None:
    assert words.singular(plural) == singular
    assert words.plural(singular) == plural
    assert words.is_plural(plural)
    assert not words.is_plural(singular)


@pytest.mark.parametrize(
    "word", ["species", "glass", "address", "status", "analysis", "news", "bus"]
)
def test_words_in_s_that_are_no_plurals(word: str) -> None:
    assert words.singular(word) == word


def test_verbs() -> None:
    assert words.participle("cancel") == "cancelled"
    assert words.participle("lend") == "lent"
    assert words.participle("ship") == "shipped"
    assert words.base_of_participle("confirmed") == "confirm"
    assert words.base_of_participle("glazed") == "glaze"
    assert words.verb_base("borrows", "s") == "borrow"
    assert words.gerund("hire") == "hiring"


def test_nouns_for_actions() -> None:
    made = {
        base: words.nominal(base)
        for base in ("book", "borrow", "inspect", "donate", "classify", "feed")
    }
    assert made == {
        "book": "booking", "borrow": "loan", "inspect": "inspection", "donate": "donation",
        "classify": "classification", "feed": "feeding",
    }  # fmt: skip


@given(st.text(max_size=60))
def test_snake_names_are_names_or_nothing(text: str) -> None:
    name = words.to_snake(text)
    assert name == "" or keyword.iskeyword(name) or words.is_python_name(name)
    assert len(name) <= 40
