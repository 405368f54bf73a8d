"""How many things of a kind an owner has, and may have.

Each is counted in the transaction that makes it, and discounted in the one that removes it, so
that the number is right whatever fails, and requests at once do not get beyond what is allowed.
"""

from dataclasses import dataclass
from typing import Literal

from agenticai_core.errors import AgenticError
from agenticai_core.store import keys
from agenticai_core.store.base import Store, Update, absent, less_than

Kind = Literal["projects", "templates"]

KEY_KEPT = 90 * 24 * 3600  # s that an API key is still shown after its end
ENDED_KEYS = 10  # for each that may be good: as many are kept together


@dataclass(frozen=True)
class Allowance:
    """What each owner may have at a time."""

    projects: int = 1000
    templates: int = 200
    keys: int = 100  # that are neither revoked nor expired


class LimitReached(AgenticError):
    """The owner has as many as one may have."""

    code, status = "LIMIT_REACHED", 409

    def __init__(self, what: str, most: int) -> None:
        super().__init__(
            f"You have {most} {what}, which is as many as you may have",
            hint="Delete some that you do not need any more",
            details={"limit": most},
        )


def count_in(store: Store, owner_id: str, kind: Kind, most: int) -> Update:
    """The write that counts one more, for the transaction that makes it. Raises `LimitReached`.

    It fails its transaction when others were faster; call this again then.
    """
    key = keys.holding(owner_id, kind)
    row = store.get(key)
    if row is not None and row["n"] >= most:
        raise LimitReached(kind, most)
    fits = absent("n") | less_than("n", most)
    return Update(key, set={"EntityType": "Holding"}, add={"n": 1}, condition=fits)


def count_out(owner_id: str, kind: Kind) -> Update:
    """The write that counts one less, for the transaction that removes it."""
    return Update(keys.holding(owner_id, kind), add={"n": -1})
