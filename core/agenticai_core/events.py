"""A project's event log: appended by transaction, read by sequence.

The log is the only source of live events. ``HEAD.seq`` and the row ``EVENT#seq`` move together,
so a reader that sees a head can read everything up to it, and a sequence never has a hole.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from agenticai_core import telemetry
from agenticai_core.clock import now, stamp
from agenticai_core.errors import NotFound
from agenticai_core.models import Event, EventDraft
from agenticai_core.store import keys
from agenticai_core.store.base import (
    ConditionFailed,
    Item,
    Key,
    Put,
    Store,
    StoreConflict,
    StoreUnavailable,
    Update,
    Write,
    absent,
    equals,
)


@dataclass(frozen=True)
class Head:
    """How far a project's log has come; ``closed`` once the project is being deleted."""

    seq: int
    closed: bool

    @classmethod
    def of(cls, item: Item) -> "Head":
        return cls(seq=item["seq"], closed=bool(item.get("closed", False)))


def writes(
    project_id: str,
    seq: int,
    drafts: Sequence[EventDraft],
    *,
    opens: bool = False,
    closes: bool = False,
) -> list[Write]:
    """The writes that append ``drafts`` after ``seq``, to go into a use case's transaction.

    They fail together with it when the log has moved on, or is closed. ``opens``: there is
    no log yet; ``closes``: these are the last events that it will ever hold.
    """
    at = stamp(now())
    rows: list[Write] = [
        Put(_row(project_id, seq + n, draft, at), absent())
        for n, draft in enumerate(drafts, start=1)
    ]
    if not rows and not closes:
        return []
    as_seen = absent() if opens else equals("seq", seq) & absent("closed")
    return [
        Update(
            keys.head(project_id),
            set={"seq": seq + len(drafts)} | ({"closed": True} if closes else {}),
            condition=as_seen,
        ),
        *rows,
    ]


def append(store: Store, project_id: str, drafts: Sequence[EventDraft]) -> int:
    """Append outside any other transaction; returns the last sequence number.

    Waits its turn when others append, and knows its own events again when an answer was lost.
    Raises `NotFound` when there is no such project or it is being deleted.
    """
    seen: dict[str, int] = {}

    def attempt() -> int:
        head = _open_head(store, project_id)
        if done := _already(store, project_id, drafts, seen.get("seq"), head.seq):
            return done
        seen.setdefault("seq", head.seq)
        store.write(*writes(project_id, head.seq, drafts))
        return head.seq + len(drafts)

    return Retrying(
        retry=retry_if_exception_type((ConditionFailed, StoreConflict, StoreUnavailable)),
        stop=stop_after_attempt(20),
        wait=wait_random_exponential(multiplier=0.02, max=1),
        reraise=True,
    )(attempt)


def read(
    store: Store, project_id: str, after: int, upto: int | None = None, limit: int = 100
) -> list[Event]:
    """Events with ``after < seq <= upto``, in order, at most ``limit``."""
    last = keys.event_sk(upto) if upto is not None else keys.event_sk(10**12 - 1)
    if upto is not None and upto <= after:
        return []
    page = store.query(
        keys.project_pk(project_id), after=keys.event_sk(max(after, 0)), upto=last, limit=limit
    )
    return [from_item(item) for item in page.items]


def heads(store: Store, project_ids: Iterable[str]) -> dict[str, Head]:
    """The heads of those projects that exist; one consistent read for each 100."""
    ids = list(dict.fromkeys(project_ids))
    found: dict[str, Head] = {}
    for start in range(0, len(ids), 100):
        wanted: list[Key] = [keys.head(project_id) for project_id in ids[start : start + 100]]
        for item in store.batch_get(wanted):
            found[item["PK"].removeprefix("PROJECT#")] = Head.of(item)
    return found


def from_item(item: Item) -> Event:
    return Event.model_validate({name: item.get(name) for name in Event.model_fields})


def _row(project_id: str, seq: int, draft: EventDraft, at: str) -> Item:
    event = Event(
        project_id=project_id,
        seq=seq,
        id=draft.id,
        type=draft.type,
        at=at,
        data=draft.data,
        request_id=telemetry.request_id(),
    )
    key = keys.event(project_id, seq)
    return {"PK": key.pk, "SK": key.sk, "EntityType": "Event", **event.model_dump(mode="json")}


def _open_head(store: Store, project_id: str) -> Head:
    item = store.get(keys.head(project_id))
    if item is None or item.get("closed"):
        raise NotFound(f"No project '{project_id}'")
    return Head.of(item)


def _already(
    store: Store, project_id: str, drafts: Sequence[EventDraft], first: int | None, head: int
) -> int | None:
    """The sequence at which these drafts stand, if an earlier attempt's answer was lost."""
    if first is None or head == first:
        return None
    ids = {event.id: event.seq for event in read(store, project_id, first, head, limit=1000)}
    return ids.get(drafts[-1].id)
