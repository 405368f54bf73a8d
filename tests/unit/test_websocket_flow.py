"""The queue of a socket, the rate limit, the pauses, and what a gap does to a page."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenticai_core.store.memory import MemoryStore
from agenticai_websocket.cursors import move_cursor, read_cursor
from agenticai_websocket.flow import Outbox, TokenBucket
from agenticai_websocket.protocol import CloseCode, Goodbye


def flushed(outbox):
    sent = []

    async def send(frame):
        sent.append(frame)

    asyncio.run(outbox.flush(send))
    return sent


@given(st.lists(st.text(alphabet="x", min_size=1, max_size=20)), st.integers(1, 8))
def test_an_outbox_keeps_order_and_bounds(frames, most):
    outbox = Outbox(most, 30)
    taken = [frame for frame in frames if outbox.offer(frame)]
    assert len(taken) <= most
    assert sum(map(len, taken)) <= 30
    assert taken == frames[: len(taken)] or len(taken) < len(frames)
    assert flushed(outbox) == taken
    assert outbox.empty


def test_a_frame_larger_than_the_whole_outbox_still_gets_through():
    outbox = Outbox(8, 30)
    assert outbox.offer("x" * 100)
    assert not outbox.offer("x")


def test_control_frames_find_room_until_even_they_are_not_read():
    outbox = Outbox(2, 100)
    while outbox.offer("e"):
        pass
    outbox.push("c")
    outbox.push("c")
    with pytest.raises(Goodbye) as goodbye:
        outbox.push("c")
    assert goodbye.value.code is CloseCode.TOO_SLOW
    assert flushed(outbox) == ["e", "e", "c", "c"]


def test_room_comes_when_a_full_outbox_is_half_empty():
    async def scenario():
        outbox = Outbox(4, 100)
        while outbox.offer("e"):
            pass
        gate = asyncio.Semaphore(0)
        room = asyncio.create_task(outbox.room())
        flush = asyncio.create_task(outbox.flush(lambda _: gate.acquire()))
        gate.release()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not room.done()
        gate.release()
        await asyncio.wait_for(room, 5)
        flush.cancel()

    asyncio.run(scenario())


def test_a_cancelled_flush_goes_on_where_it_stopped():
    async def scenario():
        outbox = Outbox(8, 100)
        for frame in "abc":
            outbox.offer(frame)
        sent = []

        async def send_one(frame):
            if sent:
                await asyncio.Event().wait()
            sent.append(frame)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(outbox.flush(send_one), 0.01)

        async def send(frame):
            sent.append(frame)

        await outbox.flush(send)
        assert sent == ["a", "b", "c"]

    asyncio.run(scenario())


@given(st.lists(st.floats(0, 2), max_size=100))
def test_a_bucket_never_gives_more_than_burst_and_rate(pauses):
    bucket = TokenBucket(5, 10, 0)
    now, taken = 0.0, 0
    for pause in pauses:
        now += pause
        taken += bucket.take(now)
    assert taken <= 10 + 5 * now + 1e-6


def test_a_bucket_fills_again():
    bucket = TokenBucket(2, 1, 0)
    assert [bucket.take(0), bucket.take(0.1), bucket.take(0.6)] == [True, False, True]


@given(st.lists(st.integers(0, 20), min_size=1))
def test_a_cursor_only_moves_forward(moves):
    store = MemoryStore()
    assert read_cursor(store, "alice", "c", "p") is None
    for seq in moves:
        move_cursor(store, "alice", "c", "p", seq)
    assert read_cursor(store, "alice", "c", "p") == max(moves)
    assert read_cursor(store, "bob", "c", "p") is None
