"""On PYTHONPATH of a real worker node, gives it an agent of a few units that a test steers.

Only where FAKE_AGENT_FOLDER is set. Each unit appends its name and process to ``units`` there, and
lasts until a file ``go`` is there, or FAKE_AGENT_SECONDS have passed.
"""

import os
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = os.environ.get("FAKE_AGENT_FOLDER")


def work(run: Any, tools: Any) -> Any:
    from agenticai_core.models import Outcome

    folder = Path(FOLDER or "")

    def produce(name: str) -> bytes:
        with (folder / "units").open("a") as out:
            out.write(f"{name} {os.getpid()}\n")
        until = time.monotonic() + float(os.environ.get("FAKE_AGENT_SECONDS", "0"))
        while time.monotonic() < until and not (folder / "go").exists():
            time.sleep(0.02)
        return name.encode()

    for n in range(3):
        run.unit(f"unit{n}", lambda n=n: produce(f"unit{n}"))
    return Outcome(outputs={"plan": "plans/none"}, summary="planned")


if FOLDER:
    import agenticai_worker.agents
    from agenticai_core.models import Action

    agenticai_worker.agents.AGENTS = MappingProxyType({Action.PLAN: work})
