"""What can be said of a template without rendering it: sizes, paths, syntax, names.

A user's template is parsed here and never compiled: jinja2 computes constant expressions while it
compiles, and `{{ 9 ** 9 ** 9 }}` takes for ever.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import jinja2
from jinja2 import nodes

from agenticai_core.errors import UnsafePath, ValidationFailed
from agenticai_core.paths import check_collisions, safe_path
from agenticai_core.templates.models import (
    MAX_FILE,
    MAX_TOTAL,
    TemplateFile,
    is_dynamic,
    skeleton,
)
from agenticai_core.templates.rendering import make_environment

MAX_CODE = 100_000  # characters between braces, of all files: parsing them takes a second

Problem = dict[str, Any]  # field, message, and where they are known: file, line, name

_LANGUAGE = make_environment()
_CODE = re.compile(r"\{[{%].*?(?:[}%]\}|\Z)", re.DOTALL)
_IN_PLACES = frozenset({"loop", "caller", "varargs", "kwargs"})  # defined in loops and macros
# There is nothing to load them from, and the last computes its argument while it is compiled.
_REFUSED: Mapping[type[nodes.Node], str] = {
    nodes.Extends: "extends",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from … import",
    nodes.Block: "block",
    nodes.EvalContextModifier: "autoescape",
}


class InvalidTemplate(ValidationFailed):
    """A file of the template is no template, is too large, or uses what is not declared."""

    code = "INVALID_TEMPLATE"


def check_files(files: Sequence[TemplateFile], declared: Iterable[str]) -> None:
    """Raise `InvalidTemplate` with every problem in ``details.errors``."""
    known = frozenset(declared)
    problems = list(_size_problems(files))
    if not problems:  # else looking at them could take long
        problems += [*_path_problems(files), *_code_problems(files, known)]
    if problems:
        first = problems[0]
        place = f"{first['file']}, line {first['line']}" if "line" in first else first["field"]
        more = f" ({len(problems) - 1} more in details.errors)" if len(problems) > 1 else ""
        raise InvalidTemplate(
            f"{place}: {first['message']}{more}",
            hint="Declare every name that the files use in variables",
            details={"field": first["field"], "errors": problems[:100]},
        )


def names_in(file: TemplateFile) -> tuple[str, ...]:
    """The variables that a checked file uses, sorted.

    Raises `InvalidTemplate` where its nesting could be checked, but not from here in the stack.
    """
    try:
        trees = [_LANGUAGE.parse(text) for text in _templates_of(file)]
        return tuple(sorted({name for tree in trees for name, _ in _free_names(tree)}))
    except RecursionError:
        raise InvalidTemplate(f"{file.path} is nested too deep") from None


def _templates_of(file: TemplateFile) -> tuple[str, ...]:
    return (file.path, file.content) if file.is_template else (file.path,)


def _size_problems(files: Sequence[TemplateFile]) -> Iterator[Problem]:
    total = 0
    for position, file in enumerate(files):
        size = len(file.content.encode())
        total += size
        if size > MAX_FILE:
            message = f"has {size} bytes; a file has at most {MAX_FILE}"
            yield {"field": f"files.{position}.content", "file": file.path, "message": message}
    texts = (text for file in files for text in _templates_of(file))
    code = sum(len(found.group()) for text in texts for found in _CODE.finditer(text))
    if code > MAX_CODE:
        message = f"hold {code} characters between braces; at most {MAX_CODE} are possible"
        yield {"field": "files", "message": message}
    if total > MAX_TOTAL:
        message = f"have {total} bytes together; at most {MAX_TOTAL} are possible"
        yield {"field": "files", "message": message}


def _code_problems(files: Sequence[TemplateFile], known: frozenset[str]) -> Iterator[Problem]:
    for position, file in enumerate(files):
        for text in _templates_of(file):
            for problem in _syntax_problems(text, known):
                yield {"field": f"files.{position}", "file": file.path, **problem}


def _path_problems(files: Sequence[TemplateFile]) -> Iterator[Problem]:
    seen: set[str] = set()
    for position, file in enumerate(files):
        where = {"field": f"files.{position}.path", "file": file.path}
        if file.path in seen:
            yield where | {"message": "is there twice"}
        seen.add(file.path)
        try:
            shown = skeleton(file.path) if is_dynamic(file.path) else file.path
            if safe_path(shown) != shown:
                yield where | {"message": "is not in its usual spelling (NFC)"}
        except UnsafePath as error:
            yield where | {"message": error.message}
    try:
        check_collisions(path for path in sorted(seen) if not is_dynamic(path))
    except UnsafePath as error:
        yield {"field": "files", "message": error.message}


def _syntax_problems(text: str, known: frozenset[str]) -> Iterator[Problem]:
    try:
        tree = _LANGUAGE.parse(text)
        found = [*_forbidden(tree), *_unknown(tree, known)]
    except jinja2.TemplateSyntaxError as error:
        yield {"line": error.lineno, "message": error.message or "is not a template"}
        return
    except RecursionError:
        yield {"line": 1, "message": "is nested too deep"}
        return
    yield from sorted(found, key=lambda problem: int(problem["line"]))


def _forbidden(tree: nodes.Template) -> Iterator[Problem]:
    for kind, name in _REFUSED.items():
        for node in tree.find_all(kind):
            yield {"line": node.lineno, "name": name, "message": f"'{name}' is not available"}
    for used, there, what in (
        (nodes.Filter, _LANGUAGE.filters, "filter"),
        (nodes.Test, _LANGUAGE.tests, "test"),
    ):
        for node in tree.find_all(used):
            if node.name not in there:
                message = f"there is no {what} '{node.name}'"
                yield {"line": node.lineno, "name": node.name, "message": message}


def _unknown(tree: nodes.Template, known: frozenset[str]) -> Iterator[Problem]:
    for name, line in _free_names(tree):
        if name not in known:
            message = f"the variable '{name}' is not declared"
            yield {"line": line, "name": name, "message": message}


def _free_names(tree: nodes.Template) -> Iterator[tuple[str, int]]:
    """Names and lines of what is read and set nowhere in the file.

    A name that is set in one place and read in another where it is not defined passes: rendering
    finds it.
    """
    named = list(tree.find_all(nodes.Name))
    own = {name.name for name in named if name.ctx != "load"}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)}
    own |= _IN_PLACES | _LANGUAGE.globals.keys()
    for name in named:
        if name.ctx == "load" and name.name not in own:
            yield name.name, name.lineno
