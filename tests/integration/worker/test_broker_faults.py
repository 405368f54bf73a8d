"""Whatever a poll meets, the node polls again and executes what comes next."""

import time
from collections.abc import Iterator
from functools import partial

import pytest
from tests.fakes.fault_proxy import ANSWERS, FaultProxy

from agenticai_core.settings import Settings

from .conftest import Node, wait_for


@pytest.fixture
def proxy(emulator_settings: Settings) -> Iterator[FaultProxy]:
    made = FaultProxy(emulator_settings.endpoint_url or "")
    try:
        yield made
    finally:
        made.refuse()


def test_a_node_outlives_every_fault(node: Node, proxy: FaultProxy) -> None:
    # The table, the bucket and the sweeper's sends go past the proxy: only polls and acks fail.
    # The sweeper is too slow to help: what is executed was found by a poll.
    node.start(AWS_ENDPOINT_URL_SQS=proxy.url, AGENTICAI_SWEEP_SECONDS="600")
    node.wait_planned(node.create())

    for fault in (*ANSWERS, "cut"):
        before = complaints(node)
        proxy.fault = fault
        wait_for(partial(more_complaints, node, before))
        proxy.fault = None
        node.wait_planned(node.create(), 20)


def more_complaints(node: Node, before: int) -> bool:
    return complaints(node) > before


def complaints(node: Node) -> int:
    return len(node.log("broker.poll_failed") + node.log("broker.unreadable_message"))


def test_a_refused_connection_is_no_busy_loop(node: Node, proxy: FaultProxy) -> None:
    node.start(AWS_ENDPOINT_URL_SQS=proxy.url, AGENTICAI_SWEEP_SECONDS="600")
    proxy.refuse()
    wait_for(lambda: node.log("broker.poll_failed"))
    first = len(node.log("broker.poll_failed"))
    began = time.monotonic()

    wait_for(lambda: len(node.log("broker.poll_failed")) >= first + 3)

    assert time.monotonic() - began > 1.5, "three more polls in so short a time"
    proxy.accept()
    node.wait_planned(node.create(), 20)


def test_a_hanging_poll_is_given_up(node: Node, proxy: FaultProxy) -> None:
    node.start(AWS_ENDPOINT_URL_SQS=proxy.url, AGENTICAI_SWEEP_SECONDS="600")
    proxy.fault = "hang"
    wait_for(lambda: node.log("broker.poll_failed"))
    proxy.fault = None

    node.wait_planned(node.create(), 20)


def test_a_node_at_capacity_does_not_poll(node: Node, proxy: FaultProxy) -> None:
    node.start(
        AWS_ENDPOINT_URL_SQS=proxy.url, AGENTICAI_SWEEP_SECONDS="600", FAKE_AGENT_SECONDS="60"
    )
    busy = [node.create() for _ in range(2)]  # as many as it has child processes
    wait_for(lambda: len(node.units()) == 2)
    touched = node.health.stat().st_mtime
    waiting = node.create()

    # It stays healthy: "at capacity" is told as often as a poll would be.
    wait_for(lambda: node.health.stat().st_mtime > touched + 2)
    assert proxy.polls(1.5) == 0

    (node.folder / "go").touch()
    for project_id in (*busy, waiting):
        node.wait_planned(project_id)
