"""Documentation: what it tells, and that no text in it becomes more than text."""

import html
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.fakes.promoted import promote

from agenticai_core import content, documents, markdown
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound
from agenticai_core.models import Project, ProjectType
from agenticai_core.outlines import MAX_SOURCE, Outline, Route, read_outline
from agenticai_core.plans import Entity, EntityField, Plan, Report, Rule, Transition

Create = Callable[..., Project]
RENDER = MarkdownIt("commonmark", {"html": False}).enable("table").render
PLAN = Plan(
    name="Bikes",
    type=ProjectType.API,
    summary="Keeps repairs.",
    stack=("Python", "FastAPI"),
    entities=(
        Entity(
            name="Repair",
            plural="repairs",
            description="One bike on the stand",
            fields=(
                EntityField(name="price", type="decimal", minimum=0, unit="EUR"),
                EntityField(name="status", type="enum", choices=("open", "done"), default="open"),
                EntityField(name="bike", type="reference", references="Bike", required=False),
            ),
            rules=(Rule(kind="order", fields=("a", "b"), description="It ends after it begins"),),
            transitions=(
                Transition(verb="finish", field="status", sources=("open",), target="done"),
            ),
        ),
    ),
    reports=(Report(name="repairs_per_day", kind="count_by", entity="Repair"),),
    features=("request_logging",),
    assumptions=("A bike has one owner",),
    not_covered=("Payment",),
)
TREE = {
    "README.md": b"# Bikes\n\nRun it.\n",
    "app/main.py": b'"""The service.\n\nMore of it."""\nfrom fastapi import APIRouter\n'
    b'router = APIRouter(prefix="/repairs")\n'
    b'@router.get("/{id}")\nasync def show(id: int):\n    """Show a repair."""\n'
    b"class Stand: ...\ndef _hidden(): ...\n",
    "app/broken.py": b"def (:\n",
    "tests/test_main.py": b'"""Tests."""\n',
    "logo.png": b"\x89PNG\0",
}


@pytest.fixture
def project_id(services: Services, create: Create) -> str:
    made = create(name="Bike *shop*", description="Repairs.\n\n<b>Fast</b>").id
    promote(services, made, TREE, plan_key=content.put_plan(services.files, made, PLAN))
    return made


def test_they_tell_of_plan_code_and_readme(services: Services, project_id: str) -> None:
    text = documents.write_documents(services, "me", project_id)

    for line in (
        "# Bike \\*shop\\*",
        "Keeps repairs.",
        "- request logging",
        "One bike on the stand",
        "| `price` | decimal | yes | from 0; in EUR |",
        "| `status` | enum | yes | one of open, done; default open |",
        "| `bike` | reference | no | refers to Bike |",
        "- It ends after it begins",
        "- `finish`: open → done",
        "- `repairs_per_day`",
        "- A bike has one owner",
        "- Payment",
        "| GET | `/repairs/{id}` | Show a repair. | `app/main.py` |",
        "| `app/main.py` | The service. | `Stand`, `show` |",
        "| `logo.png` | 5 |",
        "Run it.",
    ):
        assert line in text.splitlines(), text
    assert "broken.py` |" in text  # among the files, and nowhere else
    assert text.count("broken.py") == 1
    assert "Tests." not in text


def test_each_revision_has_its_own(services: Services, project_id: str) -> None:
    promote(services, project_id, {"only.py": b""})

    assert "only.py" in documents.write_documents(services, "me", project_id)
    assert "only.py" not in documents.write_documents(services, "me", project_id, 1)
    with pytest.raises(NotFound):
        documents.write_documents(services, "me", project_id, 3)


def test_before_there_is_code_they_tell_what_is_known(services: Services, create: Create) -> None:
    text = documents.write_documents(services, "me", create(name="Shop").id)
    assert text == "# Shop\n\nA shop\n"


def test_a_long_readme_is_cut(services: Services, project_id: str) -> None:
    promote(services, project_id, {"README.md": "é".encode() * documents.MAX_README})
    text = documents.write_documents(services, "me", project_id)
    assert len(text.encode()) < 2 * documents.MAX_README
    assert text.endswith("…\n")


# ---- texts stay texts ---------------------------------------------------------------------------

