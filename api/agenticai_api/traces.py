"""A span for each request, health checks left out."""

from typing import Any

from fastapi import FastAPI
from opentelemetry.trace import Span

from agenticai_core.redaction import Redactor

_ADDRESSES = ("http.url", "http.target", "url.full", "url.path", "url.query")


def trace_requests(app: FastAPI) -> None:
    # Loaded only where there is a collector: it takes a tenth of a second.
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    FastAPIInstrumentor.instrument_app(
        app, excluded_urls="health", exclude_spans=["receive", "send"], server_request_hook=_redact
    )


def _redact(span: Span, _scope: dict[str, Any]) -> None:
    """Somebody may have put a key into an address."""
    told = getattr(span, "attributes", None) or {}
    for name in _ADDRESSES:
        if isinstance(told.get(name), str):
            span.set_attribute(name, Redactor().text(told[name]))
