"""The hub and its followers step by step, in the orders that a running gateway seldom meets."""

import asyncio
import json

from agenticai_core import events
from agenticai_core.models import EventDraft
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import Put
from agenticai_core.store.memory import MemoryStore
from agenticai_websocket.acks import Acknowledgements
from agenticai_websocket.cursors import read_cursor
from agenticai_websocket.flow import Outbox
from agenticai_websocket.hub import Hub
from agenticai_websocket.subscription import Subscription

PROJECT = "proj_1"


class Scene:
    """A log with ``count`` events, a hub over it, and followers with outboxes of their own."""

    def __init__(self, count):
        self.store = MemoryStore()
        head = keys.head(PROJECT)
        self.store.write(Put({"PK": head.pk, "SK": head.sk, "seq": 0}))
        self.hub = Hub(self.store, Settings())
        self.append(count)

    def append(self, count):
        drafts = [EventDraft(id=f"t/{n}", type="note") for n in range(count)]
        return events.append(self.store, PROJECT, drafts)

    def follow(self, after, head_seq, most=256):
        self.outbox = Outbox(most, 100_000)
        return Subscription(
            self.hub,
            self.outbox,
            PROJECT,
            after=after,
            head_seq=head_seq,
            on_behind=lambda: None,
        )

    async def sent(self):
        numbers = []

        async def send(frame):
            numbers.append(json.loads(frame)["seq"])

        await self.outbox.flush(send)
        return numbers


async def no_room():
    raise AssertionError("there is room enough here")


def test_a_follower_ahead_of_the_hub_is_not_given_what_it_has():
    """It read a head that the poller has not looked at yet."""

    async def scenario():
        scene = Scene(2)
        scene.follow(after=2, head_seq=2)
        last = scene.append(2)
        ahead = scene.follow(after=3, head_seq=last)
        await ahead.catch_up(no_room)
        assert ahead.live
        await scene.hub.poller.look()
        assert await scene.sent() == [4]

    asyncio.run(scenario())


def test_a_follower_that_reads_a_page_is_not_live_before_it_reached_the_mark():
    async def scenario():
        scene = Scene(3)
        behind = scene.follow(after=0, head_seq=3)
        scene.append(1)
        await scene.hub.poller.look()
        assert await scene.sent() == []
        await behind.catch_up(no_room)
        await behind.catch_up(no_room)
        scene.append(1)
        await scene.hub.poller.look()
        assert await scene.sent() == [1, 2, 3, 4, 5]

    asyncio.run(scenario())


def test_a_subscription_left_while_its_page_was_read_queues_nothing_more():
    async def scenario():
        scene = Scene(3)
        subscription = scene.follow(after=0, head_seq=3)
        reading = asyncio.create_task(subscription.catch_up(no_room))
        await asyncio.sleep(0)
        subscription.leave()
        await reading
        assert await scene.sent() == []
        assert scene.hub.watched == 0

    asyncio.run(scenario())


def test_an_acknowledgement_that_comes_while_one_is_written_is_written_too():
    async def scenario():
        scene = Scene(0)
        acks = Acknowledgements(scene.store, "alice", "laptop")
        acks.moved(PROJECT, 1)
        saving = asyncio.create_task(acks.save())
        await asyncio.sleep(0)  # the first write is under way
        acks.moved(PROJECT, 2)
        assert await saving
        assert await acks.save()
        assert read_cursor(scene.store, "alice", "laptop", PROJECT) == 2

    asyncio.run(scenario())
