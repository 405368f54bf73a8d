"""What a user says about a plan, heeded where it is understood and told where it is not."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from agenticai_core.models import ProjectType
from agenticai_core.plans import Plan
from agenticai_worker.llm.template.understand.changes import change_plan
from agenticai_worker.llm.template.understand.gaps import shorten
from agenticai_worker.llm.template.understand.plan import make_plan
from agenticai_worker.llm.template.understand.text import sentences

_MAX_NOTED = 10


@dataclass
class _Heard:
    """Remarks sorted by what they are: more description, changes, or not understood."""

    description: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    unheeded: list[str] = field(default_factory=list)


def make_plan_with(name: str, type_: ProjectType, description: str, remarks: Iterable[str]) -> Plan:
    """The plan for a description and what was said about earlier plans, oldest first.

    A remark is a change ("Remove the fee from tools") or more of the description. One that is
    neither lands in ``not_covered``: it is never read into the plan by force.
    """
    plan = make_plan(name, type_, description)
    heard = _Heard()
    for remark in remarks:
        for part in _parts(plan, remark):
            changed = change_plan(plan, part).plan
            if changed is not None:
                heard.changes.append(part)
                plan = changed
            elif _describes(name, type_, description, [*heard.description, part]):
                heard.description.append(part)
                plan = _build(name, type_, description, heard)
            else:
                heard.unheeded.append(part)
    notes = [f"Said about the plan, not understood: “{shorten(one)}”" for one in heard.unheeded]
    covered = tuple(dict.fromkeys((*notes[:_MAX_NOTED], *plan.not_covered)))
    return plan.model_copy(update={"not_covered": covered})


def _parts(plan: Plan, remark: str) -> list[str]:
    """The whole where it is one change; otherwise each sentence for itself."""
    return [remark] if change_plan(plan, remark).understood else list(sentences(remark))


def _describes(name: str, type_: ProjectType, description: str, told: list[str]) -> bool:
    """Whether the last thing told adds to the plan and leaves no question open."""
    before = make_plan(name, type_, description, "\n\n".join(told[:-1]))
    after = make_plan(name, type_, description, "\n\n".join(told))
    asked = {*after.assumptions, *after.not_covered} - {*before.assumptions, *before.not_covered}
    return not asked and _substance(before) != _substance(after)


def _substance(plan: Plan) -> tuple[object, ...]:
    return plan.entities, plan.links, plan.reports, plan.features


def _build(name: str, type_: ProjectType, description: str, heard: _Heard) -> Plan:
    plan = make_plan(name, type_, description, "\n\n".join(heard.description))
    for change in heard.changes:
        plan = change_plan(plan, change).plan or plan
    return plan
