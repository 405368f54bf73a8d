"""Run the whole system, each service behind a proxy of its own, and note what it asks of AWS.

``python -m tests.deployment.iam.recorder`` writes the recording that test_iam.py evaluates.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.deployment.iam import calls
from tests.deployment.iam.flow import Flow
from tests.deployment.iam.proxy import RecordingProxy
from tests.fakes import notes
from tests.fakes.gemini import FakeGemini, serve

from agenticai_core.models import Agent
from agenticai_local.ports import free_port
from agenticai_local.stack import WORKERS, LocalStack

ROOT = Path(__file__).resolve().parents[3]
RECORDING = ROOT / "tests" / "deployment" / "recorded_calls.json"
# Leases short enough to see one run out, and pings so that a look at a key comes before one.
_PACE = {
    "AGENTICAI_LEASE_SECONDS": "3",
    "AGENTICAI_HEARTBEAT_SECONDS": "1",
    "AGENTICAI_SWEEP_SECONDS": "1",
    "AGENTICAI_INSTANCE_BEAT_SECONDS": "2",
    "AGENTICAI_RECHECK_SECONDS": "1",
    "AGENTICAI_PING_SECONDS": "3",
    "AGENTICAI_DRAIN_SECONDS": "3",
    "AGENTICAI_RETRY_BASE_SECONDS": "0.1",
}


def record() -> dict[str, set[calls.Call]]:
    """Service -> what it needed. Raises `AssertionError` when something was not understood."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        proxies = {
            service: stack.enter_context(RecordingProxy(free_port()))
            for service in ("api", "websocket", "worker")
        }
        fake = stack.enter_context(serve(FakeGemini(notes.answer)))
        running = stack.enter_context(_system(folder, fake, proxies))
        Flow(running, fake, proxies["api"]).run()
        problems = [problem for proxy in proxies.values() for problem in proxy.problems]
        assert not problems, problems
        return {service: proxy.calls for service, proxy in proxies.items()}


@contextmanager
def _system(
    folder: Path, fake: FakeGemini, proxies: dict[str, RecordingProxy]
) -> Iterator[LocalStack]:
    port = free_port()
    emulator = f"http://127.0.0.1:{port}"
    for proxy in proxies.values():
        proxy.upstream = emulator
    model = {
        "AGENTICAI_MODEL": "gemini:gemini-2.5-flash",
        "AGENTICAI_GEMINI_ENDPOINT": fake.url,
        "GEMINI_API_KEY": fake.key,
    }
    of_process = {name: "worker" for name in WORKERS} | {"api": "api", "websocket": "websocket"}
    with LocalStack(
        folder,
        emulator_port=port,
        fresh=True,
        extra_env=_PACE | model,
        process_env={name: _aws(proxies[service].url) for name, service in of_process.items()},
        tell=lambda _: None,
    ) as running:
        yield running


def _aws(url: str) -> dict[str, str]:
    """Where a process finds AWS: the queues' addresses name it as well."""
    path = f"{url}/{calls.ACCOUNT}/{calls.APP}-{calls.ENV}"
    queues = {f"SQS_QUEUE_URL_{agent.name}": f"{path}-{agent.value}-queue" for agent in Agent}
    return {"AWS_ENDPOINT_URL": url, **queues}


def main() -> None:
    recorded = record()
    RECORDING.write_text(calls.dump(recorded))
    counts = ", ".join(f"{service} {len(found)}" for service, found in sorted(recorded.items()))
    sys.stdout.write(f"Permissions that were needed: {counts}\n")


if __name__ == "__main__":
    main()
