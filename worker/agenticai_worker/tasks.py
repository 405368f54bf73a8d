"""One Celery task a queue: look at this task now."""

from collections.abc import Callable

from celery import Celery

from agenticai_core.queues import TIME_LIMITS, task_name

Run = Callable[[str, str], None]


def register(app: Celery, run: Run) -> None:
    """Give every agent's task its name and its time limits; all of them call the runner."""
    for agent, (soft, hard) in TIME_LIMITS.items():
        options = {"name": task_name(agent), "soft_time_limit": soft, "time_limit": hard}
        app.task(**options)(_looking(run))


def _looking(run: Run) -> Run:
    # Celery takes a function of its own for each name.
    def look(project_id: str, task_id: str) -> None:
        run(project_id, task_id)

    return look
