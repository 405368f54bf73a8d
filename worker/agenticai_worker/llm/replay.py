"""Recorded replies: record them once with any model, answer with them ever after.

A recording is a file of JSON lines, ``{name, key, nonce, text, value, usage, truncated}``. The
key is a hash of the prompt, without its nonce and without what differs from run to run (the times
in a test report); the nonce in a recorded text is exchanged for that of the prompt.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from agenticai_core.models import TestReport, Usage
from agenticai_worker.llm.base import Generation, LanguageModel, PermanentModelError, Prompt
from agenticai_worker.llm.reply import read_json
from agenticai_worker.prompts import estimate_tokens, fingerprint

T = TypeVar("T", bound=BaseModel)


def replay_key(prompt: Prompt) -> str:
    """The hash under which a reply to ``prompt`` is recorded."""
    return fingerprint(replace(prompt, values={k: _stable(v) for k, v in prompt.values.items()}))


def _stable(value: Any) -> Any:
    if not isinstance(value, TestReport):
        return value
    return {
        "passed": value.passed,
        "failed": value.failed,
        "errors": value.errors,
        "tests": sorted(failure.test for failure in value.failures),
    }


class RecordingModel:
    """Passes every call on to ``inner`` and appends its reply to ``path``."""

    def __init__(self, inner: LanguageModel, path: Path) -> None:
        self.name = inner.name
        self.llm = inner.llm
        self._inner = inner
        self._path = path
        self._lock = threading.Lock()

    def generate(
        self,
        prompt: Prompt,
        schema: type[T] | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout: float = 120.0,
    ) -> Generation[T]:
        generation = self._inner.generate(prompt, schema, on_text, timeout)
        line = {
            "name": prompt.name,
            "key": replay_key(prompt),
            "nonce": prompt.nonce,
            "text": generation.text,
            "value": generation.value and generation.value.model_dump(mode="json"),
            "usage": generation.usage.model_dump(),
            "truncated": generation.truncated,
        }
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        return generation

    def count_tokens(self, prompt: Prompt) -> int:
        return self._inner.count_tokens(prompt)


class ReplayModel:
    """Answers from a recording; the same prompt asked again gets the next reply recorded for it.

    Raises `PermanentModelError` ``NO_RECORDED_REPLY`` for a prompt that was never recorded.
    """

    llm = True

    def __init__(self, path: Path) -> None:
        self.name = f"replay:{path.name}"
        self._replies = _load(path)
        self._asked: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def generate(
        self,
        prompt: Prompt,
        schema: type[T] | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout: float = 120.0,  # noqa: ARG002 - part of the port
    ) -> Generation[T]:
        line = self._next(prompt)
        text: str = line["text"]
        if line["nonce"]:
            text = text.replace(line["nonce"], prompt.nonce)
        usage = Usage.model_validate(line["usage"])
        if on_text and text:
            on_text(text)
        value = None
        if schema is not None and line["value"] is not None:
            value = schema.model_validate_json(json.dumps(line["value"]))
        elif schema is not None:
            value = read_json(text, schema, usage)
        return Generation(value, text, usage, line["truncated"])

    def count_tokens(self, prompt: Prompt) -> int:
        return estimate_tokens(prompt)

    def _next(self, prompt: Prompt) -> Mapping[str, Any]:
        key = replay_key(prompt)
        lines = self._replies.get(key)
        if not lines:
            raise PermanentModelError(
                f"The recording holds no reply to the prompt '{prompt.name}' ({key[:12]}).",
                code="NO_RECORDED_REPLY",
                hint="Record it again: the prompt or its values have changed since.",
            )
        with self._lock:
            position = min(self._asked[key], len(lines) - 1)
            self._asked[key] += 1
        return lines[position]


def _load(path: Path) -> Mapping[str, list[Mapping[str, Any]]]:
    replies: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip():
            record = json.loads(line)
            replies[record["key"]].append(record)
    return dict(replies)
