"""kombu's SQS transport, hardened: whatever a poll meets, the next poll comes.

Stock kombu 5.7.0 stops polling for good after a 5xx, a refused connection, a throttle or a hang
on ReceiveMessage: the error handler expects a dict where the connection returns a list, other
statuses are raised through the event loop, and curl gets no time-outs. Here a failed poll is an
empty poll, logged, and followed by a pause; what cannot be read is left for the dead-letter queue.
"""

import json
from typing import Any

import pycurl
import structlog
from kombu.asynchronous.aws.connection import AsyncHTTPSConnection
from kombu.asynchronous.aws.sqs.connection import AsyncSQSConnection
from kombu.transport import SQS

from agenticai_core.models import Agent
from agenticai_core.queues import celery_message, task_name

_log = structlog.get_logger()

_CONNECT_TIMEOUT = 3  # s
_POLL_MARGIN = 5  # s that an answer may take beyond the long poll's own time
_PAUSE_AFTER_FAILURE = 1.0  # s: a refused connection must not become a busy loop
_PAUSE_AT_CAPACITY = 0.05  # s between two looks whether a task has ended


class TimedConnection(AsyncHTTPSConnection):
    """Sets the time-outs that kombu's curl client leaves out."""

    def __init__(self, poll_seconds: float, http_client: Any) -> None:
        super().__init__(http_client=http_client)
        self._poll_seconds = poll_seconds

    def getrequest(self) -> Any:
        request = super().getrequest()
        request.on_prepare = self._set_timeouts
        return request

    def _set_timeouts(self, curl: Any) -> None:
        curl.setopt(pycurl.CONNECTTIMEOUT, _CONNECT_TIMEOUT)
        curl.setopt(pycurl.TIMEOUT, int(self._poll_seconds) + _POLL_MARGIN)


class HardenedConnection(AsyncSQSConnection):
    """Answers a failed poll with no messages, and remembers that it failed."""

    def __init__(self, *args: Any, poll_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._poll_seconds = poll_seconds
        self.failed = False

    def get_http_connection(self) -> TimedConnection:
        return TimedConnection(self._poll_seconds, self._httpclient)

    def _on_list_ready(self, parent: Any, markers: Any, operation: str, response: Any) -> Any:
        try:
            if response.status != self.STATUS_CODE_OK:
                raise self._for_status(response, response.read())
            answer = super()._on_list_ready(parent, markers, operation, response)
        except Exception as error:  # nothing may reach the event loop: it would drop the poller
            self.failed = True
            _log.warning("broker.poll_failed", status=response.status, error=str(error)[:300])
            return {}
        self.failed = False
        return answer


class Channel(SQS.Channel):
    """Keeps its polling loop alive, and paces it."""

    def asynsqs(self, queue: str | None = None) -> HardenedConnection:
        clients: dict[str | None, HardenedConnection] = self._predefined_queue_async_clients
        if queue not in clients:
            clients[queue] = HardenedConnection(
                sqs_connection=self.sqs(queue=queue),
                region=self.region,
                poll_seconds=self.wait_time_seconds,
            )
        return clients[queue]

    def _schedule_queue(self, queue: str) -> None:
        try:
            super()._schedule_queue(queue)
        except Exception as error:  # e.g. credentials that cannot be refreshed just now
            _log.warning("broker.poll_not_sent", error=str(error)[:300])
            self.hub.call_later(_PAUSE_AFTER_FAILURE, self._schedule_queue, queue)

    def _loop1(self, queue: str, messages_fetched: int | None = None) -> None:
        if queue not in self._active_queues:
            return
        if self.asynsqs(self.canonical_queue_name(queue)).failed:
            self.hub.call_later(_PAUSE_AFTER_FAILURE, self._schedule_queue, queue)
        elif not self.qos.can_consume():
            self._polled()
            self.hub.call_later(_PAUSE_AT_CAPACITY, self._schedule_queue, queue)
        else:
            self._polled()
            super()._loop1(queue, messages_fetched)

    def _polled(self) -> None:
        """A healthy node has polled lately, or is at capacity."""
        if note := self.transport_options.get("on_polled"):
            note()

    def _on_messages_ready(self, queue: str, qname: str, messages: dict[str, Any]) -> int:
        plain = [_plain(message, qname) for message in messages.get("Messages") or []]
        readable = {"Messages": [message for message in plain if message is not None]}
        return int(super()._on_messages_ready(queue, qname, readable))


class Transport(SQS.Transport):
    Channel = Channel
    polling_interval = 0


_AGENT_OF = {task_name(agent): agent for agent in Agent}


def _plain(message: Any, queue: str) -> dict[str, Any] | None:
    """The message as we would have sent it, or None when it is not one of ours.

    Only the ids are taken over, so that no odd header can reach Celery, where some raise through
    the event loop. What cannot be read is not acknowledged either: SQS moves it to the
    dead-letter queue after a few receives.
    """
    try:
        envelope = json.loads(message["Body"])
        (project_id, task_id), named, _ = json.loads(envelope["body"])
        agent = _AGENT_OF[envelope["headers"]["task"]]
        ids = [text for text in (project_id, task_id) if isinstance(text, str) and text]
        if len(ids) != 2 or named != {} or not message["ReceiptHandle"]:
            raise ValueError("it does not carry two ids")
    except (LookupError, TypeError, ValueError, RecursionError) as error:
        _log.error("broker.unreadable_message", queue=queue, error=repr(error)[:200])
        return None
    body = json.dumps(celery_message(agent, queue, project_id, task_id))
    return {**message, "Body": body}
