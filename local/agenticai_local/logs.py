"""Follow the processes' log files and hand their new lines on."""

import contextlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.text import Text

Sink = Callable[[str, str], None]  # (process' name, one line)

_EVERY = 0.1
_MAX_BYTES = 10_000_000  # then the file is kept as .1 and begins anew
_COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")


class LogFollower:
    """Reads each log of ``folder`` from where it ended at the start, in a thread."""

    def __init__(self, folder: Path, names: list[str], sink: Sink) -> None:
        self._paths = {name: folder / f"{name}.log" for name in names}
        self._read = {name: _size(path) for name, path in self._paths.items()}
        self._sink = sink
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Hand on what is left, then end."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_EVERY):
            self._look()
        self._look()

    def _look(self) -> None:
        for name, path in self._paths.items():
            with contextlib.suppress(FileNotFoundError):
                self._hand_on(name, path)

    def _hand_on(self, name: str, path: Path) -> None:
        with path.open("rb") as log:
            log.seek(self._read[name])
            fresh = log.read(_MAX_BYTES)
        whole = fresh.rfind(b"\n") + 1  # the rest of a line comes next time
        self._read[name] += whole
        self._begin_anew_if_long(name, path)
        for line in fresh[:whole].decode(errors="replace").splitlines():
            self._sink(name, line)

    def _begin_anew_if_long(self, name: str, path: Path) -> None:
        """Cut the log back once all of it has been read; what is just being written waits."""
        if self._read[name] <= _MAX_BYTES or _size(path) != self._read[name]:
            return
        shutil.copyfile(path, path.with_suffix(".log.1"))
        os.truncate(path, 0)  # the writer appends, so it goes on at the start
        self._read[name] = 0


def console_sink(console: Console) -> Sink:
    """Lines with a coloured prefix, one colour for each process."""
    colours: dict[str, str] = {}

    def show(name: str, line: str) -> None:
        colour = colours.setdefault(name, _COLOURS[len(colours) % len(_COLOURS)])
        text = Text.assemble((f"{name:>10} | ", colour), Text.from_ansi(line))
        console.print(text, soft_wrap=True, highlight=False)

    return show


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
