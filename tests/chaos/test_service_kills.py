"""kill -9 of the gateway with a client connected, of the API before it sent; a node's drain."""

import os
import signal
import threading
import time

import httpx
import pytest
from tests.chaos.test_worker_kills import SECOND_FILE
from tests.fakes import notes
from tests.fakes.house import House, asked, check_created_once, seconds_after, wait_for


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


@pytest.mark.chaos
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


@pytest.mark.chaos
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
