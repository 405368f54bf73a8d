"""Any text gives a valid plan, the same text the same plan, and no request crashes a change."""

import keyword

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenticai_core.models import ProjectType
from agenticai_core.plans import Plan
from agenticai_worker.llm.template.understand.changes import change_plan
from agenticai_worker.llm.template.understand.plan import make_plan

_WORDS = st.sampled_from(
    [
        "boats",
        "have",
        "a",
        "an",
        "the",
        "each",
        "name",
        "price",
        ",",
        ";",
        ".",
        ":",
        "(",
        ")",
        "and",
        "or",
        "can",
        "be",
        "many",
        "several",
        "belongs",
        "to",
        "status",
        "date",
        "book",
        "books",
        "customers",
        "customer",
        "metadata",
        "class",
        "import",
        "registry",
        "id",
        "type",
        "per",
        "total",
        "overdue",
        "unique",
        "not",
        "twice",
        "at",
        "same",
        "time",
        "from",
        "with",
        "for",
        "is",
        "are",
        "number",
        "of",
        "in",
        "kg",
        "must",
        "optional",
        "draft",
        "published",
        "draft|published",
        "search",
        "by",
        "filter",
        "low",
        "stock",
        "stock",
        "movements",
        "users",
        "staff",
        "it",
        "they",
        "-",
        "*",
        "yes/no",
        "1",
        "5",
        "between",
        "email",
        "\n",
        "\n-",
        "model",
        "self",
        "None",
        "session",
        "event",
        "add",
        "remove",
        "rename",
        "make",
        "to",
        "authentication",
        "log",
        "requests",
        "check",
        "out",
        "in",
        "return",
        "cancel",
        "which",
        "that",
        "who",
        "where",
        "when",
        "how",
        "'s",
        '"',
        "(",
        "(",
        ")",
        "each",
        "of",
        "them",
    ]
)
_SENTENCES = st.lists(_WORDS, max_size=45).map(" ".join)
_PLANS = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def assert_valid(plan: Plan) -> None:
    names = [entity.name for entity in plan.entities]
    assert 1 <= len(names) <= 12
    assert len(set(names)) == len(names)
    assert len({entity.plural for entity in plan.entities}) == len(names)
    for entity in plan.entities:
        assert entity.name.isidentifier() and entity.name.isascii() and entity.name[0].isupper()
        assert entity.plural.isidentifier() and entity.plural.isascii()
        assert entity.fields
        fields = [field.name for field in entity.fields]
        assert len(fields) <= 25
        assert len(set(fields)) == len(fields)
        for field in entity.fields:
            assert field.name.isidentifier() and field.name.isascii(), field.name
            assert field.name == field.name.lower()
            assert not keyword.iskeyword(field.name)
            assert field.name not in ("id", "metadata", "registry", "created_at", "updated_at")
            assert (field.type == "reference") == (field.references is not None)
            assert field.references is None or field.references in names
            assert (field.type == "enum") == bool(field.choices)
            assert field.type != "enum" or field.default is None or field.default in field.choices
            assert field.minimum is None or field.maximum is None or field.minimum <= field.maximum
        for rule in entity.rules:
            if rule.kind == "immutable_after":
                assert rule.fields[0] in fields
            else:
                assert set(rule.fields) <= set(fields)
        verbs = [transition.verb for transition in entity.transitions]
        assert len(set(verbs)) == len(verbs)
        for transition in entity.transitions:
            choices = next(f for f in entity.fields if f.name == transition.field).choices
            assert (
                transition.verb.isidentifier() and not keyword.iskeyword(transition.verb)
            ) or transition.verb == "return"
            assert transition.target in choices
            assert transition.sources and set(transition.sources) <= set(choices)
        assert set(entity.filters) <= set(fields)
        assert set(entity.search) <= set(fields)
    for link in plan.links:
        assert {link.left, link.right} <= set(names)
    assert len({report.name for report in plan.reports}) == len(plan.reports)
    for report in plan.reports:
        fields = [f.name for e in plan.entities if e.name == report.entity for f in e.fields]
        assert fields
        assert report.name.isidentifier()
        assert report.field is None or report.field in fields
        for group in report.group_by:
            assert group.partition(".")[0] in [*fields, "created_at"]


@given(_SENTENCES)
@_PLANS
def test_any_words_give_a_valid_plan(text: str) -> None:
    assert_valid(make_plan("Demo", ProjectType.API, text))


@given(st.text(max_size=300))
@_PLANS
def test_any_characters_give_a_valid_plan(text: str) -> None:
    assert_valid(make_plan("Demo", ProjectType.API, text))


@given(_SENTENCES)
@settings(max_examples=40, deadline=None)
def test_the_same_words_give_the_same_plan(text: str) -> None:
    first = make_plan("Demo", ProjectType.API, text)
    assert make_plan("Demo", ProjectType.API, text) == first


_BASE = make_plan(
    "Demo",
    ProjectType.API,
    "Boats have a name and a daily price. Customers book a boat from a start date to an end date. "
    "A booking can be requested, confirmed or cancelled. A boat can't be booked twice at the same time. "
    "How many bookings per boat?",
)
_REQUESTS = st.tuples(
    st.sampled_from(
        [
            "add",
            "remove",
            "rename",
            "make",
            "filter",
            "search",
            "allow",
            "track",
            "each",
            "how|many",
            "total",
        ]
    ),
    _SENTENCES,
).map(lambda pair: f"{pair[0].replace('|', ' ')} {pair[1]}")


@given(_REQUESTS | st.text(max_size=120))
@_PLANS
def test_any_request_is_refused_or_gives_a_valid_plan(request: str) -> None:
    change = change_plan(_BASE, request)
    if change.understood:
        assert change.plan is not None
        assert_valid(change.plan)
        assert change.steps
    else:
        assert change.plan is None
        assert "There are: Boat" in change.reason


@given(_REQUESTS)
@settings(max_examples=40, deadline=None)
def test_the_same_request_gives_the_same_change(request: str) -> None:
    assert change_plan(_BASE, request) == change_plan(_BASE, request)
