"""Structured logs: one JSON object a line on standard output, with what is bound to the context.

What a line holds is in docs/monitoring.md. `bind` and `request_id` carry the ids of what is being
done; a task's row takes them along from the request to the workers.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from opentelemetry import trace

from agenticai_core.redaction import Redactor, environment_secrets
from agenticai_core.settings import Settings


def configure_logging(settings: Settings, service: str) -> None:
    """Set up structlog and the standard library's logging for one process."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _add_trace_id,
        structlog.processors.format_exc_info,
        Redactor(environment_secrets()),
    ]
    last: list[structlog.types.Processor] = (
        [_name_event, structlog.processors.JSONRenderer(default=str)]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)]
    )
    level = logging.getLevelNamesMapping().get(settings.log_level.upper(), logging.INFO)
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries speak up only when something is wrong.
    root.setLevel(max(level, logging.WARNING))


@contextmanager
def bind(**ids: str | None) -> Iterator[None]:
    """Put what is known of ``ids`` on every log line until the end of the block."""
    known = {name: value for name, value in ids.items() if value}
    with structlog.contextvars.bound_contextvars(**known):
        yield


def request_id() -> str | None:
    """The request that what is being done goes back to."""
    found: str | None = structlog.contextvars.get_contextvars().get("request_id")
    return found


def _add_trace_id(_logger: Any, _method: str, line: structlog.types.EventDict) -> Any:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        line["trace_id"] = trace.format_trace_id(context.trace_id)
    return line


def _name_event(_logger: Any, _method: str, line: structlog.types.EventDict) -> Any:
    """Ours are named by dotted keys; a library's line is named by its logger, and has a text."""
    text = str(line.pop("event", ""))
    library = line.pop("logger", None)
    words = text.replace(".", " ").replace("_", " ")
    line.setdefault("message", text if library else words[:1].upper() + words[1:])
    return {"event_type": library or text, **line}
