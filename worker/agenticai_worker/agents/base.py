"""What the agents share: their tools, the candidate tree, and units that change files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from agenticai_core import metrics
from agenticai_core.content import put_manifest, put_object, read_tree
from agenticai_core.models import EventDraft, FileEntry, Manifest, Model
from agenticai_core.plans import Plan
from agenticai_worker.sandbox.base import Level, Sandbox, suffices
from agenticai_worker.work import PermanentFailure, Work

OUTPUT_TOKENS = 16_384  # for one answer; models that think count their thoughts among them


@dataclass(frozen=True)
class Tools:
    """What an agent may use besides its `Work`."""

    sandbox: Sandbox
    required: Level = "basic"  # the weakest sandbox in which generated code may run


class Changes(Model):
    """What one unit did to the tree: path -> new text, or None for a deleted file."""

    files: dict[str, str | None]


def must_be_safe(tools: Tools) -> None:
    """Refuse to run what others wrote in a sandbox weaker than ``tools.required``."""
    if not suffices(tools.sandbox.level, tools.required):
        missing = ", ".join(tools.sandbox.missing) or "isolation"
        metrics.record(metrics.SANDBOX_REFUSALS)
        raise PermanentFailure(
            "SANDBOX_TOO_WEAK",
            f"Generated code may run in a {tools.required} sandbox only; this one is "
            f"{tools.sandbox.level}, it lacks: {missing}",
            "Run the worker where these are available, or lower AGENTICAI_SANDBOX_REQUIRE",
        )


def current_plan(work: Work) -> Plan:
    return work.document("plan", Plan)


def read_text_tree(work: Work) -> dict[str, str]:
    """The candidate tree as text; what a user has added need not be any, and is only named."""
    tree = read_tree(work.files, work.project.id, work.document("manifest", Manifest))
    return {path: _as_text(content) for path, content in tree.items()}


def _as_text(content: bytes) -> str:
    # Never a mended text: an edit of that would write back what was lost in it.
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"(a binary file of {len(content)} bytes)\n"


def change_unit(
    work: Work, name: str, step: tuple[int, int], produce: Callable[[], Mapping[str, str | None]]
) -> dict[str, str | None]:
    """Run a unit that changes files, and tell one event per file.

    ``step`` is the unit's number and of how many. A rerun of the task gets the stored changes
    back without asking the model again.
    """

    def make() -> bytes:
        return _as_bytes(Changes(files=dict(produce())))

    def tell(result: bytes) -> Sequence[EventDraft]:
        changes = Changes.model_validate_json(result).files
        return [file_event(work, name, path, text, step) for path, text in changes.items()]

    return dict(Changes.model_validate_json(work.unit(name, make, tell)).files)


def file_event(
    work: Work, unit: str, path: str, text: str | None, step: tuple[int, int]
) -> EventDraft:
    """That a unit wrote a file, or deleted it; ``step`` is which one and of how many."""
    label = unit if unit == f"file:{path}" else f"{unit}:{path}"
    n, of = step
    if text is None:
        return work.event(label, "file_deleted", path=path, n=n, of=of)
    return work.event(label, "file_written", path=path, size=len(text.encode()), n=n, of=of)


def _as_bytes(document: BaseModel) -> bytes:
    return document.model_dump_json().encode()


def update_tree(tree: dict[str, str], changes: Mapping[str, str | None]) -> None:
    """Bring ``tree`` up to date with the changes of one unit."""
    for path, text in changes.items():
        if text is None:
            tree.pop(path, None)
        else:
            tree[path] = text


def store_changes(work: Work, changes: Mapping[str, str | None], base: Manifest | None) -> str:
    """Store what changed and the manifest of the whole tree on top of ``base``; its key.

    Contents are addressed by their hash, so storing them again after a crash changes nothing.
    """
    entries: dict[str, FileEntry] = dict(base.files) if base else {}
    for path, text in changes.items():
        if text is None:
            entries.pop(path, None)
        else:
            entries[path] = put_object(work.files, work.project.id, text.encode())
    if not entries:
        raise PermanentFailure("EMPTY_PROJECT", "The change would leave no file in the project.")
    return put_manifest(work.files, work.project.id, entries)
