"""The template language, what is told of a template before it is rendered, and its values."""

import re
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from agenticai_core.errors import UnsafePath, ValidationFailed
from agenticai_core.paths import safe_path
from agenticai_core.templates import rendering
from agenticai_core.templates.checking import InvalidTemplate, check_files, names_in
from agenticai_core.templates.models import Line, TemplateFile, Variable, is_dynamic
from agenticai_core.templates.patterns import check_pattern, matches
from agenticai_core.templates.rendering import RenderFailed
from agenticai_core.templates.values import fill_in


def file(path: str, content: str = "", *, is_template: bool = True) -> TemplateFile:
    return TemplateFile(path=path, content=content, is_template=is_template)


def render(*files: TemplateFile, **variables: str) -> dict[str, str]:
    request = {"files": [one.model_dump() for one in files], "variables": variables}
    made: dict[str, str] = rendering.render(request)["files"]
    return made


def problems(*files: TemplateFile, declared: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    with pytest.raises(InvalidTemplate) as refused:
        check_files(files, declared)
    found: list[dict[str, Any]] = refused.value.details["errors"]
    return found


# ---- rendering ----------------------------------------------------------------------------------


def test_paths_and_contents_are_rendered_and_verbatim_files_are_not() -> None:
    made = render(
        file("src/{{ name | snake }}.py", "NAME = {{ name | quoted }}\n"),
        file("{{ name }}.tsx", "{{ not_mine }}", is_template=False),
        name="My API",
    )

    assert made == {"src/my_api.py": 'NAME = "My API"\n', "My API.tsx": "{{ not_mine }}"}


def test_a_file_without_a_path_is_left_out() -> None:
    files = [file("{% if docker == 'yes' %}Dockerfile{% endif %}", "FROM x\n"), file("a", "b")]

    assert render(*files, docker="no") == {"a": "b"}
    assert render(*files, docker="yes") == {"Dockerfile": "FROM x\n", "a": "b"}


@pytest.mark.parametrize(
    ("text", "slug", "snake", "pascal"),
    [
        ("My API", "my-api", "my_api", "MyApi"),
        ("  Büro & Söhne, 2 ", "buro-sohne-2", "buro_sohne_2", "BuroSohne2"),
        ("2nd try", "2nd-try", "n2nd_try", "N2ndTry"),
        ("日本", "project", "project", "Project"),
        ("", "project", "project", "Project"),
    ],
)
def test_names_take_the_form_of_their_place(text: str, slug: str, snake: str, pascal: str) -> None:
    assert rendering.slug(text) == slug
    assert rendering.snake(text) == snake
    assert rendering.pascal(text) == pascal


@given(st.text())
def test_names_are_always_names(text: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rendering.slug(text))
    assert rendering.snake(text).isidentifier()
    assert rendering.pascal(text).isidentifier()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_quoted_text_is_that_text_for_python(text: str) -> None:
    assert eval(rendering.quoted(text)) == text


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("a\nb\n{{ absent }}\n", 3, "'absent' is undefined"),
        ("{{ 1 / 0 }}", 1, "division by zero"),
        ("{% if %}", 1, "Expected an expression"),
        ("a\n{{ ().__class__.__bases__ }}", 2, "unsafe"),
        ("{{ 'a' | shout }}", 1, "No filter named 'shout'"),
        ("{% include 'x' %}", 1, "no loader"),
        ("{% set l = [] %}\n{{ l.append(1) }}", 2, "append"),
    ],
)
def test_what_cannot_be_rendered_names_file_and_line(content: str, line: int, words: str) -> None:
    with pytest.raises(RenderFailed) as failed:
        render(file("good", "x"), file("bad.txt", content))

    assert (failed.value.file, failed.value.line) == ("bad.txt", line)
    assert words in failed.value.message


LINES: TypeAdapter[str] = TypeAdapter(Line)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=5))
@example("\r")
@example("\x1c")
@example("\x85")
@example(" a\n")
def test_a_line_is_taken_where_its_schema_says_so(text: str) -> None:
    pattern = LINES.json_schema()["pattern"]
    try:
        taken = LINES.validate_python(text)
    except ValidationError:
        assert not re.search(pattern, text)
    else:
        assert re.search(pattern, text)
        assert taken in text


def test_two_files_of_one_path_are_refused() -> None:
    with pytest.raises(RenderFailed, match=r"another file is rendered to x too"):
        render(file("{{ a }}"), file("{{ b }}"), a="x", b="x")


def test_what_grows_too_large_is_refused() -> None:
    with pytest.raises(RenderFailed, match="too large"):
        render(file("a", "{{ 'x' * 1000001 }}"))


