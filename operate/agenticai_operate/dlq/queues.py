"""The dead-letter queues themselves: look without taking, send again, remove."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
        self._hidden: dict[str, str] = {}  # id -> the newest handle
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

    def take(self, limit: int) -> list[Letter]:
        """Up to ``limit`` letters, hidden from others until `put_back` or for two minutes."""
        letters: list[Letter] = []
        seen: set[str] = set()
        until = time.monotonic() + HIDDEN / 2  # the first ones must still be hidden at the end
        while len(letters) < limit and time.monotonic() < until:
            messages = self._receive(min(10, limit - len(letters)))
            if not messages:
                break
            for message in messages:
                self._hidden[message["MessageId"]] = message["ReceiptHandle"]
                if message["MessageId"] not in seen:
                    seen.add(message["MessageId"])
                    letters.append(read_letter(self._agent, message))
        return letters

    def put_back(self) -> None:
        """Show others again what was taken and not removed."""
        handles = list(self._hidden.values())
        for start in range(0, len(handles), 10):
            entries: Any = [
                {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                for n, handle in enumerate(handles[start : start + 10])
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
        self._hidden.clear()

    def send_again(self, letter: Letter) -> None:
        """Back to its queue, then out of this one: in between it may be there twice, never not."""
        self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=letter.body)
        self.remove(letter)

    def remove(self, letter: Letter) -> None:
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=self._hidden.pop(letter.id))

    def _receive(self, count: int) -> Sequence[Any]:
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=count,
            VisibilityTimeout=HIDDEN,
            WaitTimeSeconds=1,  # not 0: SQS would ask only some of its servers
            MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
        )
        return answer.get("Messages", [])


@contextmanager
def looking(queues: Mapping[Agent, DeadLetters], limit: int) -> Iterator[list[Letter]]:
    """Up to ``limit`` letters of each queue, hidden from others meanwhile. Those that are still
    there at the end can be seen again at once; after a crash, in two minutes."""
    try:
        with ThreadPoolExecutor(len(queues)) as pool:
            found = list(pool.map(lambda queue: queue.take(limit), queues.values()))
        yield [letter for letters in found for letter in letters]
    finally:
        for queue in queues.values():
            queue.put_back()


def open_queues(place: Place, agents: Sequence[Agent]) -> dict[Agent, DeadLetters]:
    sqs = place.sqs
    return {
        agent: DeadLetters(sqs, agent, place.queue_url(agent), place.url_of) for agent in agents
    }
