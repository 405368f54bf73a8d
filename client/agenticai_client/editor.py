"""A text in the user's own editor."""

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agenticai_client.errors import ClientError


@contextmanager
def edited(name: str, text: str) -> Iterator[str]:
    """What ``text`` becomes in $VISUAL or $EDITOR, under this name for the editor's colours.

    If the block fails, the file stays and the `ClientError`'s hint says where; else it goes.
    """
    folder = Path(tempfile.mkdtemp(prefix="agenticai-"))  # for the user alone
    file = folder / Path(name).name
    file.write_text(text, encoding="utf-8", newline="")
    try:
        _open(file)
        yield file.read_bytes().decode()
    except ClientError as error:
        error.hint = f"Your text is in {file}. {error.hint or ''}".strip()
        raise
    except UnicodeDecodeError as error:
        raise ClientError("This is no text any more.", hint=f"It is in {file}.") from error
    shutil.rmtree(folder)


def _open(file: Path) -> None:
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        done = subprocess.run([*shlex.split(command), str(file)], check=False)
    except (OSError, ValueError) as error:
        raise ClientError(
            f"The editor {command!r} cannot be started: {error}.",
            hint="Set EDITOR, or use `agenticai put`.",
        ) from error
    if done.returncode:
        raise ClientError(f"The editor ended with {done.returncode}; nothing is stored.")