def test_the_program_reads_and_writes_its_files(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    request = '{"files": [{"path": "a", "content": "{{ x }}", "is_template": true}], "plan": null, '
    (tmp_path / rendering.REQUEST).write_text(request + '"variables": {"x": "1"}}')
    rendering.main()
    assert (tmp_path / rendering.RESULT).read_text() == '{"files": {"a": "1"}, "plan": null}'
    (tmp_path / rendering.REQUEST).write_text(request + '"variables": {}}')
    rendering.main()
    assert '"error": {"file": "a", "line": 1' in (tmp_path / rendering.RESULT).read_text()


# ---- checking -----------------------------------------------------------------------------------


def test_every_problem_is_told_with_its_place() -> None:
    found = problems(
        file("a", "{{ x }}\n{{ y }}\n{{ known }}"), file("b", "{% for %}"), declared=("known",)
    )

    assert [(one["file"], one["line"], one.get("name")) for one in found] == [
        ("a", 1, "x"),
        ("a", 2, "y"),
        ("b", 1, None),
    ]


def test_what_a_template_defines_itself_is_declared() -> None:
    text = """
    {% set greeting = "x" %}{% for one in names.split() %}{{ loop.index }}{{ one }}{% endfor %}
    {% macro show(what, times=2) %}{{ what * times }}{{ varargs }}{{ caller() }}{% endmacro %}
    {% with here = 1 %}{{ here }}{% endwith %}{{ show("a") }}{{ range(3) | join }}{{ greeting }}
    """
    check_files([file("a", text)], ["names"])

    assert names_in(file("{{ p }}", text)) == ("names", "p")


@pytest.mark.parametrize(
    "text",
    [
        "{{ 9 ** 9 ** 9 ** 9 }}",
        "{{ 'x' * 10 ** 12 }}",
        "{{ 'a' | center(10 ** 12) }}",
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% if 9 ** 9 ** 9 %}{% endif %}",
    ],
)
def test_checking_computes_nothing(text: str) -> None:
    began = time.monotonic()
    check_files([file("a", text)], [])

    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    "text",
    ["{{ " + "(" * 5000 + ")" * 5000 + " }}", "{{ " + "[" * 5000, "{{ 1" + " + 1" * 10_000 + " }}"],
)
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    assert problems(file("a", text))[0]["message"] == "is nested too deep"


@pytest.mark.parametrize("text", ["{{ 1 }}" * 14_286, "{% if " + "x" * 100_000])
def test_too_much_code_is_refused_unread(text: str) -> None:
    assert "characters between braces" in problems(file("a", text))[0]["message"]


_PIECES = st.sampled_from(
    [
        "a",
        "B",
        "/",
        "..",
        ".",
        "{{ v }}",
        "{% if v %}x{% endif %}",
        "\\",
        " ",
        "con",
        "é",
        "\0",
        "|",
    ]
)
_PATHS = st.lists(_PIECES, min_size=1, max_size=6).map("".join)


@settings(max_examples=300)
@given(_PATHS, st.text(max_size=6))
def test_no_unsafe_path_comes_out_unseen(path: str, value: str) -> None:
    """A path that is refused by nobody is one that is fit to be stored."""
    if len(path) > 240:
        return
    try:
        check_files([file(path)], ["v"])
    except InvalidTemplate:
        return
    if not is_dynamic(path):
        assert safe_path(path) == path
        return
    try:
        (rendered,) = render(file(path), v=value) or {"ok": ""}
    except RenderFailed:
        return
    # The worker looks at what came out once more: it must either be fit, or be refused there.
    try:
        clean = safe_path(rendered)
    except UnsafePath:
        return
    assert not clean.startswith("/")
    assert ".." not in clean.split("/")


# ---- patterns -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z][a-z0-9-]*",
        r"\d+\.\d+\.\d+",
        "https?://[^ ]+",
        r"[\w .,&()+'-]{0,59}\w",
        r"^[a-z]{2}$",
        ".",
        r"[\]\\]",
        '[^"\\\\|`<>{}\\n]{1,160}',
    ],
)
def test_plain_patterns_are_taken(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a|a)*",
        "a**",
        "a+?",
        "a|b",
        "(?=a)",
        r"(a)\1",
        "a*a*a*a*",
        "a?b?c?d?",
        ".{0,1000}",
        "[z-a]",
        "[",
        "",
        "a{3}{4}",
        r"\b",
        r"\A",
        "a$b",
        "{3}",
    ],
)
def test_other_patterns_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_pattern(pattern)


def test_the_slowest_pattern_that_is_taken_is_quick() -> None:
    pattern = "[a-z]*[a-z]*[a-z]*!"
    check_pattern(pattern)
    began = time.monotonic()

    assert not matches(pattern, "a" * 200)
    assert time.monotonic() - began < 2


@settings(max_examples=300)
@given(st.text(st.sampled_from("ab[]()*+?{}1,2|\\d.^$-"), max_size=12))
def test_a_pattern_that_is_taken_can_be_compiled(pattern: str) -> None:
    try:
        check_pattern(pattern)
    except ValueError:
        return
    re.compile(pattern)


# ---- values -------------------------------------------------------------------------------------

VARIABLES = (
    Variable(name="project_name", pattern=r"\w+"),
    Variable(name="size", choices=("small", "large")),
    Variable(name="note", required=False),
    Variable(name="mode", required=False, default="fast"),
)


def test_every_variable_gets_a_value() -> None:
    assert fill_in(VARIABLES, "Name", {"size": "small"}) == {
        "project_name": "Name",
        "size": "small",
        "note": "",
        "mode": "fast",
    }


def test_a_template_without_the_name_is_not_given_it() -> None:
    assert fill_in(VARIABLES[2:], "Name", {}) == {"note": "", "mode": "fast"}


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ValidationFailed) as refused:
        fill_in(VARIABLES, "two words", {"mode": "a\0b", "what": "x"})

    told = {one["field"]: one["message"] for one in refused.value.details["errors"]}
    assert told == {
        "project_name": r"must match \w+",
        "variables.size": "is required",
        "variables.mode": "has control characters",
        "variables.what": "is not a variable of this template (project_name, size, note, mode)",
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "if"},
        {"name": "None"},
        {"name": "x" * 41},
        {"name": "a", "required": True, "default": "x"},
        {"name": "a", "required": False, "default": "x", "pattern": "[0-9]"},
        {"name": "a", "pattern": "(a+)+"},
    ],
)
def test_a_variable_that_contradicts_itself_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Variable(**fields)
