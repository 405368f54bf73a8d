"""Which files of a tree a prompt quotes: the nearest first, as far as its budget goes."""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agenticai_worker.imports import distances, import_graph

_FAR = 1_000


@dataclass(frozen=True)
class Context:
    """``quoted`` in full, nearest first; ``listed`` by their paths alone."""

    quoted: tuple[tuple[str, str], ...]
    listed: tuple[str, ...]


def choose_context(
    tree: Mapping[str, str], focus: Iterable[str], budget: int, leave_out: Iterable[str] = ()
) -> Context:
    """Pick files by how few imports lie between them and ``focus``, then by folder and path.

    ``budget`` in characters; a file that does not fit is listed, and smaller ones further away
    still get their chance. Files in ``leave_out`` are neither quoted nor listed.
    """
    near = distances(import_graph(tree), focus)
    folders = {posixpath.dirname(path) for path in focus}
    skipped = set(leave_out)

    def closeness(path: str) -> tuple[int, bool, str]:
        return near.get(path, _FAR), posixpath.dirname(path) not in folders, path

    quoted, listed = [], []
    for path in sorted((path for path in tree if path not in skipped), key=closeness):
        if len(tree[path]) <= budget:
            budget -= len(tree[path])
            quoted.append((path, tree[path]))
        else:
            listed.append(path)
    return Context(tuple(quoted), tuple(sorted(listed)))
