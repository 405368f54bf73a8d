"""``python -m agenticai_worker <pm|dev|qa|ops>``: one node and the sweeper's loop, fit for PID 1.

On SIGTERM it raises the drain flag, which running tasks look at between units, and tells Celery to
stop warmly; what has not ended after ``AGENTICAI_DRAIN_SECONDS`` (80 s) is stopped coldly. What a
stopped task had done is checkpointed, and another node goes on from there.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import structlog

from agenticai_core.bootstrap import connect
from agenticai_core.models import Agent
from agenticai_core.queues import CONCURRENCY
from agenticai_core.settings import Settings
from agenticai_core.telemetry import configure_logging
from agenticai_worker.llm.base import PermanentModelError
from agenticai_worker.llm.choose import choose_model
from agenticai_worker.node import run_node
from agenticai_worker.sweeper import Sweeper

_log = structlog.get_logger()
_AFTER_QUIT = 10  # s that a cold stop may take


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m agenticai_worker", description=__doc__)
    parser.add_argument("queue", choices=[agent.value for agent in Agent])
    parser.add_argument("--concurrency", type=int, help="child processes (default: by queue)")
    parser.add_argument("--node-of", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    agent = Agent(options.queue)
    if options.node_of is not None:
        run_node(agent, options.concurrency, options.node_of)
        return 0
    settings = Settings()
    configure_logging(settings, f"worker-{agent.value}")
    try:
        choose_model(settings)  # a wrong name or a missing key is told now, not with the first task
    except PermanentModelError as error:
        sys.stderr.write(f"error: {error}\n{error.hint}\n")
        return 2
    return _supervise(agent, options.concurrency or CONCURRENCY[agent], settings)


def _supervise(agent: Agent, concurrency: int, settings: Settings) -> int:
    """Run the node as a child and the sweeper as a thread; pass signals on; the exit status."""
    asked: list[int] = []  # a lock taken in a signal handler could be held by what it interrupts
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: asked.append(received))
    with tempfile.TemporaryDirectory(prefix="agenticai-") as folder:
        flag = Path(folder) / "drain"
        node = subprocess.Popen(
            [sys.executable, "-m", "agenticai_worker", agent.value,
             "--concurrency", str(concurrency), "--node-of", str(os.getpid())],
            env=os.environ | {"AGENTICAI_DRAIN_FILE": str(flag)},
            start_new_session=True,  # Ctrl-C in a terminal reaches us alone, and we pass it on
        )  # fmt: skip
        stop = threading.Event()
        sweeper = Sweeper(connect(settings), settings.sweep_seconds)
        threading.Thread(target=sweeper.run, args=(stop,), name="sweeper", daemon=True).start()
        status = _wait(node, asked)
        if status is None:
            _log.info("worker.draining")
            flag.touch()
            status = _stop(node, settings.drain_seconds)
        stop.set()
    return status


def _wait(node: "subprocess.Popen[bytes]", asked: list[int]) -> int | None:
    """The node's exit status, or None as soon as a stop is asked for."""
    while not asked:
        time.sleep(0.1)
        status = node.poll()
        if status is not None:
            _log.error("worker.node_died", status=status)
            return status or 1
    return None


def _stop(node: "subprocess.Popen[bytes]", seconds: float) -> int:
    """Warm, then cold, then by force."""
    for number, patience in (
        (signal.SIGTERM, seconds),
        (signal.SIGQUIT, _AFTER_QUIT),
        (signal.SIGKILL, None),
    ):
        node.send_signal(number)
        try:
            node.wait(patience)
        except subprocess.TimeoutExpired:
            _log.warning("worker.still_running", after=number.name)
            continue
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
