"""The frames of `agenticai.v1`: what clients may send, what they get, and the close codes.

Pure: text in, values out, and back. A frame is one JSON object in a text message.
"""

import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agenticai_core.models import Event

SUBPROTOCOL = "agenticai.v1"
MAX_MESSAGE_BYTES = 64 * 1024  # the server refuses longer ones with 1009
MAX_SEQ = 10**12 - 1  # what the table's keys can order


class CloseCode(IntEnum):
    INTERNAL_ERROR = 1011
    RESTART = 1012
    TRY_AGAIN_LATER = 1013
    TOO_SLOW = 4008  # or did not acknowledge
    BAD_MESSAGE = 4400
    NOT_AUTHENTICATED = 4401
    FORBIDDEN = 4403
    IDLE = 4408
    RATE_LIMITED = 4029


@dataclass(frozen=True)
class Problem:
    """What an ``error`` frame tells: a stable code, words, and what to do next."""

    code: str
    message: str
    hint: str | None = None
    project_id: str | None = None


class BadFrame(Exception):
    """A message that is not a frame of this protocol; the client is told why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        hint = "Send one JSON object as text; its type is one of subscribe, ack, pong."
        self.problem = Problem(code, message, hint)


class Goodbye(Exception):
    """The end of a socket: the code to close with, and the problem to name before."""

    def __init__(self, code: CloseCode, problem: Problem | None = None) -> None:
        super().__init__(code.name)
        self.code = code
        self.problem = problem


ProjectId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$")]
ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,64}$")]
Seq = Annotated[int, Field(ge=0, le=MAX_SEQ)]


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Subscribe(_Frame):
    """``after``: the last sequence number the client has; None: only what is new."""

    type: Literal["subscribe"] = "subscribe"
    project_id: ProjectId
    after: Seq | None = None


class Ack(_Frame):
    """Everything up to and including ``seq`` has been dealt with."""

    type: Literal["ack"] = "ack"
    project_id: ProjectId
    seq: Seq


class Pong(_Frame):
    type: Literal["pong"] = "pong"


ClientFrame = Subscribe | Ack | Pong
_client_frame: TypeAdapter[ClientFrame] = TypeAdapter(
    Annotated[ClientFrame, Field(discriminator="type")]
)


class Query(BaseModel):
    """The query string of `/ws`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    project_id: ProjectId | None = None
    after: Seq | None = None
    client_id: ClientId | None = None


def parse_frame(text: str) -> ClientFrame:
    """A client's message as a frame. Raises `BadFrame`."""
    try:
        return _client_frame.validate_json(text)
    except ValidationError as error:
        raise _bad_frame(error) from None


def parse_query(parameters: dict[str, str]) -> Query:
    """The parameters of the upgrade request. Raises `BadFrame`."""
    try:
        return Query.model_validate(parameters)
    except ValidationError as error:
        raise _bad_frame(error) from None


def _bad_frame(error: ValidationError) -> BadFrame:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "union_tag_invalid":
        return BadFrame("UNKNOWN_TYPE", "This type of frame is not known.")
    where = ".".join(str(part) for part in first["loc"])
    return BadFrame("INVALID_FRAME", f"{where}: {first['msg']}" if where else first["msg"])


def event_frame(event: Event) -> str:
    return _dump(
        type=event.type,
        project_id=event.project_id,
        seq=event.seq,
        id=event.id,
        at=event.at,
        data=event.data,
        request_id=event.request_id,
    )


def welcome_frame(*, ping_seconds: float, client_id: str | None) -> str:
    return _dump(
        type="welcome", protocol=SUBPROTOCOL, ping_seconds=ping_seconds, client_id=client_id
    )


def subscribed_frame(project_id: str, *, after: int, head_seq: int, recovered: bool) -> str:
    """``after``: the events that follow begin at after + 1. ``recovered``: nothing was missed."""
    return _dump(
        type="subscribed",
        project_id=project_id,
        after=after,
        head_seq=head_seq,
        recovered=recovered,
    )


def ping_frame(at: str) -> str:
    return _dump(type="ping", at=at)


def error_frame(problem: Problem) -> str:
    frame: dict[str, Any] = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    if problem.project_id is not None:
        frame["project_id"] = problem.project_id
    return _dump(type="error", **frame)


def _dump(**frame: Any) -> str:
    # ASCII, so that a frame's length is its size in bytes and no character can fail to encode.
    return json.dumps(frame, separators=(",", ":"))
