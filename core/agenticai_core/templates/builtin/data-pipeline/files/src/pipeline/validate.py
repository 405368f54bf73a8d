"""From rows to orders, or to the reason why a row is none."""

from dataclasses import dataclass

from pydantic import ValidationError

from pipeline.extract import RawRow
from pipeline.schema import Order


@dataclass(frozen=True)
class Rejected:
    row: RawRow
    reason: str


def validate(row: RawRow) -> Order | Rejected:
    """The order in a row, or what is wrong with it: every field, not just the first."""
    if not row.complete:
        return Rejected(row, "the row has another number of cells than the header")
    try:
        return Order.model_validate(row.values)
    except ValidationError as error:
        return Rejected(row, "; ".join(f"{_field(e['loc'])}: {e['msg']}" for e in error.errors()))


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)
