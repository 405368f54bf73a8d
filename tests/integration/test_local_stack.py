"""The whole system on one machine: up, killed in parts, down, and up again with all that it held.

No project is made here, so the workers' model is a recording with nothing in it.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from agenticai_local.errors import LocalError, UncleanStop
from agenticai_local.processes import wait_until
from agenticai_local.stack import NAMES, LocalStack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def silent_model(tmp_path: Path) -> dict[str, str]:
    recording = tmp_path / "nothing.jsonl"
    recording.touch()
    return {"AGENTICAI_MODEL": f"replay:{recording}"}


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def make_stack(
    tmp_path: Path, silent_model: dict[str, str], told: list[str]
) -> Iterator[Callable[..., LocalStack]]:
    made: list[LocalStack] = []

    def make(**options: Any) -> LocalStack:
        stack = LocalStack(tmp_path / "state", extra_env=silent_model, tell=told.append, **options)
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.stop()


def projects(stack: LocalStack) -> httpx.Response:
    headers = {"X-API-Key": stack.api_key}
    return httpx.get(f"{stack.api_url}/api/projects", headers=headers, timeout=30)


def test_up_down_and_up_again(make_stack: Callable[..., LocalStack], told: list[str]) -> None:
    stack = make_stack()
    stack.start()
    assert tuple(stack.processes) == NAMES
    assert projects(stack).status_code == 200
    address = json.loads(stack.folder.address_file.read_text())
    assert address["api_key"] == stack.api_key
    assert address["api_url"] == stack.api_url
    pids = stack.processes.values()
    with pytest.raises(LocalError, match="already runs"):
        make_stack().start()

    stack.stop()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    again = make_stack()
    again.start()
    assert again.api_key == stack.api_key
    assert projects(again).status_code == 200
    again.stop()

    fresh = make_stack(fresh=True)
    fresh.start()
    assert fresh.api_key != stack.api_key
    assert told == []


def test_what_is_killed_comes_back(make_stack: Callable[..., LocalStack], told: list[str]) -> None:
    stack = make_stack()
    stack.start()
    before = stack.processes
    for name in ("api", "worker-dev"):
        stack.kill(name)

    def exchanged() -> set[str]:
        return {name for name, pid in stack.processes.items() if pid != before[name]}

    assert wait_until(lambda: exchanged() == {"api", "worker-dev"}, 30)
    assert wait_until(lambda: answers(stack), 30)
    assert sorted(message.split()[0] for message in told) == ["api", "worker-dev"]

    told.clear()
    stack.kill("emulator")
    assert wait_until(lambda: any("new API key" in message for message in told), 60)
    assert wait_until(lambda: answers(stack), 30)


def answers(stack: LocalStack) -> bool:
    try:
        return projects(stack).status_code == 200
    except httpx.HTTPError:
        return False


def test_the_emulator_can_be_stopped_and_started_without_loss(
    make_stack: Callable[..., LocalStack], told: list[str]
) -> None:
    stack = make_stack()
    stack.start()
    stack.stop_process("emulator")
    assert "emulator" not in stack.processes
    stack.start_process("emulator")
    assert wait_until(lambda: answers(stack), 30)
    assert told == []


def test_a_killed_emulator_is_not_passed_over_at_the_next_start(
    make_stack: Callable[..., LocalStack],
) -> None:
    stack = make_stack(restart=False)
    stack.start()
    stack.kill("emulator")
    assert wait_until(lambda: "emulator" not in stack.processes, 10)
    stack.stop()
    with pytest.raises(UncleanStop):
        make_stack().start()
    make_stack(unclean="keep").start()


def test_up_says_where_things_are_and_leaves_nothing_behind_when_killed(
    tmp_path: Path, repo_root: Path, silent_model: dict[str, str]
) -> None:
    options = ["--state-dir", str(tmp_path / "s")]
    ports = [f"--{name}-port=0" for name in ("api", "websocket", "emulator")]
    with subprocess.Popen(
        [sys.executable, "-m", "agenticai_local", "up", "--quiet", *options, *ports],
        cwd=repo_root,
        env=os.environ | silent_model,
        stdout=subprocess.PIPE,
        text=True,
    ) as up:
        assert up.stdout is not None
        lines = []
        for line in up.stdout:
            lines.append(line)
            if "Try in another terminal" in line:
                break
        address = json.loads((tmp_path / "s" / "local.json").read_text())
        said = "".join(lines)
        assert address["api_url"] in said
        assert address["websocket_url"] in said
        assert address["api_key"] in said
        started = psutil.Process(up.pid).children(recursive=True)
        assert len(started) >= len(NAMES)
        up.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == []
    # The emulator was asked to stop by the kernel, so nothing is lost and nothing is asked.
    with LocalStack(tmp_path / "s", extra_env=silent_model) as stack:
        assert stack.api_key == address["api_key"]


def test_ctrl_c_stops_everything_in_order(
    tmp_path: Path, repo_root: Path, silent_model: dict[str, str]
) -> None:
    ports = [f"--{name}-port=0" for name in ("api", "websocket", "emulator")]
    with subprocess.Popen(
        [sys.executable, "-m", "agenticai_local", "up", "--state-dir", str(tmp_path / "s"), *ports],
        cwd=repo_root,
        env=os.environ | silent_model,
        stdout=subprocess.PIPE,
        text=True,
    ) as up:
        assert up.stdout is not None
        for line in up.stdout:
            if "Try in another terminal" in line:
                break
        started = psutil.Process(up.pid).children(recursive=True)
        asked = time.monotonic()
        up.send_signal(signal.SIGINT)
        said = up.stdout.read()
        assert up.wait() == 0
    assert time.monotonic() - asked < 20
    assert "Everything is stopped" in said
    assert "killed" not in said
    assert not [process for process in started if process.is_running()]
    assert said.index("worker.draining") < said.index("gateway.draining")
