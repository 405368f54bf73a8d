"""Who imports whom in a tree of files: Python by its syntax tree, JavaScript by its statements."""

import ast
import posixpath
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

Graph = Mapping[str, frozenset[str]]

_SCRIPTS = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx")
_SCRIPT_IMPORT = re.compile(
    r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["'](?P<target>\.{1,2}/[^"'\n]{1,200})["']"""
)
_ROOTS = ("", "src/")  # where a project's top-level packages may lie


def import_graph(tree: Mapping[str, str]) -> Graph:
    """path -> the files of the tree that it imports; files that do not parse import nothing."""
    return {path: frozenset(_imports(path, text, tree)) - {path} for path, text in tree.items()}


def describe_importers(tree: Mapping[str, str]) -> str:
    """One line for each file that others import: ``app/models.py <- app/store.py, …``."""
    importers = _importers(import_graph(tree))
    return "\n".join(
        f"{path} <- {', '.join(sorted(importers[path]))}" for path in sorted(importers)
    )


def dependants(graph: Graph, paths: Iterable[str]) -> tuple[str, ...]:
    """The files that import one of ``paths``, directly or through others, without ``paths``."""
    importers = _importers(graph)
    start = set(paths)
    seen, waiting = set(start), list(start)
    while waiting:
        fresh = importers.get(waiting.pop(), set()) - seen
        seen |= fresh
        waiting.extend(fresh)
    return tuple(sorted(seen - start))


def _importers(graph: Graph) -> dict[str, set[str]]:
    importers: dict[str, set[str]] = {}
    for path, imported in graph.items():
        for target in imported:
            importers.setdefault(target, set()).add(path)
    return importers


def distances(graph: Graph, focus: Iterable[str]) -> dict[str, int]:
    """How many imports (in either direction) lie between each reachable file and ``focus``."""
    links: dict[str, set[str]] = {path: set(imported) for path, imported in graph.items()}
    for path, imported in graph.items():
        for target in imported:
            links[target].add(path)
    found = {path: 0 for path in focus if path in links}
    waiting = list(found)
    for path in waiting:  # grows while it is walked: breadth first
        for other in sorted(links[path] - found.keys()):
            found[other] = found[path] + 1
            waiting.append(other)
    return found


def _imports(path: str, text: str, tree: Mapping[str, str]) -> Iterator[str]:
    suffix = PurePosixPath(path).suffix
    if suffix == ".py":
        for module in _python_modules(path, text):
            yield from _python_files(module, tree)
    elif suffix in _SCRIPTS:
        for match in _SCRIPT_IMPORT.finditer(text):
            yield from _script_files(path, match["target"], tree)


def _python_modules(path: str, text: str) -> Iterator[str]:
    """Dotted names that might be modules: ``from a import b`` gives both ``a`` and ``a.b``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base_module(path, node)
            yield base
            yield from (f"{base}.{name.name}".strip(".") for name in node.names)


def _base_module(path: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    folders = path.split("/")[: -node.level]
    return ".".join([*folders, *([node.module] if node.module else [])])


def _python_files(module: str, tree: Mapping[str, str]) -> Iterator[str]:
    if not module:
        return
    stem = module.replace(".", "/")
    for root in _ROOTS:
        for candidate in (f"{root}{stem}.py", f"{root}{stem}/__init__.py"):
            if candidate in tree:
                yield candidate


def _script_files(path: str, target: str, tree: Mapping[str, str]) -> Iterator[str]:
    stem = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    endings = ("", *_SCRIPTS, *(f"/index{suffix}" for suffix in _SCRIPTS))
    return (stem + ending for ending in endings if stem + ending in tree)
