"""A Celery worker process whose tasks append what they were called with to a file.

``python -m tests.fakes.echo_worker <agent> <file>``: one JSON object a line.
"""

import json
import sys
import warnings
from pathlib import Path

from celery import current_task
from celery.exceptions import SecurityWarning

from agenticai_core.models import Agent
from agenticai_core.queues import queue_name
from agenticai_core.settings import Settings
from agenticai_worker.app import create_app
from agenticai_worker.tasks import register


def main(agent: str, file: str) -> None:
    settings = Settings()

    def note(project_id: str, task_id: str) -> None:
        request = current_task.request
        seen = {
            "task": current_task.name,
            "project_id": project_id,
            "task_id": task_id,
            "time_limit": request.timelimit,
            "queue": request.delivery_info["routing_key"],
        }
        with Path(file).open("a") as out:
            out.write(json.dumps(seen) + "\n")

    app = create_app(settings)
    register(app, note)
    queue = queue_name(settings.app, settings.env, Agent(agent))
    warnings.simplefilter("ignore", SecurityWarning)
    options = ["-Q", queue, "-c", "1", "-n", f"echo-{agent}@%h", "--loglevel", "WARNING"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    app.worker_main(["--quiet", "worker", "-P", "prefork", *options, *quiet])


if __name__ == "__main__":
    main(*sys.argv[1:])
