"""A model that answers from a list, for agents' tests."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from agenticai_core.models import Usage
from agenticai_worker.llm.base import Generation, MalformedReply, Prompt
from agenticai_worker.llm.reply import read_json

T = TypeVar("T", bound=BaseModel)

Reply = str | BaseModel | Exception | Generation[BaseModel]


class ScriptedModel:
    """Implements `LanguageModel` with replies given in order, or made from the prompt."""

    name = "scripted"
    llm = True

    def __init__(self, replies: Sequence[Reply] | Callable[[Prompt], Reply]) -> None:
        self._replies = replies
        self.prompts: list[Prompt] = []

    def generate(
        self,
        prompt: Prompt,
        schema: type[T] | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout: float = 120.0,
    ) -> Generation[T]:
        self.prompts.append(prompt)
        reply = self._next(prompt)
        usage = Usage(input_tokens=10, output_tokens=5)
        if isinstance(reply, Exception):
            raise reply
        if isinstance(reply, Generation):
            return reply  # type: ignore[return-value]
        if isinstance(reply, BaseModel):
            return Generation(reply, reply.model_dump_json(), usage)  # type: ignore[arg-type]
        text = reply.replace("NONCE", prompt.nonce)
        if schema is None:
            return Generation(None, text, usage)
        return Generation(read_json(text, schema, usage), text, usage)

    def count_tokens(self, prompt: Prompt) -> int:
        return 100

    def _next(self, prompt: Prompt) -> Reply:
        if callable(self._replies):
            return self._replies(prompt)
        return self._replies[len(self.prompts) - 1]


def malformed(text: str = "no", *, truncated: bool = False) -> MalformedReply:
    return MalformedReply("not JSON", text, Usage(input_tokens=3), truncated=truncated)


def file_block(path: str, content: str) -> str:
    """A FILE block for a scripted reply; NONCE is exchanged for the prompt's."""
    return f'<<<FILE NONCE path="{path}">>>\n{content.rstrip()}\n<<<END NONCE>>>\n'


def edit_block(path: str, old: str, new: str) -> str:
    return (
        f'<<<EDIT NONCE path="{path}">>>\n<<<SEARCH NONCE>>>\n{old}\n'
        f"<<<REPLACE NONCE>>>\n{new}\n<<<END NONCE>>>\n"
    )
