"""pip compiles every Python file of a package that it installs, those of the templates too."""

import compileall
import shutil
from pathlib import Path

import pytest

from agenticai_core.templates import builtin


def test_compiled_files_are_no_part_of_a_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = builtin.load_builtins()
    installed = tmp_path / "builtin"
    shutil.copytree(Path(builtin.__file__).parent, installed)
    assert compileall.compile_dir(installed, quiet=2)
    assert list(installed.rglob("files/**/__pycache__/*.pyc"))

    monkeypatch.setattr(builtin, "_HERE", installed)
    assert builtin.load_builtins.__wrapped__() == expected
