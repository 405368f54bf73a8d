"""Traces by OpenTelemetry, sent by OTLP over HTTP to the collector that the settings name.

Without one nothing is sent and nothing of the SDK is loaded: a span costs a few calls that do
nothing. A task's row carries the span that made it, so that a trace goes on over queues, sweeps and
retries.
"""

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Literal

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.propagate import set_global_textmap
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from agenticai_core.models import Task, Usage
from agenticai_core.settings import Settings

_W3C = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("agenticai")

_PATIENCE = 2  # s for a collector to take a batch, its retries included: a stop waits for the last

# As OpenTelemetry's conventions for generative AI name them; others go by our own name.
_PROVIDERS = {"gemini": "gcp.gemini", "bedrock": "aws.bedrock"}


class _Aloof(TextMapPropagator):
    """Takes up no client's trace, which could choose our ids or switch sampling off, and tells
    nobody of ours."""

    def extract(
        self,
        carrier: Any,  # noqa: ARG002 - the port has it
        context: Context | None = None,
        getter: Any = None,  # noqa: ARG002
    ) -> Context:
        return context if context is not None else Context()

    def inject(self, carrier: Any, context: Context | None = None, setter: Any = None) -> None:
        """Nothing."""

    @property
    def fields(self) -> set[str]:
        return set()


def configure(settings: Settings, service: str) -> bool:
    """Begin to send spans from this process, once, after a fork; whether there is a collector."""
    if not settings.otlp_endpoint:
        return False
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from agenticai_core.sampling import SAMPLER, id_generator

    on_ecs = "ECS_CONTAINER_METADATA_URI_V4" in os.environ
    named = {
        "service.name": service,
        "service.namespace": settings.app,
        "deployment.environment.name": settings.env,
    }
    provider = TracerProvider(
        sampler=SAMPLER, id_generator=id_generator(x_ray=on_ecs), resource=Resource.create(named)
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_PATIENCE)))
    trace.set_tracer_provider(provider)
    set_global_textmap(_Aloof())
    BotocoreInstrumentor().instrument()  # type: ignore[no-untyped-call]
    atexit.register(provider.shutdown)
    return True


def shutdown() -> None:
    """Send what is left: for processes that end without Python's own end."""
    stop = getattr(trace.get_tracer_provider(), "shutdown", None)
    if stop is not None:
        stop()


def current_parent() -> str | None:
    """The current span, to be kept and taken up by `task_span` in another process."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")


def task_span(task: Task) -> AbstractContextManager[trace.Span]:
    """One run of a task, below the request or the task that made it."""
    return _tracer.start_as_current_span(
        f"{task.agent.value}.{task.action.value}",
        context=_W3C.extract({"traceparent": task.trace_parent or ""}),
        kind=SpanKind.CONSUMER,
        attributes={
            "messaging.system": "aws_sqs",
            "messaging.operation.type": "process",
            "agenticai.project_id": task.project_id,
            "agenticai.task_id": task.id,
            "agenticai.fence": task.fence,
            "agenticai.request_id": task.request_id or "",
        },
    )


def socket_span(
    step: Literal["connect", "subscribe"], project_id: str = ""
) -> AbstractContextManager[trace.Span]:
    """One thing that a client asks of the gateway, a trace of its own: sockets live for hours."""
    return _tracer.start_as_current_span(
        f"websocket {step}",
        context=Context(),
        kind=SpanKind.SERVER,
        attributes={"agenticai.project_id": project_id} if project_id else {},
        record_exception=False,  # a refusal is an answer; the span's status tells of it
    )


@contextmanager
def model_span(model: str, prompt: str, most_tokens: int) -> Iterator[Callable[[Usage], None]]:
    """One call of a language model; what it yields takes the tokens that the call used."""
    provider, _, name = model.partition(":")
    asked = name or provider
    with _tracer.start_as_current_span(
        f"chat {asked}",
        kind=SpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _PROVIDERS.get(provider, provider),
            "gen_ai.request.model": asked,
            "gen_ai.request.max_tokens": most_tokens,
            "agenticai.prompt": prompt,
        },
    ) as span:

        def tell(used: Usage) -> None:
            span.set_attribute("gen_ai.usage.input_tokens", used.input_tokens)
            span.set_attribute("gen_ai.usage.output_tokens", used.output_tokens)

        try:
            yield tell
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            used = getattr(error, "usage", None)
            if used is not None:
                tell(used)
            raise
