"""The built-in templates: a folder each, with `template.json`, `files/`, perhaps `plan.json.j2`.

Files whose name ends in `.j2` are rendered, the others taken as they are. ``renamed`` in
`template.json` maps folders to what they are called in the project, where that holds a variable.
"""

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import structlog

from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp
from agenticai_core.content import sha256
from agenticai_core.retrying import retry_conflicts
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import Put, Store, absent
from agenticai_core.templates import library
from agenticai_core.templates.checking import check_files
from agenticai_core.templates.models import (
    BUILTIN_OWNER,
    NewTemplate,
    Template,
    TemplateFile,
)

_HERE = Path(__file__).parent
_OF_THE_ROW = ("id", "owner_id", "version", "created_at", "updated_at")  # not of the package
_log = structlog.get_logger()


@dataclass(frozen=True)
class BuiltIn:
    """One template as it is shipped."""

    id: str
    new: NewTemplate
    plan: str | None  # JSON with variables


@functools.cache
def load_builtins() -> tuple[BuiltIn, ...]:
    """Every template of the package, checked, by id."""
    folders = sorted(path.parent for path in _HERE.glob("*/template.json"))
    return tuple(_load(folder) for folder in folders)


def _load(folder: Path) -> BuiltIn:
    told = json.loads((folder / "template.json").read_text(encoding="utf-8"))
    renamed = told.pop("renamed", {})
    files = [_read(path, folder / "files", renamed) for path in _walk(folder / "files")]
    plan = folder / "plan.json.j2"
    new = NewTemplate(files=tuple(files), **told)
    text = plan.read_text(encoding="utf-8") if plan.exists() else None
    checked = [*files, TemplateFile(path="plan.json", content=text)] if text else files
    check_files(checked, (variable.name for variable in new.variables))
    return BuiltIn(folder.name, new, text)


def _walk(root: Path) -> list[Path]:
    """A template's files, without the bytecode that pip adds where it installs this package."""
    found = (path for path in root.rglob("*") if path.is_file())
    return sorted(path for path in found if path.parent.name != "__pycache__")


def _read(path: Path, root: Path, renamed: dict[str, str]) -> TemplateFile:
    name = path.relative_to(root).as_posix()
    for start, other in renamed.items():
        if name.startswith(f"{start}/"):
            name = other + name.removeprefix(start)
    return TemplateFile(
        path=name.removesuffix(".j2"),
        content=path.read_text(encoding="utf-8"),
        is_template=name.endswith(".j2"),
    )


def seed(services: Services) -> bool:
    """Bring the table's built-in templates up to the package's; whether there was work to do.

    When all is as it should be this is one read. Any number of processes may do it at once.
    """
    shipped = load_builtins()
    digest = sha256("\n".join(repr(builtin) for builtin in shipped).encode())
    marker = keys.builtin_templates()
    row = services.store.get(marker)
    if row is not None and row["digest"] == digest:
        return False
    for builtin in shipped:
        retry_conflicts(functools.partial(_bring_up, services.store, builtin))
    _remove_others(services.store, {builtin.id for builtin in shipped})
    services.store.write(
        Put({"PK": marker.pk, "SK": marker.sk, "EntityType": "BuiltIn", "digest": digest})
    )
    _log.info("templates.seeded", templates=[builtin.id for builtin in shipped])
    return True


def _bring_up(store: Store, builtin: BuiltIn) -> None:
    item = store.get(keys.template(builtin.id))
    if item is None:
        at = stamp(now())
        made = library.assemble(
            builtin.new,
            id=builtin.id,
            owner_id=BUILTIN_OWNER,
            plan=builtin.plan,
            created_at=at,
            updated_at=at,
        )
        row = Put(library.template_item(made), absent())
        store.write(row, *library.file_writes(made, builtin.new.files))
        return
    stored = parse(Template, item)
    kept = {name: getattr(stored, name) for name in _OF_THE_ROW}
    if library.assemble(builtin.new, plan=builtin.plan, **kept) != stored:
        library.write_version(store, stored, builtin.new, builtin.plan)


def _remove_others(store: Store, shipped: set[str]) -> None:
    """Those that an earlier release had."""
    for template in library.list_own(store, BUILTIN_OWNER):
        if template.id not in shipped:
            retry_conflicts(functools.partial(_remove, store, template.id))


def _remove(store: Store, template_id: str) -> None:
    item = store.get(keys.template(template_id))
    if item is not None:
        library.remove(store, parse(Template, item))
