"""What commands share: their verbs, what cannot be built, and building on a plan."""

import re

from agenticai_core.plans import Plan, Report
from agenticai_worker.llm.template.understand import gaps
from agenticai_worker.llm.template.understand.drafts import Board
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.plan import build
from agenticai_worker.llm.template.understand.targets import NotUnderstood

COMMAND_VERBS = (
    "add|remove|delete|drop|rename|make|allow|let|require|log|protect|filter|search|track|create|introduce|"
    "set|change|support|enable|include|prevent|list|record|store"
)


TECHNICAL = re.compile(
    r"\b(?:cach(?:e|ing)|docker|pagination|cors|rate[- ]limit\w*|kubernetes|redis|postgres\w*|mysql|mongo\w*|tests?|ci|cd|monitoring|metrics|health ?checks?|swagger|"
    r"typing|retries|retry|backups?|encrypt\w*|https|ssl|tls|error handling|deployment|performance|faster|refactor\w*|clean(?:er|up)|comments in|docstrings?|migrations?|"
    r"async|microservices?|golang|rust|typescript|javascript|node|php|java|kotlin|swift|c\+\+|django|flask|indexes?|validation|bugs?|security|scal(?:e|able|ability|ing)|quality|docs|documentation|readme|versioning|tracing)\b",
    re.I,
)  # fmt: skip


def refuse_unbuildable(part: str) -> None:
    gap = gaps.find_gap(part)
    if gap:
        raise NotUnderstood(f"this asks for {gap}, which the built-in engine does not build.")
    if TECHNICAL.search(part):
        raise NotUnderstood(
            "this is about how the code is made, not about what it keeps; the built-in engine changes entities, fields, rules, reports and access."
        )


def rebuild(plan: Plan, board: Board, reports: list[Report], facts: Facts) -> Plan:
    """Build on the board; new demands on rows that exist already become optional."""
    before = {e.name: {f.name for f in e.fields} for e in plan.entities}
    build(facts, board, reports)
    if board.not_covered:
        raise NotUnderstood(board.not_covered[0])
    for draft in board.drafts.values():
        if draft.name not in before:
            continue
        for name, field in draft.fields.items():
            if name not in before[draft.name] and field.required and field.default is None:
                draft.fields[name] = field.model_copy(update={"required": False})
    features = tuple(dict.fromkeys((*plan.features, *facts.features)))
    return plan.model_copy(
        update={
            "entities": tuple(d.to_entity() for d in board.drafts.values()),
            "links": tuple(board.links),
            "reports": tuple(reports),
            "features": features,
            "assumptions": tuple(dict.fromkeys((*plan.assumptions, *board.assumptions))),
        }
    )
