"""Stopping a node: gently it finishes the unit under way, hard it takes everything with it."""

import os
import signal
import time
from pathlib import Path

from agenticai_core.models import TaskStatus

from .conftest import Node, alive, children, wait_for


def test_a_stopped_node_finishes_the_unit_and_gives_the_rest_back(node: Node) -> None:
    process = node.start(FAKE_AGENT_SECONDS="1.5")
    project_id = node.create()
    wait_for(node.units)
    everything = children(process.pid)
    began = time.monotonic()

    process.terminate()

    assert process.wait(20) == 0
    assert time.monotonic() - began < 12
    task = node.task(project_id)
    assert (task.status, task.stalls, task.attempt) == (TaskStatus.QUEUED, 0, 1)
    assert list(task.checkpoint) == ["unit0"]
    assert node.units() == ["unit0"]
    assert [event.type for event in node.events(project_id)][-1] == "task_postponed"
    assert not [pid for pid in everything if alive(pid)]

    # Another node goes on from there.
    node.start()
    node.wait_planned(project_id)
    assert node.units() == ["unit0", "unit1", "unit2"]


def test_an_idle_node_stops_at_once(node: Node) -> None:
    process = node.start()
    began = time.monotonic()

    process.send_signal(signal.SIGINT)  # Ctrl-C; a second one changes nothing
    process.send_signal(signal.SIGINT)

    assert process.wait(15) == 0
    assert time.monotonic() - began < 10


def test_a_unit_that_does_not_end_is_stopped_coldly(node: Node) -> None:
    process = node.start(FAKE_AGENT_SECONDS="60", AGENTICAI_DRAIN_SECONDS="1")
    project_id = node.create()
    wait_for(node.units)
    everything = children(process.pid)

    process.terminate()

    assert process.wait(20) == 0
    wait_for(lambda: not [pid for pid in everything if alive(pid)])
    node.start()
    (node.folder / "go").touch()
    node.wait_planned(project_id)


def test_a_killed_parent_takes_node_and_children_with_it(node: Node) -> None:
    process = node.start(FAKE_AGENT_SECONDS="60")
    project_id = node.create()
    wait_for(node.units)
    everything = children(process.pid)
    assert len(everything) >= 3  # the node and its two children

    process.kill()

    wait_for(lambda: not [pid for pid in everything if alive(pid)], 5)
    (node.folder / "go").touch()
    node.start()
    node.wait_planned(project_id)
    assert node.task(project_id).attempt == 2


def test_a_killed_child_costs_one_attempt(node: Node) -> None:
    process = node.start(FAKE_AGENT_SECONDS="60")
    project_id = node.create()
    wait_for(node.units)
    child = int((node.folder / "units").read_text().split()[1])

    os.kill(child, signal.SIGKILL)
    (node.folder / "go").touch()

    node.wait_planned(project_id)
    assert node.task(project_id).attempt == 2
    assert node.units() == ["unit0", "unit0", "unit1", "unit2"]
    assert process.poll() is None


def test_a_node_that_dies_ends_its_parent(node: Node) -> None:
    process = node.start()
    (consumer,) = [pid for pid in children(process.pid) if _parent(pid) == process.pid]

    os.kill(consumer, signal.SIGKILL)

    assert process.wait(10) != 0  # whoever started it starts it again


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
