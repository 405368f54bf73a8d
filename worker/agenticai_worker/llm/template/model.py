"""The built-in engine as a language model: deterministic, without a network, without a key.

It reads a prompt's values instead of its text, and answers in the same form as any other model,
so that agents need not know which one they have.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from agenticai_core.models import Impact, ProjectType
from agenticai_core.plans import Analysis, Plan, PlannedFile
from agenticai_worker.llm.base import Generation, PermanentModelError, Prompt
from agenticai_worker.llm.template.patch import edited_by_hand, merge
from agenticai_worker.llm.template.understand.changes import Change, change_plan
from agenticai_worker.llm.template.understand.feedback import make_plan_with
from agenticai_worker.llm.template.understand.plan import is_summary
from agenticai_worker.llm.template.write.project import (
    render,
    render_deployment,
    render_platform,
)
from agenticai_worker.llm.template.write.purposes import purpose_of
from agenticai_worker.llm.template.write.wanted import with_wanted

T = TypeVar("T", bound=BaseModel)

_ROOT = "app/application.py"  # puts every service of the engine together
_NOT_OWN = (
    "The built-in engine changes only services that it writes itself, and this project comes from "
    "elsewhere. A language model can change it: see AGENTICAI_MODEL."
)
_LINES_A_PIECE = 20  # of streamed text
_MOST_REPAIRED = 12  # files in one repair
_SECONDS_A_FILE = 1  # measured: well under one; said so that it is not promised too short


class TemplateModel:
    """Implements `agenticai_worker.llm.base.LanguageModel`."""

    name = "template"
    llm = False

    def generate(
        self,
        prompt: Prompt,
        schema: type[T] | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout: float = 120.0,
    ) -> Generation[T]:
        del timeout  # an answer takes milliseconds
        answer = _ANSWERS.get(prompt.name)
        if answer is None:
            raise PermanentModelError(f"The built-in engine knows no prompt '{prompt.name}'")
        made = answer(prompt)
        text = made if isinstance(made, str) else made.model_dump_json(indent=1)
        if on_text is not None:
            for piece in _pieces(text):
                on_text(piece)
        value = schema.model_validate_json(text) if schema is not None else None
        return Generation(value=value, text=text, heeded=_heeds_messages(prompt))

    def count_tokens(self, prompt: Prompt) -> int:
        del prompt
        return 0


class _Diagnosis(BaseModel):
    cause: str
    paths: tuple[str, ...]


def _plan(prompt: Prompt) -> Plan:
    values = prompt.values
    plan = make_plan_with(
        values["name"], ProjectType(values["type"]), values["description"], _remarks(prompt)
    )
    return _with_files(with_wanted(plan, tuple(values["dependencies"])))


def _remarks(prompt: Prompt) -> list[str]:
    """What the user has said about an earlier plan, and into the run, each for itself."""
    said = [*prompt.values["feedback"].split("\n\n"), *prompt.values["messages"]]
    return [remark for remark in said if remark.strip()]


def _analyze(prompt: Prompt) -> Analysis:
    plan, tree = prompt.values["plan"], prompt.values["tree"]
    if not _is_own(plan, tree):
        return Analysis(impact=Impact(understood=False, reason=_NOT_OWN))
    change = change_plan(plan, _wish(prompt))
    if not change.understood or change.plan is None:
        return Analysis(impact=Impact(understood=False, reason=change.reason))
    new = _with_files(_keep_given(plan, change.plan))
    return Analysis(impact=_impact(change, plan, new, tree), plan=new)


def _keep_given(old: Plan, new: Plan) -> Plan:
    """What a template gave to the plan, and the words of a request can say nothing of."""
    own = is_summary(old.name, old.summary)
    summary = new.summary if own else old.summary
    return new.model_copy(update={"database": old.database, "summary": summary})


def _wish(prompt: Prompt) -> str:
    """The request with what was said about it; messages only where they are understood."""
    whole = "\n".join([prompt.values["request"], *_remarks(prompt)])
    if not prompt.values["messages"] or change_plan(prompt.values["plan"], whole).understood:
        return whole
    return "\n".join([prompt.values["request"], prompt.values["feedback"]])


def _heeds_messages(prompt: Prompt) -> bool:
    match prompt.name:
        case "plan":
            return True
        case "analyze":
            return all(message in _wish(prompt) for message in prompt.values["messages"])
        case _:
            return False


def _impact(change: Change, old: Plan, new: Plan, tree: Mapping[str, str]) -> Impact:
    """The files that differ between the projects of the two plans."""
    before, after = _all_files(old), _all_files(new)
    differ = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    affected = sorted(path for path in differ if path in tree)
    added = sorted(path for path in differ if path in after and path not in tree)
    seconds = 5 + _SECONDS_A_FILE * len(differ)
    return Impact(
        understood=True,
        summary="; ".join(change.steps),
        risk_level=change.risk,
        affected_files=tuple(affected),
        new_files=tuple(added),
        estimated_time=f"about {seconds} s",
        steps=change.steps,
    )


def _generate(prompt: Prompt) -> str:
    return _whole(prompt, _known(render(prompt.values["plan"]), prompt.values["path"]))


def _package(prompt: Prompt) -> str:
    values = prompt.values
    plan, deployment, environment = values["plan"], values["deployment"], values["environment"]
    files = {**render_deployment(plan), **render_platform(plan, deployment, environment)}
    return _whole(prompt, _known(files, values["path"]))


def _apply(prompt: Prompt) -> str:
    """The file of the new plan, with the user's own edits in it, or its end."""
    path, now = prompt.values["path"], prompt.values["content"]
    before = _all_files(prompt.values["old_plan"]).get(path, "")
    after = _all_files(prompt.values["plan"]).get(path)
    if now in ("", before):
        return _whole(prompt, after) if after is not None else _deletion(prompt)
    if after is None:
        raise edited_by_hand(path)
    return _whole(prompt, merge(path, before, after, now))


