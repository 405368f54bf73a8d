import asyncio
import time
from collections.abc import Callable

import httpx
from fastapi.testclient import TestClient
from sqlalchemy import orm

from service.application import create_app
from service.events import Event
from service.orders import NewOrder, place_order
from service.relay import Relay
from service.settings import Settings

from .conftest import ORDER, waiting

Sessions = orm.sessionmaker[orm.Session]
Answer = Callable[[httpx.Request], httpx.Response]

ONE, TWO = "http://one.test/events", "http://two.test/events"


def place(sessions: Sessions, times: int = 1) -> None:
    for _ in range(times):
        with sessions() as session:
            place_order(session, NewOrder.model_validate(ORDER))


def deliver(sessions: Sessions, answer: Answer, *subscribers: str) -> bool:
    async def once() -> bool:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            return await Relay(sessions, client, subscribers, 0.1).deliver()

    return asyncio.run(once())


class Subscriber:
    """Takes events, but for the ids that it refuses."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Event]] = []
        self.refuses: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        event = Event.model_validate_json(request.content)
        if request.url.host in self.refuses:
            return httpx.Response(503)
        self.got.append((request.url.host, event))
        return httpx.Response(200)


def test_every_subscriber_gets_every_event_in_order(sessions: Sessions) -> None:
    place(sessions, 3)
    events, subscriber = waiting(sessions), Subscriber()

    assert deliver(sessions, subscriber, ONE, TWO)

    for host in ("one.test", "two.test"):
        assert [event for who, event in subscriber.got if who == host] == events
    assert waiting(sessions) == []


def test_what_is_refused_is_sent_again_and_what_is_after_it_waits(sessions: Sessions) -> None:
    place(sessions, 2)
    events, subscriber = waiting(sessions), Subscriber()
    subscriber.refuses = {"two.test"}

    assert not deliver(sessions, subscriber, ONE, TWO)
    assert subscriber.got == [("one.test", events[0])]
    assert waiting(sessions) == events

    subscriber.refuses = set()
    assert deliver(sessions, subscriber, ONE, TWO)
    assert [who for who, event in subscriber.got if event == events[0]] == ["one.test", "two.test"]
    assert waiting(sessions) == []


def test_an_unreachable_subscriber_loses_nothing(sessions: Sessions) -> None:
    place(sessions)

    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    assert not deliver(sessions, fail, ONE)
    assert len(waiting(sessions)) == 1


def test_without_subscribers_nothing_piles_up(sessions: Sessions) -> None:
    place(sessions)

    assert deliver(sessions, Subscriber())
    assert waiting(sessions) == []


def test_the_service_delivers_by_itself(database_url: str) -> None:
    subscriber = Subscriber()
    settings = Settings.model_validate(
        {"database_url": database_url, "subscribers": [ONE], "relay_seconds": 0.01}
    )
    app = create_app(settings, httpx.MockTransport(subscriber))
    with TestClient(app) as client:
        client.post("/orders", json=ORDER)
        deadline = time.monotonic() + 10
        while client.get("/health/ready").json()["events_waiting"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    assert [event.type for _, event in subscriber.got] == ["order.placed"]
