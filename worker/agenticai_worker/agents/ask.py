"""Asking a model until its reply can be used, a bounded number of times.

A reply that is malformed, cut off or refused is told to the model as a complaint; only what
failed is asked again. When nothing helps the task fails with what was wrong, in words.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel

from agenticai_worker.edits import Applied, Rejected, apply_blocks, make_nonce, parse
from agenticai_worker.llm.base import Generation, MalformedReply, Prompt
from agenticai_worker.work import PermanentFailure, Work

T = TypeVar("T", bound=BaseModel)

JSON_TRIES = 3
BLOCK_TRIES = 4  # the first, and three more for what failed; then once the whole file
MAX_OUTPUT_TOKENS = 65_536
_CUT_OFF = "It was cut off at the limit of its length. Answer more briefly, without explanations."


def ask_json(
    work: Work,
    prompt: Prompt,
    schema: type[T],
    check: Callable[[T], str | None] = lambda _: None,
) -> T:
    """The model's answer as a ``schema``, once ``check`` finds no fault with it.

    ``check`` returns what is wrong, in words for the model. Raises `PermanentFailure`
    ``MODEL_REPLY_UNUSABLE`` after three replies that cannot be used.
    """
    for _ in range(JSON_TRIES):
        work.check()
        try:
            value = work.ask(prompt, schema).value
        except MalformedReply as error:
            prompt = _again(prompt, str(error), truncated=error.truncated)
            continue
        problem = "it is not the JSON object that was asked for" if value is None else check(value)
        if value is not None and problem is None:
            return value
        prompt = _again(prompt, problem or "")
    raise _unusable(prompt, JSON_TRIES)


@dataclass(frozen=True)
class Scope:
    """What a reply has to settle and may touch.

    ``required`` paths must each get a block; if there are none, something has to change.
    A block for a path outside ``allowed`` is dropped, or, if ``strict``, makes the whole reply
    unusable, because the rest of it may rely on that block.
    """

    required: frozenset[str]
    allowed: frozenset[str]
    strict: bool = True


def ask_blocks(
    work: Work,
    unit: str,
    make_prompt: Callable[[Mapping[str, str]], Prompt],
    tree: Mapping[str, str],
    scope: Scope,
) -> dict[str, str | None]:
    """The changes (path -> text, None: deleted) that the model's blocks make to ``tree``.

    ``make_prompt`` gets the tree as it is after the blocks that could be used so far. Raises
    `PermanentFailure`: ``EDIT_OUTSIDE_IMPACT`` if the model insists on other files,
    ``MODEL_REPLY_UNUSABLE`` for everything else.
    """
    talk = _Conversation(tree, scope)
    room = None
    for attempt in range(BLOCK_TRIES + 1):
        work.check()
        nonce = make_nonce(work.task.id, unit, str(attempt))
        complaint = talk.complaint(whole_files=attempt == BLOCK_TRIES)
        prompt = replace(make_prompt(talk.tree), nonce=nonce, complaint=complaint)
        room = room or prompt.max_output_tokens
        text, truncated = _ask_text(work, replace(prompt, max_output_tokens=room))
        talk.hear(text, nonce, truncated=truncated)
        if talk.done:
            return _changes(tree, talk.tree)
        if truncated:
            room = min(2 * room, MAX_OUTPUT_TOKENS)
    raise talk.failure(prompt.name, BLOCK_TRIES + 1)


def _ask_text(work: Work, prompt: Prompt) -> tuple[str, bool]:
    """The reply's text, usable or not, and whether it was cut off."""
    try:
        reply: Generation[BaseModel] = work.ask(prompt)
    except MalformedReply as error:
        return error.text, error.truncated
    return reply.text, reply.truncated


class _Conversation:
    """What has been settled so far, and what was wrong with the last reply."""

    def __init__(self, tree: Mapping[str, str], scope: Scope) -> None:
        self.tree = dict(tree)
        self._before = tree
        self._scope = scope
        self._settled: set[str] = set()
        self._rejected: tuple[Rejected, ...] = ()
        self._truncated = False
        self._heard = False

    def hear(self, text: str, nonce: str, *, truncated: bool) -> None:
        parsed = parse(text, nonce)
        applied = apply_blocks(self.tree, parsed.blocks, self._scope.allowed)
        outside = tuple(item for item in applied.rejected if item.outside)
        self._heard, self._truncated = True, truncated
        if outside and self._scope.strict:
            self._rejected = outside
            return
        self._rejected = self._matching(parsed.rejected, applied)
        self.tree = dict(applied.tree)
        self._settled |= applied.settled
        failed = {item.path for item in self._rejected}
        self._settled -= failed

    def _matching(self, unreadable: tuple[Rejected, ...], applied: Applied) -> tuple[Rejected, ...]:
        """The rejections that matter: not of files that nobody asked for."""
        inside = self._scope.allowed | {""}
        candidates = (*unreadable, *applied.rejected)
        return tuple(item for item in candidates if item.path in inside)

    @property
    def missing(self) -> Collection[str]:
        return sorted(self._scope.required - self._settled)

    @property
    def done(self) -> bool:
        finished = not self.missing if self._scope.required else self.tree != self._before
        return self._heard and finished and not self._rejected

    def complaint(self, *, whole_files: bool) -> str:
        if not self._heard:
            return ""
        lines = [_CUT_OFF] if self._truncated else []
        lines += [f"{item.path or 'The reply'}: {item.reason}." for item in self._rejected]
        if not self._rejected:
            lines += [f"{path}: there is no block for it." for path in self.missing]
            lines += [] if self._scope.required else ["The reply changes nothing."]
        if any(item.outside for item in self._rejected):
            lines.append(f"Only these may change: {', '.join(sorted(self._scope.allowed))}.")
        elif self._settled:
            kept = ", ".join(sorted(self._settled))
            lines.append(f"Kept from your earlier replies: {kept}. Send the other blocks alone.")
        if whole_files:
            lines.append("This time send each of these files whole, as a FILE block.")
        return "\n".join(lines)

    def failure(self, name: str, tries: int) -> PermanentFailure:
        outside = sorted({item.path for item in self._rejected if item.outside})
        if outside:
            return PermanentFailure(
                "EDIT_OUTSIDE_IMPACT",
                f"The change needs files outside of the approved impact: {', '.join(outside)}.",
                "Ask for the change again and name these parts of the project in the request.",
            )
        return _unusable(Prompt(name, {}, complaint=self.complaint(whole_files=False)), tries)


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | None]:
    changed: dict[str, str | None] = {
        path: text for path, text in after.items() if before.get(path) != text
    }
    return changed | {path: None for path in before if path not in after}


def _again(prompt: Prompt, complaint: str, *, truncated: bool = False) -> Prompt:
    if not truncated:
        return replace(prompt, complaint=complaint)
    room = min(2 * prompt.max_output_tokens, MAX_OUTPUT_TOKENS)
    return replace(prompt, complaint=f"{_CUT_OFF}\n{complaint}", max_output_tokens=room)


def _unusable(prompt: Prompt, tries: int) -> PermanentFailure:
    return PermanentFailure(
        "MODEL_REPLY_UNUSABLE",
        f"The model's answer to '{prompt.name}' could not be used after {tries} tries: "
        f"{prompt.complaint[:500]}",
        "Try again, describe the wish in simpler words, or use a stronger model.",
    )