def _deletion(prompt: Prompt) -> str:
    return f'<<<DELETE {prompt.nonce} path="{prompt.values["path"]}">>>\n'


def _diagnose(prompt: Prompt) -> _Diagnosis:
    """The damaged files of a new project. In a modification they are a user's own edits."""
    if not _is_own(prompt.values["plan"], prompt.values["tree"]):
        raise PermanentModelError(
            "The tests fail. " + _NOT_OWN,
            code="CAUSE_NOT_FOUND",
            hint="The tests' report says what fails; a language model can look for its cause",
        )
    changed = _unlike_plan(prompt)
    if prompt.values.get("approved"):
        changed += _own_failing(prompt)
    if changed and prompt.values.get("approved"):
        raise PermanentModelError(
            f"The tests fail together with the edits made by hand in {', '.join(changed[:5])}",
            code="EDITED_BY_HAND",
            hint="The tests' report says what does not fit; mend the edits and ask again",
        )
    if not changed:
        raise PermanentModelError(
            "The tests fail, and every file is as the built-in engine writes it",
            code="CAUSE_NOT_FOUND",
            hint="This is a fault of the engine; a language model can look for its cause",
        )
    cause = "These files are not as the plan has them"
    return _Diagnosis(cause=cause, paths=tuple(changed[:_MOST_REPAIRED]))


def _repair(prompt: Prompt) -> str:
    files, wanted = _all_files(prompt.values["plan"]), set(prompt.values["paths"])
    chosen = [path for path in _unlike_plan(prompt) if path in wanted]
    return "".join(_block(path, files[path], prompt.nonce) for path in chosen)


def _is_own(plan: Plan, tree: Mapping[str, str]) -> bool:
    """Whether the project is one that this engine writes, and not one of a template's own kind."""
    return bool(plan.entities) and _ROOT in tree


def _unlike_plan(prompt: Prompt) -> list[str]:
    tree = prompt.values["tree"]
    files = _all_files(prompt.values["plan"])
    return [path for path, text in files.items() if path in tree and tree[path] != text]


def _own_failing(prompt: Prompt) -> list[str]:
    """Files that failures name and that are no part of the plan: the user has added them."""
    files = _all_files(prompt.values["plan"])
    return [path for path in prompt.values["failing"] if path not in files]


def _with_files(plan: Plan) -> Plan:
    files = tuple(PlannedFile(path=path, purpose=purpose_of(path)) for path in render(plan))
    return plan.model_copy(update={"files": files})


def _all_files(plan: Plan) -> Mapping[str, str]:
    return {**render(plan), **render_deployment(plan)}


def _known(files: Mapping[str, str], path: str) -> str:
    if path not in files:
        raise PermanentModelError(
            f"The built-in engine does not write '{path}'",
            code="FILE_NOT_KNOWN",
            hint="It writes the files of its own plans; a language model can write others",
        )
    return files[path]


def _whole(prompt: Prompt, content: str) -> str:
    return _block(prompt.values["path"], content, prompt.nonce)


def _block(path: str, content: str, nonce: str) -> str:
    content += "\n" if content and not content.endswith("\n") else ""
    return f'<<<FILE {nonce} path="{path}">>>\n{content}<<<END {nonce}>>>\n'


def _pieces(text: str) -> Iterator[str]:
    lines: Iterable[str] = text.splitlines(keepends=True)
    gathered = list(lines)
    for start in range(0, len(gathered), _LINES_A_PIECE):
        yield "".join(gathered[start : start + _LINES_A_PIECE])


_ANSWERS: Mapping[str, Callable[[Prompt], Any]] = {
    "plan": _plan,
    "analyze": _analyze,
    "generate": _generate,
    "apply": _apply,
    "diagnose": _diagnose,
    "repair": _repair,
    "package": _package,
}