PIECES = (
    *("|", "\n", "\\", "`", "``", "*", "_a_", "<script>", "&amp;", "[x](javascript:1)", "# "),
    *("1. ", "1) ", "- ", "+ ", "> ", "=", "---", "~~~", "http://x.test", "![", "  ", "a"),
)
TRICKY = st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=8).map("".join))


def shown(page: str) -> str:
    """The text that a reader sees."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


def expected(text: str) -> str:
    # The renderer shows what cannot be shown as U+FFFD.
    return " ".join(text.replace("\0", "\ufffd").split())


@settings(max_examples=400)
@given(text=TRICKY)
def test_a_line_means_nothing_to_markdown(text: str) -> None:
    page = RENDER(markdown.inline(text))
    assert set(re.findall(r"<(\w+)", page)) <= {"p"}
    assert shown(page) == expected(text)


@settings(max_examples=200)
@given(text=TRICKY)
def test_paragraphs_are_nothing_else(text: str) -> None:
    page = RENDER(markdown.paragraphs(text))
    assert set(re.findall(r"<(\w+)", page)) <= {"p", "br"}
    assert shown(page) == expected(text)


@settings(max_examples=300)
@given(rows=st.lists(st.tuples(TRICKY, TRICKY), min_size=1, max_size=3))
def test_a_table_keeps_its_rows_and_columns(rows: list[tuple[str, str]]) -> None:
    page = RENDER(markdown.table(("A", "B"), [[markdown.code(c) for c in row] for row in rows]))
    cells = re.findall(r"<td>(.*?)</td>", page, re.DOTALL)
    assert [shown(cell) for cell in cells] == [expected(text) for row in rows for text in row]


@settings(max_examples=200)
@given(items=st.lists(TRICKY.filter(str.strip), min_size=1, max_size=4))
def test_a_list_keeps_its_items(items: list[str]) -> None:
    page = RENDER(markdown.bullets(map(markdown.inline, items)))
    found = re.findall(r"<li>(.*?)</li>", page, re.DOTALL)
    assert [shown(item) for item in found] == [expected(text) for text in items]


# ---- outlines -----------------------------------------------------------------------------------


def test_an_outline_is_of_what_is_public() -> None:
    assert read_outline(TREE["app/main.py"]) == Outline(
        "The service.", ("Stand",), ("show",), (Route("GET", "/repairs/{id}", "Show a repair."),)
    )


def test_routes_are_found_by_their_decorators() -> None:
    source = b"""
app = FastAPI()
users = APIRouter(tags=["users"], prefix="/users")
@app.get("/")
def root(): ...
@users.post("")
@users.put("/{id}", status_code=201)
def store(): ...
@app.get(path)
@app.task("x")
@cache("/no")
@app.get()
@app.get(1)
def other(): ...
class A:
    @app.get("/method")
    def method(self): ...
"""
    found = read_outline(source)
    assert found is not None
    assert [(route.method, route.path) for route in found.routes] == [
        ("GET", "/"),
        ("POST", "/users"),
        ("PUT", "/users/{id}"),
    ]


@pytest.mark.parametrize(
    "source",
    [
        b"def (:",
        b"\0",
        b"\xff\xfe\xfa",
        b"# coding: no-such\n",
        b"(" * 5000,
        b"-" * 100_000 + b"1",
        b"a" + b".a" * 60_000,
        b"+".join([b"1"] * 90_000),
        b"[" * 199 + b"]" * 199,
        b"if 1:\n" + b"".join(b" " * n + b"if 1:\n" for n in range(1, 99)),
        b"x = " + b"not " * 40_000 + b"1",
        b"f(" * 190 + b")" * 190,
        b"lambda: " * 20_000 + b"1",
        b" " * (MAX_SOURCE + 1),
    ],
    ids=lambda source: source[:12].decode("latin-1").strip(),
)
def test_code_that_cannot_be_read_has_no_outline(source: bytes) -> None:
    found = read_outline(source)
    assert found is None or not found.routes


def test_nothing_is_executed(capsys: pytest.CaptureFixture[str]) -> None:
    found = read_outline(b'"""Fine."""\nprint("run")\nraise SystemExit\n')
    assert found is not None
    assert capsys.readouterr().out == ""
