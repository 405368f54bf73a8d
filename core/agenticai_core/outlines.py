"""What Python code offers, read from its syntax alone: nothing is imported or run.

Code that cannot be read has no outline; it is generated, or a user's, and may be anything.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

MAX_SOURCE = 200_000  # bytes; larger modules have no outline
_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "websocket"})
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Route:
    """An HTTP route that a decorator tells of, as its module has it."""

    method: str
    path: str
    summary: str


@dataclass(frozen=True)
class Outline:
    """A module: its docstring's first line, its public names, its routes."""

    summary: str
    classes: tuple[str, ...]
    functions: tuple[str, ...]
    routes: tuple[Route, ...]


def read_outline(source: bytes) -> Outline | None:
    """None where the code is too large, is broken, or is no Python."""
    if len(source) > MAX_SOURCE:
        return None
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    public = [node for node in module.body if not getattr(node, "name", "_").startswith("_")]
    return Outline(
        summary=_first_line(module),
        classes=tuple(node.name for node in public if isinstance(node, ast.ClassDef)),
        functions=tuple(node.name for node in public if isinstance(node, _Function)),
        routes=tuple(_routes(module)),
    )


def _first_line(node: ast.Module | _Function) -> str:
    text = (ast.get_docstring(node) or "").strip()
    return text.splitlines()[0] if text else ""


def _routes(module: ast.Module) -> Iterator[Route]:
    prefixes = _prefixes(module)
    for node in module.body:
        for decorator in node.decorator_list if isinstance(node, _Function) else ():
            match decorator:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=router), attr=method),
                    args=[ast.Constant(value=str(path)), *_],
                ) if method in _METHODS and isinstance(node, _Function):
                    whole = prefixes.get(router, "") + path
                    yield Route(method.upper(), whole or "/", _first_line(node))


def _prefixes(module: ast.Module) -> dict[str, str]:
    """Of each ``router = APIRouter(prefix="/…")``."""
    found = {}
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(keywords=keywords)):
                for keyword in keywords:
                    match keyword:
                        case ast.keyword(arg="prefix", value=ast.Constant(value=str(prefix))):
                            found[name] = prefix
    return found
