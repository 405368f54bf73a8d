"""Read, decide and write again when somebody else was faster."""

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from agenticai_core.store.base import ConditionFailed, StoreConflict

T = TypeVar("T")


def retry_conflicts(attempt: Callable[[], T]) -> T:
    """Call ``attempt``, which reads before it writes, up to 12 times until no write of others
    comes between; the last one's error is raised."""
    return Retrying(
        retry=retry_if_exception_type((ConditionFailed, StoreConflict)),
        stop=stop_after_attempt(12),
        wait=wait_random_exponential(multiplier=0.02, max=1),
        reraise=True,
    )(attempt)
