"""Where a worker process' adapters meet."""

import structlog

from agenticai_core.bootstrap import connect
from agenticai_core.settings import Settings
from agenticai_worker.llm.choose import choose_model
from agenticai_worker.run import Worker
from agenticai_worker.sandbox.local import LocalSandbox

_log = structlog.get_logger()


def make_worker(settings: Settings) -> Worker:
    """The store, the model and the sandbox that the settings name."""
    sandbox = LocalSandbox(settings.sandbox_python, settings.sandbox_root)
    _log.info("sandbox.examined", strength=sandbox.level, missing=sandbox.missing)
    return Worker(
        services=connect(settings),
        settings=settings,
        model=choose_model(settings),
        sandbox=sandbox,
    )
