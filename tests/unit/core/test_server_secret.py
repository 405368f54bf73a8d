"""The secret that all instances share: configured, or made once and read again now and then."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from pydantic import ValidationError
from tests.fakes.secrets import CountedSecrets

from agenticai_core.errors import Unavailable
from agenticai_core.secrets.memory import MemorySecrets
from agenticai_core.server_secret import MAX_AGE, NAME, ServerSecret
from agenticai_core.settings import Settings


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Hanging(MemorySecrets):
    """Answers only while ``answers`` is set; ``asked`` tells that somebody waits."""

    def __init__(self) -> None:
        super().__init__()
        self.answers, self.asked = Event(), Event()
        self.answers.set()

    def get(self, name: str, version: int | None = None) -> str | None:
        if not self.answers.is_set():
            self.asked.set()
            assert self.answers.wait(30)
        return super().get(name, version)


@pytest.fixture
def store() -> CountedSecrets:
    return CountedSecrets()


def test_a_configured_one_is_taken_and_the_store_left_alone(store: CountedSecrets) -> None:
    store.away = True

    assert ServerSecret("c" * 32).value(store) == b"c" * 32


def test_instances_share_the_one_that_was_made_first(store: CountedSecrets) -> None:
    values = {ServerSecret().value(store) for _ in range(5)}

    assert len(values) == 1
    assert len(values.pop()) >= 32


def test_instances_that_start_together_agree() -> None:
    store = MemorySecrets()
    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(lambda _: ServerSecret().value(store), range(32)))

    assert values == {(store.get(NAME) or "").encode()}


def test_it_is_read_once_in_five_minutes(store: CountedSecrets) -> None:
    clock = Clock()
    secret = ServerSecret(clock=clock)
    first = secret.value(store)
    store.put(NAME, "n" * 40)
    clock.now += MAX_AGE - 1
    assert (secret.value(store), store.looks) == (first, 1)

    clock.now += 1

    assert secret.value(store) == b"n" * 40


def test_in_an_outage_the_last_one_stays_and_the_store_is_spared(store: CountedSecrets) -> None:
    clock = Clock()
    secret = ServerSecret(clock=clock)
    first = secret.value(store)
    store.away = True
    clock.now += MAX_AGE

    assert [secret.value(store) for _ in range(10)] == [first] * 10
    assert store.looks == 2


def test_while_one_waits_for_the_store_the_others_go_on_with_what_they_know() -> None:
    store, clock = Hanging(), Clock()
    secret = ServerSecret(clock=clock)
    first = secret.value(store)
    store.put(NAME, "n" * 40)
    clock.now += MAX_AGE
    store.answers.clear()
    with ThreadPoolExecutor(2) as pool:
        try:
            reader = pool.submit(secret.value, store)
            assert store.asked.wait(10)

            others = pool.submit(lambda: [secret.value(store) for _ in range(10)])

            assert others.result(10) == [first] * 10
        finally:
            store.answers.set()
    assert reader.result() == secret.value(store) == b"n" * 40


def test_without_any_an_outage_is_told_and_over_when_it_is_over(store: CountedSecrets) -> None:
    secret = ServerSecret()
    store.away = True
    with pytest.raises(Unavailable):
        secret.value(store)

    store.away = False

    assert secret.value(store)


def test_a_weak_one_is_refused_wherever_it_comes_from(
    store: CountedSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(NAME, "w" * 31)
    with pytest.raises(Unavailable, match="32 bytes"):
        ServerSecret().value(store)

    monkeypatch.setenv("AGENTICAI_JWT_SECRET", "weak-" + "w" * 26)
    with pytest.raises(ValidationError, match="at least 32 bytes") as caught:
        Settings()
    assert "weak-" not in str(caught.value)


def test_a_strong_one_is_taken_and_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTICAI_JWT_SECRET", "s" * 32)

    settings = Settings()

    assert settings.jwt_secret.get_secret_value() == "s" * 32
    assert "sss" not in repr(settings)
