"""Make a backup as a folder, or as one file."""

import tempfile
from pathlib import Path

from agenticai_operate.backup.export import Tell, export
from agenticai_operate.backup.layout import Manifest
from agenticai_operate.backup.packing import is_packed, pack
from agenticai_operate.errors import TargetInUse
from agenticai_operate.places import Place


def make_backup(place: Place, target: Path, tell: Tell) -> Manifest:
    """A packed one is collected in a folder beside its file. Raises `TargetInUse`."""
    if not is_packed(target):
        return export(place, target, tell)
    if target.exists():
        raise TargetInUse(f"{target} is there already", hint="Name a file that is not there yet")
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as folder:
        manifest = export(place, Path(folder), tell)
        pack(Path(folder), target)
    return manifest
