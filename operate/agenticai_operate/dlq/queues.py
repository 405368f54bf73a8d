"""The dead-letter queues themselves: look without taking, send again, remove."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agenticai_core.models import Agent
from agenticai_operate.dlq.letters import Letter, read_letter
from agenticai_operate.errors import NotConfigured
from agenticai_operate.places import Place

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

HIDDEN = 120  # s that a letter stays out of sight of others while it is looked at
_EMPTY = 2  # receives that find nothing until the queue counts as empty; SQS asks a part of it


@dataclass(frozen=True)
class Counts:
    """As SQS tells them: approximately."""

    waiting: int
    hidden: int  # somebody is looking at them


class DeadLetters:
    """One agent's dead-letter queue, as its queue's redrive policy names it."""

    def __init__(
        self,
        sqs: "SQSClient",
        agent: Agent,
        queue_url: str,
        url_of: Callable[[str], str],
    ) -> None:
        self._sqs = sqs
        self._agent = agent
        self._queue_url = queue_url
        answer = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["RedrivePolicy"])
        policy = json.loads(answer.get("Attributes", {}).get("RedrivePolicy", "{}"))
        if "deadLetterTargetArn" not in policy:
            raise NotConfigured(
                f"The queue {queue_url} has no dead-letter queue",
                hint="Is it the agent's queue? copilot/environments/addons/queues.yml makes both",
            )
        self._removed: set[str] = set()  # handles of letters that need not be shown again
        self._url = url_of(policy["deadLetterTargetArn"].rsplit(":", 1)[-1])

    def counts(self) -> Counts:
        answer = self._sqs.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
            ],
        )["Attributes"]
        return Counts(
            int(answer["ApproximateNumberOfMessages"]),
            int(answer["ApproximateNumberOfMessagesNotVisible"]),
        )

    @contextmanager
    def looking(self, limit: int) -> Iterator[list[Letter]]:
        """Up to ``limit`` letters, hidden from others meanwhile. Those that are still there at the
        end can be seen again at once; after a crash, in two minutes."""
        letters: list[Letter] = []
        try:
            letters.extend(self._receive(limit))
            yield letters
        finally:
            self._show([letter for letter in letters if letter.handle not in self._removed])
            self._removed.clear()

    def send_again(self, letter: Letter) -> None:
        """Back to its queue, then out of this one: in between it may be there twice, never not."""
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=letter.body)
        self.remove(letter)

    def remove(self, letter: Letter) -> None:
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.handle)
        self._removed.add(letter.handle)

    def _receive(self, limit: int) -> Iterator[Letter]:
        seen: set[str] = set()
        empty = 0
        until = time.monotonic() + HIDDEN / 2  # the first ones must still be hidden at the end
        while len(seen) < limit and empty < _EMPTY and time.monotonic() < until:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(10, limit - len(seen)),
                VisibilityTimeout=HIDDEN,
                WaitTimeSeconds=1,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
            )
            messages: Sequence[Any] = answer.get("Messages", [])
            empty = 0 if messages else empty + 1
            for message in messages:
                if message["MessageId"] not in seen:
                    seen.add(message["MessageId"])
                    yield read_letter(self._agent, message)

    def _show(self, letters: Sequence[Letter]) -> None:
        for start in range(0, len(letters), 10):
            entries: Any = [
                {"Id": str(n), "ReceiptHandle": letter.handle, "VisibilityTimeout": 0}
                for n, letter in enumerate(letters[start : start + 10])
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)


def open_queues(place: Place, agents: Sequence[Agent]) -> dict[Agent, DeadLetters]:
    sqs = place.sqs
    return {
        agent: DeadLetters(sqs, agent, place.queue_url(agent), place.url_of) for agent in agents
    }
