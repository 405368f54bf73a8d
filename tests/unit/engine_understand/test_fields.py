"""One attribute phrase becomes one field; lists are cut where a reader would cut them."""

import pytest

from agenticai_worker.llm.template.understand.attributes import parse_attribute
from agenticai_worker.llm.template.understand.choices import parse_choices
from agenticai_worker.llm.template.understand.lists import split_list


@pytest.mark.parametrize(
    ("phrase", "name", "type_"),
    [
        ("a name", "name", "string"),
        ("their daily price", "daily_price", "decimal"),
        ("length in metres", "length", "float"),
        ("date of birth", "date_of_birth", "date"),
        ("number of seats", "number_of_seats", "integer"),
        ("brood frames", "brood_frames", "integer"),
        ("queen seen (yes/no)", "queen_seen", "boolean"),
        ("is active", "active", "boolean"),
        ("paid flag", "paid", "boolean"),
        ("refundable", "refundable", "boolean"),
        ("cooking time", "cooking_time", "integer"),
        ("opening time", "opening_time", "time"),
        ("starts at", "starts_at", "datetime"),
        ("licence number", "licence_number", "string"),
        ("phone number", "phone_number", "phone"),
        ("e-mail", "e_mail", "email"),
        ("homepage", "homepage", "url"),
        ("allergies", "allergies", "text"),
        ("authors", "authors", "string"),
        ("hourly rate", "hourly_rate", "decimal"),
        ("germination rate", "germination_rate", "float"),
        ("size (integer)", "size", "integer"),
        ("external id (uuid)", "external_id", "uuid"),
        ("time of capture", "time_of_capture", "datetime"),
        ("how many pages", "pages", "integer"),
    ],
)
def test_types_from_words(phrase: str, name: str, type_: str) -> None:
    attribute = parse_attribute(phrase)
    assert attribute is not None
    assert (attribute.field.name, attribute.field.type) == (name, type_)


@pytest.mark.parametrize(
    ("phrase", "values"),
    [
        ("unique email", {"unique": True}),
        ("ISBN", {"unique": True}),
        ("phone (optional)", {"required": False}),
        ("rating between 1 and 5", {"type": "integer", "minimum": 1, "maximum": 5}),
        ("score from 0 to 10", {"minimum": 0, "maximum": 10}),
        ("quantity (at least 1)", {"minimum": 1}),
        ("title (max 200 characters)", {"max_length": 200, "type": "string"}),
        ("weight in kg", {"unit": "kg"}),
        ("dry weight kg", {"unit": "kg"}),
        ("price in EUR", {"unit": "EUR", "type": "decimal"}),
        ("status: draft|published", {"choices": ("draft", "published")}),
        (
            "status (new, in progress, done) default new",
            {"choices": ("new", "in_progress", "done"), "default": "new"},
        ),
        ("severity mild/moderate/severe", {"choices": ("mild", "moderate", "severe")}),
        ("a type which can be cat, dog or bird", {"choices": ("cat", "dog", "bird")}),
        ("status of draft or published", {"choices": ("draft", "published")}),
        ("species (e.g. cat, dog)", {"choices": (), "description": "for example cat, dog"}),
    ],
)
def test_limits_flags_and_choices(phrase: str, values: dict[str, object]) -> None:
    attribute = parse_attribute(phrase)
    assert attribute is not None
    assert {key: getattr(attribute.field, key) for key in values} == values


def test_parts_of_an_address() -> None:
    attribute = parse_attribute("address (street, city, postcode)")
    assert attribute is not None
    assert [part.key for part in attribute.composite] == ["street", "city", "postcode"]


def test_names_that_are_taken_get_a_prefix() -> None:
    for phrase in ("class", "metadata", "id", "model_name"):
        attribute = parse_attribute(phrase)
        assert attribute is not None
        assert attribute.field.name.startswith("item_")


def test_nothing_is_no_attribute() -> None:
    assert parse_attribute("") is None
    assert parse_attribute("the") is None
    assert parse_attribute("…") is None


def test_lists() -> None:
    assert split_list("a name, a status (a, b) and notes") == ["a name", "a status (a, b)", "notes"]
    assert split_list("rating between 1 and 5 and notes") == ["rating between 1 and 5", "notes"]
    assert split_list("a type which can be cat, dog or bird, and age") == [
        "a type which can be cat, dog or bird", "age",
    ]  # fmt: skip


def test_choices() -> None:
    assert parse_choices("either new, used or broken") == ("new", "used", "broken")
    assert parse_choices("one thing") == ()
