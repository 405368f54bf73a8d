"""Which traces are kept, and their ids; loaded only where there is a collector."""

from typing import Any

from opentelemetry.sdk.extension.aws.trace import AwsXRayIdGenerator
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    Decision,
    ParentBased,
    Sampler,
    SamplingResult,
)
from opentelemetry.trace import SpanKind


class _NoLonelyCalls(Sampler):
    """Drops calls to AWS that belong to no request and no task: polls, heartbeats, sweeps. Each
    would be a trace of its own, several a second, and traces are paid for."""

    def should_sample(
        self,
        parent_context: Any,
        trace_id: int,
        name: str,
        kind: Any = None,
        *more: Any,
        **named: Any,
    ) -> SamplingResult:
        if kind is SpanKind.CLIENT:
            return SamplingResult(Decision.DROP)
        return ALWAYS_ON.should_sample(parent_context, trace_id, name, kind, *more, **named)

    def get_description(self) -> str:
        return "NoLonelyCalls"


SAMPLER = ParentBased(root=_NoLonelyCalls())


def id_generator(*, x_ray: bool) -> IdGenerator:
    """``x_ray``: ids that begin with the time, as X-Ray has always wanted them."""
    return AwsXRayIdGenerator() if x_ray else RandomIdGenerator()
