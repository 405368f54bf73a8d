"""The port to a language model.

An agent hands over a `Prompt` and never asks which model answers. A prompt is a name (one of the
files in ``prompts/``), the values that its text is rendered from, and a cap on the answer. Models
that read text render it with `agenticai_worker.prompts.render`; the built-in engine reads the
values themselves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from agenticai_core.models import Usage

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Prompt:
    """``name`` picks the prompt; ``values`` are its variables (pydantic models, str, tuples).

    ``complaint`` is set when the previous reply could not be used: what was wrong with it.
    ``nonce`` marks the code blocks of the reply (see `agenticai_worker.edits`).
    """

    name: str
    values: Mapping[str, Any]
    nonce: str = ""
    complaint: str = ""
    max_output_tokens: int = 8192


@dataclass(frozen=True)
class Generation(Generic[T]):
    """``value`` is set when a schema was asked for; ``text`` is the whole reply.

    ``heeded`` is false when the user's messages in the prompt played no part in the reply.
    """

    value: T | None
    text: str
    usage: Usage = field(default_factory=Usage)
    truncated: bool = False
    heeded: bool = True


class ModelError(Exception):
    """The model did not answer as it should."""


class TransientModelError(ModelError):
    """429, 5xx, time-out, connection: worth another try later.

    ``refused``: the server said no (429, 5xx) before it generated anything, so nothing was spent.
    """

    def __init__(
        self, message: str, retry_after: float | None = None, *, refused: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.refused = refused


class PermanentModelError(ModelError):
    """Bad key, unknown model, refused content: trying again would change nothing.

    ``usage`` was spent before the model refused to go on.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "MODEL_REFUSED",
        hint: str = "",
        usage: Usage | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.usage = usage or Usage()


class MalformedReply(ModelError):
    """The reply arrived, but is not what was asked for; ``usage`` was spent all the same.

    ``truncated``: it ended at the limit of output tokens, so that a higher one may help.
    """

    def __init__(self, message: str, text: str, usage: Usage, *, truncated: bool = False) -> None:
        super().__init__(message)
        self.text = text
        self.usage = usage
        self.truncated = truncated


class LanguageModel(Protocol):
    name: str  # as it is shown: "template", "gemini:gemini-2.5-flash"
    llm: bool  # False for the built-in engine

    def generate(
        self,
        prompt: Prompt,
        schema: type[T] | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout: float = 120.0,
    ) -> Generation[T]:
        """One call. ``on_text`` gets the reply piece by piece while it comes; ``timeout`` in s.

        Raises `TransientModelError`, `PermanentModelError` or `MalformedReply`.
        """

    def count_tokens(self, prompt: Prompt) -> int:
        """An upper estimate of the prompt's input tokens, for the budget's reservation."""
