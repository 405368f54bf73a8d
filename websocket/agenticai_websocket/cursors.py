"""How far a named client has acknowledged a project's log: a row that only moves forward."""

import time

from agenticai_core.store import keys
from agenticai_core.store.base import ConditionFailed, Store, Update, absent, less_than

KEPT_SECONDS = 30 * 24 * 3600  # after the last move; a client that stays away longer starts anew


def read_cursor(store: Store, owner_id: str, client_id: str, project_id: str) -> int | None:
    """The last acknowledged sequence number; None for a client not seen before."""
    item = store.get(keys.cursor(owner_id, client_id, project_id))
    return None if item is None else int(item["seq"])


def move_cursor(store: Store, owner_id: str, client_id: str, project_id: str, seq: int) -> None:
    """Move the cursor to ``seq``; a cursor that is there already or further on stays."""
    expires = int(time.time()) + KEPT_SECONDS
    try:
        store.write(
            Update(
                keys.cursor(owner_id, client_id, project_id),
                set={"seq": seq, "ttl": expires, "EntityType": "Cursor"},
                condition=absent("seq") | less_than("seq", seq),
            )
        )
    except ConditionFailed:
        return
