"""AWS goes away for a while, wholly or in part: nothing is lost, and everybody polls again."""

import time

import pytest
from tests.fakes.house import SECOND_FILE, House, check_created_once, wait_for

from agenticai_client.errors import ApiError

pytestmark = pytest.mark.chaos

OUTAGE = 10.0  # s
POLLS_AGAIN = 30.0  # s, the most that it may take until every node polls again


def test_a_stopped_emulator_that_is_started_again(house: House) -> None:
    hold = house.hold("generate", SECOND_FILE)
    watcher = house.watch(during := house.create())
    assert hold.reached.wait(60)

    house.stack.stop_process("emulator")
    hold.released.set()  # its result cannot be stored now
    check_refused(house)
    house.stack.start_process("emulator")

    check_recovery(house, time.time())
    after = house.create()
    watcher.finish()
    house.watch(after).finish()
    for project_id in (during, after):
        check_created_once(house, project_id)


def test_everything_answers_500_for_a_while(house: House) -> None:
    hold = house.hold("generate", SECOND_FILE)
    watcher = house.watch(during := house.create())
    assert hold.reached.wait(60)

    began = time.time()
    house.proxy.fault = "500"
    hold.released.set()
    check_refused(house)
    wait_for(lambda: time.time() - began > OUTAGE)
    house.proxy.fault = None

    check_recovery(house, time.time())
    after = house.create()
    watcher.finish()
    house.watch(after).finish()
    for project_id in (during, after):
        check_created_once(house, project_id)


def test_only_the_queues_answer_500_for_a_while(house: House) -> None:
    """The project is created all the same, and the sweeper's tries to send fail at first."""
    began = time.time()
    house.proxy.only = ("SendMessage", "ReceiveMessage", "DeleteMessage")
    house.proxy.fault = "500"
    project_id = house.create()
    wait_for(lambda: time.time() - began > OUTAGE)
    house.proxy.fault = None

    ended = time.time()
    check_recovery(house, ended)
    watcher = house.watch(project_id)
    wait_for(lambda: watcher.has("task_started"), POLLS_AGAIN, "the first task's start")
    print(f"the first task started within {time.time() - ended:.1f} s")
    watcher.finish()
    check_created_once(house, project_id)


def check_refused(house: House) -> None:
    """A user is told that the system cannot do it now, not that something is wrong with them."""
    with pytest.raises(ApiError) as refused:
        house.create()
    assert refused.value.status == 503
    assert refused.value.code == "UNAVAILABLE", refused.value
    print(f"told to the user: {refused.value.message} ({refused.value.hint})")


def check_recovery(house: House, ended: float) -> None:
    wait_for(lambda: house.polled_since(ended + 0.5), POLLS_AGAIN, "a poll by every node")
    print(f"all nodes polled within {time.time() - ended:.1f} s")
    wait_for(house.ready, 30, "a system in order")
