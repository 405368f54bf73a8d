"""Two API processes over one table: together they admit what one alone would."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import httpx
import pytest
from tests.fakes.api_process import api_process

from agenticai_core import auth
from agenticai_core.bootstrap import connect
from agenticai_core.settings import Settings
from agenticai_core.store import keys

WAIT = 30.0  # s; longer than anything here takes, short enough to fail
RATE, BURST, QUOTA = 10, 20, 150
VARIABLES = {
    "AGENTICAI_RATE_LIMIT": str(RATE),
    "AGENTICAI_RATE_BURST": str(BURST),
    "AGENTICAI_MONTHLY_QUOTA": str(QUOTA),
    "AGENTICAI_INSTANCE_BEAT_SECONDS": "0.5",
    "LOG_LEVEL": "WARNING",
}


def eventually(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT
    while not holds():
        assert time.monotonic() < until, "this never came true"
        time.sleep(0.05)


class Api:
    """A process of the service that answers."""

    def __init__(self, client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
        self.client = client
        self.process = process

    def ask(self, key: str) -> httpx.Response:
        return self.client.get("/api/projects", headers={"X-API-Key": key})

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(WAIT) == 0


@contextmanager
def running() -> Iterator[Api]:
    with api_process(VARIABLES) as (client, process):
        yield Api(client, process)


class House:
    """Two processes that know of each other, and the table under them."""

    def __init__(self, settings: Settings, first: Api, second: Api) -> None:
        self.store = connect(settings).store
        self.both = (first, second)
        self.answers: Counter[int] = Counter()

    def key(self, owner: str = "alice") -> str:
        return auth.create_api_key(self.store, owner, "test")[1]

    def left_of_a_full_bucket(self, api: Api) -> int:
        answer = api.ask(self.key("scout"))
        told = answer.headers["RateLimit"].split(";")
        return int(told[1].removeprefix("r="))

    def fire(self, names: list[str], until: Callable[[], bool]) -> Counter[int]:
        """Ask both in turn, by eight threads, each with one key after the other."""

        def ask(which: int) -> Counter[int]:
            seen: Counter[int] = Counter()
            turn = which
            while not until():
                seen[self.both[turn % 2].ask(names[turn % len(names)]).status_code] += 1
                turn += 1
            return seen

        with ThreadPoolExecutor(8) as pool:
            return sum(pool.map(ask, range(8)), Counter())

    def counted(self, owner: str) -> int:
        month = f"{datetime.now(UTC):%Y-%m}"
        requests: int = (self.store.get(keys.usage(owner, month)) or {})["requests"]
        return requests


@pytest.fixture
def house(emulator_settings: Settings) -> Iterator[House]:
    with ExitStack() as stack:
        first, second = (stack.enter_context(running()) for _ in range(2))
        made = House(emulator_settings, first, second)
        # Of a full bucket that holds half of 20, 9 are left: 18 by the whole.
        eventually(lambda: [made.left_of_a_full_bucket(api) for api in made.both] == [18, 18])
        yield made


def test_two_processes_admit_what_one_would(house):
    started = time.monotonic()

    answers = house.fire([house.key()], lambda: time.monotonic() > started + 2)

    most = BURST + RATE * (time.monotonic() - started)
    assert set(answers) == {200, 429}
    assert BURST + RATE < answers[200] <= most

    first, second = house.both
    second.stop()
    eventually(lambda: house.left_of_a_full_bucket(first) == BURST - 1)
    first.stop()
    assert house.counted("alice") == answers[200]  # what was reserved beyond is given back
    assert house.store.query(keys.instances_pk("api")).items == []


def test_two_processes_never_exceed_the_quota(house):
    names = [house.key() for _ in range(21)]  # an odd number: each thread asks both with each
    deadline = time.monotonic() + WAIT
    asked = iter(range(3 * QUOTA))

    answers = house.fire(names, lambda: next(asked, None) is None or time.monotonic() > deadline)

    assert answers == Counter({200: QUOTA, 429: 2 * QUOTA})
    assert house.counted("alice") == QUOTA
    refused = house.both[0].ask(house.key())
    assert refused.json()["error"]["code"] == "QUOTA_EXCEEDED"
    assert int(refused.headers["Retry-After"]) > 0
