"""``python -m tests.deployment.dead_keys``: keys of the manifests that change nothing.

Copilot ignores a key that it does not know. So each key is left out once, and what is rendered has
to differ, or nothing can be rendered at all. Prints a JSON list; a key that was put in to be found
has to be in it.
"""

import copy
import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from tests.deployment.render import application, copilot
from tests.deployment.rendered import ROOT, copy_workspace

# The gateway's manifest has the keys of the API's; a test compares them.
SERVICES = ("api", "worker")
PLANTED = "planted"
_THREADS = 4
# Names, and what is only looked at when an image is built.
_ELSEWHERE = {"name", "type", "image.build.dockerfile", "image.build.context", "image.build.target"}

Path_ = tuple[str, ...]


def find_dead_keys() -> list[str]:
    with tempfile.TemporaryDirectory() as folder, application(Path(folder)) as (environment, _):
        jobs = [(service, path) for service in SERVICES for path in _keys(service)]
        spaces = [copy_workspace(Path(folder) / str(number)) for number in range(_THREADS)]

        def work(number: int) -> list[str]:
            look = _Look(environment, spaces[number])
            return [
                f"{service}: {'.'.join(path)}"
                for service, path in jobs[number::_THREADS]
                if look.is_dead(service, path)
            ]

        with ThreadPoolExecutor(_THREADS) as pool:
            return sorted(name for found in pool.map(work, range(_THREADS)) for name in found)


class _Look:
    """One thread's workspace, and what is rendered there when nothing is left out."""

    def __init__(self, environment: dict[str, str], workspace: Path) -> None:
        self._environment = environment
        self._workspace = workspace
        self._whole: dict[tuple[str, str], str | None] = {}

    def is_dead(self, service: str, path: Path_) -> bool:
        env = path[1] if path[0] == "environments" else "test"
        if (service, env) not in self._whole:
            self._whole[service, env] = self._render(service, env, manifest(service))
        without = copy.deepcopy(manifest(service))
        *parents, last = path
        node = without
        for key in parents:
            node = node[key]
        del node[last]
        return self._render(service, env, without) == self._whole[service, env]

    def _render(self, service: str, env: str, content: dict[str, Any]) -> str | None:
        """Template and parameters; None where Copilot refuses the manifest."""
        out = self._workspace / "out"
        shutil.rmtree(out, ignore_errors=True)
        with _replaced(self._workspace / "copilot" / service / "manifest.yml", content):
            arguments = ["svc", "package", "--name", service, "--env", env, "--tag", "latest"]
            try:
                copilot(self._environment, self._workspace, [*arguments, "--output-dir", str(out)])
            except RuntimeError:
                return None
        text = (out / f"{service}-{env}.stack.yml").read_text().split("\nParameters:", 1)[1]
        parameters = (out / f"{service}-{env}.params.json").read_text()
        return re.sub(r"UpdateID: \S+", "", text) + parameters


@contextmanager
def _replaced(path: Path, content: dict[str, Any]) -> Iterator[None]:
    before = path.read_text()
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    try:
        yield
    finally:
        path.write_text(before)


def manifest(service: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(
        (ROOT / "copilot" / service / "manifest.yml").read_text()
    )
    return content | {PLANTED: True}


def _keys(service: str) -> list[Path_]:
    seen: set[int] = set()
    return [
        path for path in _leaves(manifest(service), (), seen) if ".".join(path) not in _ELSEWHERE
    ]


def _leaves(node: dict[str, Any], path: Path_, seen: set[int]) -> Iterator[Path_]:
    """Where the values are; what an alias repeats counts once, and variables may have any name."""
    for key, value in node.items():
        if key in ("variables", "secrets") or id(value) in seen:
            continue
        if isinstance(value, dict):
            seen.add(id(value))
            yield from _leaves(value, (*path, key), seen)
        else:
            yield (*path, key)


if __name__ == "__main__":
    print(json.dumps(find_dead_keys()))
