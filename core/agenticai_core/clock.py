"""Time as the table keeps it: UTC, ISO 8601 with microseconds and a Z, so that it sorts as text."""

from datetime import UTC, datetime, timedelta

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def now() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A moment as sortable text of fixed width."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def stamp_in(seconds: float) -> str:
    """The moment ``seconds`` from now, as text."""
    return stamp(now() + timedelta(seconds=seconds))


def parse(text: str) -> datetime:
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
