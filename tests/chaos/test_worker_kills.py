"""kill -9 of a worker's child or of its whole node, wherever it is: the work goes on elsewhere."""

import time
from collections.abc import Callable

import psutil
import pytest
from tests.fakes.gemini import Hold
from tests.fakes.house import (
    House,
    asked,
    check_created_once,
    is_alive,
    seconds_after,
    wait_for,
)

from agenticai_core.models import Agent

# Beyond the first attempt at each of these, the model is asked for nothing a second time.
SECOND_FILE = "app/__init__.py"
AGENT_OF = {"plan": Agent.PM, "generate": Agent.DEV, "test": Agent.QA}


def kill_child(house: House, agent: Agent, child: psutil.Process) -> list[psutil.Process]:
    family = [child, *child.children(recursive=True)]
    child.kill()
    return family


def kill_node(house: House, agent: Agent, child: psutil.Process) -> list[psutil.Process]:
    node = house.node(agent)
    family = [node, *node.children(recursive=True)]
    node.kill()
    return family


Kill = Callable[[House, Agent, psutil.Process], list[psutil.Process]]
chaos = pytest.mark.chaos


@pytest.mark.parametrize(
    ("kill", "moment"),
    [
        pytest.param(kill_child, "plan", marks=chaos),
        pytest.param(kill_child, "generate"),
        pytest.param(kill_child, "test", marks=chaos),
        pytest.param(kill_node, "plan", marks=chaos),
        pytest.param(kill_node, "generate", marks=chaos),
        pytest.param(kill_node, "test", marks=chaos),
    ],
)
def test_another_goes_on_where_one_was_killed(house: House, kill: Kill, moment: str) -> None:
    agent = AGENT_OF[moment]
    hold = _hold(house, moment)
    watcher = house.watch(project_id := house.create())
    child = _await_child(house, hold)

    killed_at = time.time()
    family = kill(house, agent, child)

    wait_for(lambda: not any(map(is_alive, family)), 5, "the end of all that was killed")
    events = watcher.finish()
    if hold:
        hold.released.set()
    assert check_created_once(house, project_id)[: len(events)] == events
    attempts = {action: house.task(project_id, action).attempt for action in AGENT_OF}
    assert attempts == {action: 1 + (action == moment) for action in AGENT_OF}
    _check_asked_once(house, moment)
    resumed = seconds_after(killed_at, events, "task_resumed")
    print(f"resumed after {resumed:.1f} s, all done after {time.time() - killed_at:.1f} s")


def _hold(house: House, moment: str) -> Hold | None:
    if moment == "test":
        return None
    return house.hold(moment, SECOND_FILE if moment == "generate" else "")


def _await_child(house: House, hold: Hold | None) -> psutil.Process:
    """The child in the middle of it: waiting for the model, or with generated tests running."""
    if hold is None:
        found: psutil.Process = wait_for(house.tester, 60, "a run of the tests")
        return found
    assert hold.reached.wait(60)
    return house.caller(hold)


def _check_asked_once(house: House, moment: str) -> None:
    """What was finished is not asked for again: only the answer that was under way is."""
    twice = {"plan": ("plan", ""), "generate": ("generate", SECOND_FILE)}.get(moment)
    again = [what for what, times in asked(house.fake).items() if times > 1]
    assert again == ([twice] if twice else [])
