"""One system for all tests here, with leases short enough to see them run out."""

from collections.abc import Iterator

import pytest
from tests.fakes import notes
from tests.fakes.house import House, open_house, wait_for


@pytest.fixture(scope="session")
def _house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(
        tmp_path_factory.mktemp("chaos"),
        AGENTICAI_LEASE_SECONDS="3",
        AGENTICAI_HEARTBEAT_SECONDS="1",
        AGENTICAI_SWEEP_SECONDS="1",
    ) as opened:
        yield opened


@pytest.fixture
def house(_house: House) -> Iterator[House]:
    """All seven processes run, and nothing is broken yet."""
    wait_for(_house.ready, 60, "a system in order")
    _house.fake.calls.clear()
    _house.told.clear()
    yield _house
    _house.proxy.fault, _house.proxy.only = None, None
    _house.fake.answer = notes.answer
    for hold in _house.fake.holds:
        hold.released.set()
    _house.fake.holds.clear()
