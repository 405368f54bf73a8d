"""The Celery application: four tasks on four queues, settings and nothing else."""

from collections.abc import Callable

from celery import Celery
from kombu import Exchange, Queue

from agenticai_core.models import Agent
from agenticai_core.queues import queue_name
from agenticai_core.settings import Settings


def create_app(settings: Settings, on_polled: Callable[[], None] | None = None) -> Celery:
    """One app for every node; a node consumes the queue it is started for."""
    names = {agent: queue_name(settings.app, settings.env, agent) for agent in Agent}
    app = Celery("agenticai", set_as_current=False)
    app.conf.update(
        broker_url="sqs://",
        broker_transport="agenticai_worker.broker:Transport",
        broker_transport_options={
            "region": settings.region,
            "predefined_queues": {
                names[agent]: {"url": settings.queue_url(agent)} for agent in Agent
            },
            "wait_time_seconds": settings.sqs_wait_seconds,
            "sqs_base64_encoding": False,
            # An ack blocks the event loop; botocore's own time-outs would block it for minutes.
            "client-config": {
                "connect_timeout": 2,
                "read_timeout": 4,
                "retries": {"mode": "standard", "total_max_attempts": 2},
            },
            "on_polled": on_polled,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_default_queue=names[Agent.PM],
        task_create_missing_queues=False,
        task_queues=_queues(names),
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_max_tasks_per_child=200,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
    )
    return app


def _queues(names: dict[Agent, str]) -> list[Queue]:
    exchange = Exchange("agenticai", type="direct")
    return [Queue(name, exchange, routing_key=name) for name in names.values()]
