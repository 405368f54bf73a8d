"""Frames in and out: nothing that a client sends can do more than be refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenticai_core.models import Event
from agenticai_websocket import protocol
from agenticai_websocket.gateway import origin_allowed
from agenticai_websocket.protocol import Ack, BadFrame, Pong, Problem, Subscribe, parse_frame

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
project_ids = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
numbers = st.integers(0, protocol.MAX_SEQ)


def parses_or_is_refused(text):
    try:
        frame = parse_frame(text)
    except BadFrame as bad:
        assert bad.problem.code in {"INVALID_FRAME", "UNKNOWN_TYPE"}
        assert len(bad.problem.message) < 300  # the sender's text is not sent back
        return None
    assert isinstance(frame, Subscribe | Ack | Pong)
    return frame


@given(st.text())
def test_any_text_is_a_frame_or_refused(text):
    parses_or_is_refused(text)


@given(json_values)
def test_any_json_is_a_frame_or_refused(value):
    parses_or_is_refused(json.dumps(value))


@given(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["subscribe", "ack", "pong", "modify", ""])},
        optional={"project_id": json_values, "after": json_values, "seq": json_values},
    )
)
def test_what_is_accepted_is_in_range(value):
    frame = parses_or_is_refused(json.dumps(value))
    if isinstance(frame, Subscribe):
        assert frame.after is None or 0 <= frame.after <= protocol.MAX_SEQ
        assert "#" not in frame.project_id
    if isinstance(frame, Ack):
        assert type(value["seq"]) is int


@given(project_ids, st.none() | numbers)
def test_a_subscribe_comes_through(project_id, after):
    frame = Subscribe(project_id=project_id, after=after)
    assert parse_frame(frame.model_dump_json()) == frame


@given(project_ids, numbers)
def test_an_ack_comes_through(project_id, seq):
    frame = Ack(project_id=project_id, seq=seq)
    assert parse_frame(frame.model_dump_json()) == frame


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "ack", "project_id": "p", "seq": "1"}',
        '{"type": "ack", "project_id": "p", "seq": true}',
        '{"type": "ack", "project_id": "p", "seq": 1.0}',
        '{"type": "ack", "project_id": "p"}',
        '{"type": "subscribe", "project_id": ""}',
        '{"type": "subscribe", "project_id": "a#b"}',
        '{"type": "subscribe", "project_id": "a\\n"}',
        '{"type": "subscribe", "project_id": "p", "after": -1}',
        '{"project_id": "p"}',
        "[" * 10_000,
        "",
    ],
)
def test_near_misses_are_refused(text):
    with pytest.raises(BadFrame) as refused:
        parse_frame(text)
    assert refused.value.problem.code == "INVALID_FRAME"


def test_fields_of_a_later_version_are_ignored():
    assert parse_frame('{"type": "pong", "at": 1}') == Pong()


@given(st.dictionaries(st.text(), json_values), st.text())
def test_an_event_frame_is_ascii_json_with_all_of_the_event(data, text):
    event = Event(
        project_id="p", seq=3, id="t/1", type="note", at="2026-01-01T00:00:00.000000Z", data=data
    )
    frame = protocol.event_frame(event)
    assert frame.isascii()
    assert json.loads(frame) == event.model_dump()


def test_an_event_with_half_a_surrogate_pair_can_still_be_sent():
    event = Event(project_id="p", seq=1, id="i", type="t", at="a", data={"text": "\ud83d"})
    protocol.event_frame(event).encode()


def test_an_error_frame_names_the_project_only_when_it_is_about_one():
    assert json.loads(protocol.error_frame(Problem("C", "m"))) == {
        "type": "error",
        "code": "C",
        "message": "m",
        "hint": None,
    }
    assert json.loads(protocol.error_frame(Problem("C", "m", project_id="p")))["project_id"] == "p"


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "expected"),
    [
        ("https://app.example.com", "api.example.com", ("https://app.example.com",), True),
        ("http://app.example.com", "api.example.com", ("https://app.example.com",), False),
        ("http://localhost:3000", "api.example.com", ("https://app.example.com",), False),
        ("https://api.example.com", "api.example.com", (), True),
        ("http://127.0.0.1:8000", "127.0.0.1:8080", (), True),
        ("http://[::1]:8000", "127.0.0.1:8080", (), True),
        ("https://evil.example.com", "api.example.com", (), False),
        ("https://localhost.evil.com", "api.example.com", (), False),
        ("https://api.example.com.evil.com", "api.example.com", (), False),
        ("null", "api.example.com", (), False),
        ("null", "", (), False),
        ("http://[broken", "api.example.com", (), False),
    ],
)
def test_origins(origin, host, allowed, expected):
    assert origin_allowed(origin, host, allowed) is expected
