"""Whether the text of one generated file can be what it says it is.

Pure checks that never run the text: does it parse, and did the model leave something out and
write a note in its place. Everything here takes hostile input.
"""

import ast
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import yaml

MAX_FILE_CHARACTERS = 200_000
_PROSE = frozenset({".md", ".rst", ".txt"})  # may well show "# ..." in an example
_COMMENT = re.compile(r"^\s*(?:#|//|/\*+|\*|<!--|--|\{#|;)\s*(?P<text>.*?)\s*(?:\*/|-->|#\})?\s*$")
_ELLIPSIS = re.compile(r"^(?:\.{3}|…)")
_SOMETHING = r"(?:code|file|function|class|method|import|content|implementation|route|test|logic)s?"
_OMITTED = re.compile(
    rf"^[\[(]?(?:the\s+)?(?:rest|remainder|remaining|existing|previous|other)\b.*\b{_SOMETHING}\b"
    r".*\b(?:unchanged|same|as before|here|omitted|remains?|stays?)\b"
    rf"|^[\[(]?(?:rest of (?:the )?{_SOMETHING}|existing {_SOMETHING}|rest unchanged)[\])]?\.*$"
    r"|\b(?:omitted|shortened|truncated) for brevity\b",
    re.IGNORECASE,
)


def find_problem(path: str, text: str) -> str | None:
    """Why ``text`` cannot be kept as the file ``path``, in one sentence, or None."""
    if len(text) > MAX_FILE_CHARACTERS:
        return f"it has {len(text)} characters, more than {MAX_FILE_CHARACTERS}"
    if "\x00" in text:
        return "it contains a NUL character"
    return find_elision(path, text) or _find_syntax_error(path, text)


def find_elision(path: str, text: str) -> str | None:
    """The first note that stands for code left out ("... rest unchanged"), or None."""
    if PurePosixPath(path).suffix.lower() in _PROSE:
        return None
    for number, line in enumerate(text.split("\n"), start=1):
        comment = _COMMENT.match(line[:500])
        if comment and _is_omission(comment["text"]):
            return f"line {number} leaves code out: {line.strip()[:80]!r}; write it in full"
        if path.endswith((".js", ".ts", ".jsx", ".tsx", ".css")) and line.strip() in ("...", "…"):
            return f"line {number} is '...' where code should be; write it in full"
    return None


def _is_omission(comment: str) -> bool:
    return bool(_ELLIPSIS.match(comment) or _OMITTED.search(comment))


def _find_syntax_error(path: str, text: str) -> str | None:
    check = _CHECKS.get(PurePosixPath(path).suffix.lower())
    if check is None or not text.strip():
        return None
    try:
        return check(text)
    except SyntaxError as error:
        return f"it is not valid Python: {error.msg} (line {error.lineno})"
    except (ValueError, yaml.YAMLError) as error:
        return f"it does not parse: {str(error)[:200]}"
    except (RecursionError, MemoryError):
        return "it is nested too deeply to parse"


def _check_python(text: str) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape is a warning, not an error
        tree = ast.parse(text)
    for line in _ellipsis_bodies(tree):
        return f"line {line} is '...' where code should be; write it in full"
    return None


def _ellipsis_bodies(tree: ast.Module) -> Iterator[int]:
    """Lines of ``...`` that stand for missing code: not in protocols, abstract or empty classes."""
    stack: list[tuple[ast.AST, bool]] = [(tree, False)]
    while stack:
        node, in_interface = stack.pop()
        body = getattr(node, "body", None)
        if isinstance(body, list):
            dots = [statement for statement in body if _is_ellipsis(statement)]
            if dots and not _may_be_empty(node, body, in_interface):
                yield dots[0].lineno
        inside = _is_interface(node) or in_interface
        stack.extend((child, inside) for child in ast.iter_child_nodes(node))


def _is_ellipsis(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and node.value.value is Ellipsis
    )


def _may_be_empty(node: ast.AST, body: list[ast.stmt], in_interface: bool) -> bool:
    rest = [statement for statement in body if not _is_ellipsis(statement)]
    if any(not _is_docstring(statement) for statement in rest):
        return False
    if isinstance(node, ast.ClassDef):
        return True
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return in_interface or any(
            "abstract" in ast.unparse(mark) or "overload" in ast.unparse(mark)
            for mark in node.decorator_list
        )
    return False


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_interface(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef) and any(
        isinstance(part, ast.Name | ast.Attribute)
        and (part.id if isinstance(part, ast.Name) else part.attr) in ("Protocol", "ABC")
        for base in node.bases
        for part in ast.walk(base)
    )


def _check_json(text: str) -> str | None:
    json.loads(text)
    return None


def _check_toml(text: str) -> str | None:
    tomllib.loads(text)
    return None


def _check_yaml(text: str) -> str | None:
    # Composing finds every syntax error and builds no values, so that nothing can be expanded.
    for _ in yaml.compose_all(text, Loader=yaml.SafeLoader):
        pass
    return None


_CHECKS: dict[str, Callable[[str], str | None]] = {
    ".py": _check_python,
    ".pyi": _check_python,
    ".json": _check_json,
    ".toml": _check_toml,
    ".yaml": _check_yaml,
    ".yml": _check_yaml,
}
