"""One Celery node: consumes one queue with a few child processes.

``python -m agenticai_worker <queue>`` starts it and stops it; see `agenticai_worker.__main__`.
"""

import os
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_process_init, worker_process_shutdown

from agenticai_core import metrics, tracing
from agenticai_core.models import Agent
from agenticai_core.queues import queue_name
from agenticai_core.settings import Settings
from agenticai_core.telemetry import configure_logging
from agenticai_worker.app import create_app
from agenticai_worker.bootstrap import make_worker
from agenticai_worker.process import die_with_parent
from agenticai_worker.run import Worker
from agenticai_worker.runner import run_task
from agenticai_worker.tasks import register


def run_node(agent: Agent, concurrency: int, parent: int) -> None:
    """Consume until told to stop. ``parent``: the process that this one must not outlive."""
    die_with_parent(parent)
    settings = Settings()
    me = os.getpid()

    def prepare(**_: Any) -> None:
        die_with_parent(me)
        configure_logging(settings, f"worker-{agent.value}")
        metrics.configure(settings, "worker")
        tracing.configure(settings, f"worker-{agent.value}")

    def log(**_: Any) -> None:
        configure_logging(settings, f"worker-{agent.value}")
        metrics.configure(settings, "worker")  # here for the polls; the children do the tasks

    # Celery keeps weak references to receivers, and sets up its own logging without one.
    worker_process_init.connect(prepare, weak=False)
    worker_process_shutdown.connect(lambda **_: tracing.shutdown(), weak=False)
    setup_logging.connect(log, weak=False)
    touch = _health(settings)

    def note_poll() -> None:
        touch()
        metrics.record(metrics.SQS_REQUESTS)

    app = create_app(settings, note_poll)
    register(app, lambda project_id, task_id: run_task(_worker(), project_id, task_id))
    name = queue_name(settings.app, settings.env, agent)
    options = ["-P", "prefork", "-c", str(concurrency), "-n", f"{agent.value}@%h"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    # Celery warns root about pickle, which is not accepted here; its banner is not for JSON logs.
    warnings.simplefilter("ignore", SecurityWarning)
    app.worker_main(["--quiet", "worker", "-Q", name, "--loglevel", "WARNING", *options, *quiet])


@cache
def _worker() -> Worker:
    """Made in the child, on its first task: clients and threads must not cross a fork."""
    return make_worker(Settings())


def _health(settings: Settings) -> Callable[[], None]:
    """Touch the health file, where there is to be one, at most once a second."""
    if settings.health_file is None:
        return lambda: None
    file, touched = Path(settings.health_file), 0.0

    def note() -> None:
        nonlocal touched
        if time.monotonic() - touched >= 1:
            touched = time.monotonic()
            file.touch()

    return note
