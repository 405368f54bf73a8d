"""JSON from a model: fenced or not, and what is wrong with it in words for the model."""

import pytest

from agenticai_core.models import Usage
from agenticai_worker.llm.base import MalformedReply
from agenticai_worker.llm.reply import read_json
from agenticai_worker.prompts.schemas import Diagnosis

GOOD = '{"cause": "a", "paths": ["b"]}'


@pytest.mark.parametrize("text", [GOOD, f"```json\n{GOOD}\n```", f"\n```\n{GOOD}\n```\n"])
def test_json_is_read_with_or_without_a_fence(text: str) -> None:
    assert read_json(text, Diagnosis, Usage()) == Diagnosis(cause="a", paths=("b",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the reply: Invalid JSON"),
        ("```", "the reply: Invalid JSON"),
        ('{"cause": 1, "paths": []}', "cause: Input should be a valid string"),
        ('{"cause": "a", "paths": [], "extra": 1}', "extra: Extra inputs are not permitted"),
        ('{"paths": [1, 2, 3, 4, 5, 6]}', "and 2 more"),
    ],
)
def test_what_is_wrong_is_told_field_by_field(text: str, problem: str) -> None:
    with pytest.raises(MalformedReply) as caught:
        read_json(text, Diagnosis, Usage(input_tokens=7))
    assert problem in str(caught.value)
    assert caught.value.usage.input_tokens == 7
