"""Tasks whose message may be lost are sent again: the table knows what is due."""

import structlog
from pydantic import ValidationError

from agenticai_core.bootstrap import Services
from agenticai_core.change import wake
from agenticai_core.clock import now, stamp, stamp_in
from agenticai_core.models import Task
from agenticai_core.queues import VISIBILITY
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import ConditionFailed, Item, StoreConflict, Update, equals

_log = structlog.get_logger()


def sweep(services: Services, limit: int = 25) -> int:
    """Send every task again that is due; returns how many.

    Its time is moved on by condition before it is sent, doubling from the queue's visibility
    timeout, so that neither two sweepers nor a backlog send a storm.
    """
    sent = 0
    for shard in range(keys.DUE_SHARDS):
        page = services.store.query(
            keys.due_pk(shard), index="GSI2", upto=stamp(now()), limit=limit
        )
        sent += sum(_send_again(services, item) for item in page.items)
    return sent


def _send_again(services: Services, item: Item) -> bool:
    try:
        task = parse(Task, item)
    except ValidationError as error:  # one bad row must not keep the others from being sent
        _log.error("sweep.unreadable_task", pk=item["PK"], sk=item["SK"], error=str(error)[:300])
        return False
    sends = task.sends + 1
    later = _move(services, task, VISIBILITY[task.agent] * 2 ** min(task.sends, 6), sends)
    if later is None:
        return False  # taken, ended or sent by somebody else since the index was read
    if wake(services, task):
        return True
    # There is no message to wait for: try again soon.
    _move(services, later, services.sweep_seconds, task.sends)
    return False


def _move(services: Services, task: Task, seconds: float, sends: int) -> Task | None:
    """The task, due ``seconds`` from now; None when it is not as it was seen any more."""
    due_at = stamp_in(seconds)
    index = keys.by_due(due_at, task.project_id, task.id)
    move = Update(
        keys.task(task.project_id, task.id),
        set={"due_at": due_at, "GSI2SK": index["GSI2SK"], "sends": sends},
        condition=equals("due_at", task.due_at) & equals("fence", task.fence),
    )
    try:
        services.store.write(move)
    except (ConditionFailed, StoreConflict):
        return None
    return task.model_copy(update={"due_at": due_at, "sends": sends})
