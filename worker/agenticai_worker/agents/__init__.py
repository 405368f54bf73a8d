"""The four agents: for each action, the function that does it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from agenticai_core.models import Action, Outcome
from agenticai_worker.agents import dev, ops, pm, qa, render
from agenticai_worker.agents.base import Tools
from agenticai_worker.work import Work

__all__ = ["AGENTS", "Agent", "Tools"]

Agent = Callable[[Work, Tools], Outcome]

AGENTS: Mapping[Action, Agent] = MappingProxyType(
    {
        Action.PLAN: pm.plan,
        Action.ANALYZE: pm.analyze,
        Action.GENERATE: dev.generate,
        Action.RENDER: render.render,
        Action.APPLY: dev.apply,
        Action.REPAIR: dev.repair,
        Action.TEST: qa.test,
        Action.PACKAGE: ops.package,
    }
)
