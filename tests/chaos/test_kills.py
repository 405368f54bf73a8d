"""kill -9 in the middle of things: the work goes on elsewhere, and nothing happens twice.

A worker's child, its whole node, the gateway with a client connected, the API before it has sent.
"""

import os
import signal
import threading
import time
from collections.abc import Callable

import httpx
import psutil
import pytest
from tests.fakes import notes
from tests.fakes.gemini import Hold
from tests.fakes.house import (
    SECOND_FILE,
    House,
    asked,
    check_created_once,
    is_alive,
    seconds_after,
    wait_for,
)

from agenticai_core.models import Agent

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


def test_a_client_sees_everything_once_over_a_killed_gateway(house: House) -> None:
    hold = house.hold("generate", SECOND_FILE)
    watcher = house.watch(project_id := house.create())
    wait_for(lambda: watcher.has("file_written"))
    before = house.stack.processes["websocket"]

    killed_at = time.time()
    house.stack.kill("websocket")

    wait_for(lambda: watcher.states == ["live", "polling", "live"], 30, "a new connection")
    back = time.time() - killed_at
    hold.released.set()
    events = watcher.finish()
    assert house.stack.processes["websocket"] != before
    history = check_created_once(house, project_id)
    assert [event["id"] for event in events] == [one["id"] for one in history[: len(events)]]
    assert events[-1]["type"] == "project_active"
    assert {house.task(project_id, action).attempt for action in ("plan", "generate")} == {1}
    print(f"connected again after {back:.1f} s, all done after {time.time() - killed_at:.1f} s")


@chaos
def test_what_a_killed_api_did_not_send_the_sweeper_sends(house: House) -> None:
    held = house.proxy.hold("SendMessage")
    before = {project["id"] for project in listed(house)}
    answers: list[httpx.Response | Exception] = []
    caller = threading.Thread(target=lambda: answers.append(create(house)))
    caller.start()
    assert held.reached.wait(10)

    killed_at = time.time()
    house.stack.kill("api")
    caller.join(10)
    held.released.set()

    (answer,) = answers
    assert isinstance(answer, httpx.TransportError), answer
    wait_for(house.ready, 30, "a new API")
    (project_id,) = {project["id"] for project in listed(house)} - before
    house.watch(project_id).finish()
    events = check_created_once(house, project_id)
    assert house.task(project_id, "plan").attempt == 1
    started = seconds_after(killed_at, events, "task_started")
    print(f"sent by the sweeper after {started:.1f} s")


def create(house: House) -> httpx.Response | Exception:
    body = {"name": "Notes", "type": "api", "description": notes.DESCRIPTION}
    key = {"X-API-Key": house.stack.api_key}
    try:
        return httpx.post(f"{house.stack.api_url}/api/projects", json=body, headers=key, timeout=20)
    except httpx.HTTPError as error:
        return error


def listed(house: House) -> list[dict[str, str]]:
    with house.client() as client:
        return list(client.list_projects())


@chaos
def test_a_drained_node_gives_its_work_back_and_loses_no_attempt(house: House) -> None:
    hold = house.hold("generate", SECOND_FILE)
    watcher = house.watch(project_id := house.create())
    assert hold.reached.wait(60)
    log = house.stack.log("worker-dev")
    drained = log.read_text().count("worker.draining")

    stopped_at = time.time()
    os.kill(house.stack.processes["worker-dev"], signal.SIGTERM)
    wait_for(lambda: log.read_text().count("worker.draining") > drained, 10, "a drain")
    hold.released.set()

    events = watcher.finish()
    check_created_once(house, project_id)
    assert house.task(project_id, "generate").attempt == 1
    (postponed,) = [event for event in events if event["type"] == "task_postponed"]
    assert postponed["data"]["reason"] == "the node is stopping"
    back = seconds_after(stopped_at, events, "task_postponed")
    resumed = seconds_after(stopped_at, events, "task_resumed")
    # The answer that was under way when the node was stopped was still made use of.
    assert set(asked(house.fake).values()) == {1}
    print(f"given back after {back:.1f} s, taken over after {resumed:.1f} s")
