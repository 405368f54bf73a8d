"""The Gemini adapter against a server that speaks the service's wire format."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes import notes
from tests.fakes.gemini import FakeGemini, Fault, serve

from agenticai_core.plans import Plan
from agenticai_worker.llm.base import (
    MalformedReply,
    PermanentModelError,
    Prompt,
    TransientModelError,
)
from agenticai_worker.llm.gemini import GeminiModel
from agenticai_worker.prompts import estimate_tokens

PLAN_PROMPT = Prompt(
    "plan",
    {
        "name": "Notes",
        "type": "api",
        "description": "Notizen — größer",
        "feedback": "",
        "dependencies": (),
        "messages": (),
        "environment": (),
    },
)
FILE_PROMPT = Prompt(
    "generate",
    {
        "plan": notes.PLAN,
        "path": "app/main.py",
        "purpose": "The service.",
        "written": {},
        "messages": (),
        "environment": (),
    },
    nonce="0123456789ab",
)


@pytest.fixture
def fake() -> Iterator[FakeGemini]:
    with serve(FakeGemini(notes.answer)) as server:
        yield server


_opened: list[GeminiModel] = []


@pytest.fixture(autouse=True)
def closed_models() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def model(fake: FakeGemini, key: str = "test-key", name: str = "gemini-2.5-flash") -> GeminiModel:
    made = GeminiModel(name, key, fake.url)
    _opened.append(made)
    return made


def test_a_plan_comes_as_json_that_fits_the_schema(fake: FakeGemini) -> None:
    generation = model(fake).generate(PLAN_PROMPT, Plan)
    assert generation.value == notes.PLAN
    config = fake.calls[0].config
    assert config["responseMimeType"] == "application/json"
    assert set(config["responseSchema"]["properties"]) == set(Plan.model_fields)
    assert config["maxOutputTokens"] == PLAN_PROMPT.max_output_tokens
    assert "größer" in fake.calls[0].prompt


def test_text_streams_piece_by_piece_and_adds_up(fake: FakeGemini) -> None:
    pieces: list[str] = []
    generation = model(fake).generate(FILE_PROMPT, on_text=pieces.append)
    assert len(pieces) > 2
    assert "".join(pieces) == generation.text
    assert notes.MAIN in generation.text
    assert not generation.truncated


def test_usage_counts_the_models_thoughts_as_output(fake: FakeGemini) -> None:
    generation = model(fake).generate(FILE_PROMPT)
    assert generation.usage.input_tokens > 100
    assert generation.usage.output_tokens == -(-len(generation.text) // 4) + 11


def test_the_key_travels_in_a_header_and_never_in_the_url(fake: FakeGemini) -> None:
    model(fake).generate(FILE_PROMPT)
    assert fake.calls[0].headers["x-goog-api-key"] == "test-key"


def test_text_cut_off_at_the_limit_is_marked(fake: FakeGemini) -> None:
    fake.faults = {1: "truncated"}
    generation = model(fake).generate(FILE_PROMPT)
    assert generation.truncated
    assert generation.text


def test_json_cut_off_at_the_limit_is_malformed_and_was_paid_for(fake: FakeGemini) -> None:
    fake.faults = {1: "truncated"}
    with pytest.raises(MalformedReply) as caught:
        model(fake).generate(PLAN_PROMPT, Plan)
    assert caught.value.truncated
    assert caught.value.usage.total > 0


def test_malformed_json_is_told_with_its_fault_and_cost(fake: FakeGemini) -> None:
    fake.faults = {1: "malformed"}
    with pytest.raises(MalformedReply, match="the reply: Invalid JSON") as caught:
        model(fake).generate(PLAN_PROMPT, Plan)
    assert not caught.value.truncated
    assert caught.value.usage.total > 0


@pytest.mark.parametrize("fault", ["429", "500", "503", "gateway", "broken", "unfinished", "html"])
def test_what_may_pass_is_transient_and_asked_only_once(fake: FakeGemini, fault: Fault) -> None:
    fake.faults = {1: fault}
    with pytest.raises(TransientModelError) as caught:
        model(fake).generate(FILE_PROMPT)
    assert caught.value.retry_after == (7.0 if fault == "429" else None)
    # What was refused cost nothing; what broke off, or a gateway gave up, perhaps did.
    assert caught.value.refused == (fault in ("429", "500", "503"))
    assert len(fake.calls) == 1


def test_no_answer_in_time_is_transient(fake: FakeGemini) -> None:
    fake.faults = {1: "hang"}
    with pytest.raises(TransientModelError, match="cannot be reached") as caught:
        model(fake).generate(FILE_PROMPT, timeout=0.2)
    assert not caught.value.refused


def test_an_answer_that_trickles_past_its_time_is_transient(fake: FakeGemini) -> None:
    fake.faults = {1: "slow"}
    with pytest.raises(TransientModelError, match="in time"):
        model(fake).generate(FILE_PROMPT, timeout=0.4)


def test_a_refused_connection_is_transient(fake: FakeGemini) -> None:
    with pytest.raises(TransientModelError, match="cannot be reached") as caught:
        GeminiModel("gemini-2.5-flash", "k", "http://127.0.0.1:9").generate(FILE_PROMPT)
    assert caught.value.refused


@pytest.mark.parametrize(
    ("fault", "said"),
    [("400", "400"), ("403", "403"), ("404", "404"), ("blocked", "the request"),
     ("unsafe", "safety")],
)  # fmt: skip
def test_what_will_not_pass_is_permanent_and_has_a_hint(
    fake: FakeGemini, fault: Fault, said: str
) -> None:
    fake.faults = {1: fault}
    with pytest.raises(PermanentModelError, match=said) as caught:
        model(fake).generate(FILE_PROMPT)
    assert caught.value.hint
    assert (caught.value.usage.total > 0) == (fault == "unsafe")  # it had answered in part


def test_a_wrong_key_says_so(fake: FakeGemini) -> None:
    with pytest.raises(PermanentModelError, match="API key not valid") as caught:
        model(fake, key="wrong").generate(FILE_PROMPT)
    assert "GEMINI_API_KEY" in caught.value.hint
    assert "wrong" not in str(caught.value)


def test_a_schema_that_the_service_finds_too_complex_is_left_out(fake: FakeGemini) -> None:
    fake.faults = {1: "schema"}
    assert model(fake).generate(PLAN_PROMPT, Plan).value == notes.PLAN
    assert "responseSchema" in fake.calls[0].config
    assert "responseSchema" not in fake.calls[1].config
    assert fake.calls[1].config["responseMimeType"] == "application/json"


def test_an_exception_of_the_listener_passes_through(fake: FakeGemini) -> None:
    def leave(_: str) -> None:
        raise ValueError("leave now")

    with pytest.raises(ValueError, match="leave now"):
        model(fake).generate(FILE_PROMPT, on_text=leave)


def test_tokens_are_counted_by_the_service_or_estimated_high(fake: FakeGemini) -> None:
    counted = model(fake).count_tokens(PLAN_PROMPT)
    assert fake.counted == 1
    estimated = GeminiModel("m", "k", "http://127.0.0.1:9").count_tokens(PLAN_PROMPT)
    assert estimated == estimate_tokens(PLAN_PROMPT) > counted
    generation = model(fake).generate(PLAN_PROMPT, Plan)
    assert generation.usage.input_tokens <= counted


def test_two_models_with_keys_of_their_own_do_not_mix(fake: FakeGemini) -> None:
    with serve(FakeGemini(notes.answer, key="other")) as second:
        one, two = model(fake), model(second, "other", "gemini-2.5-pro")
        threads = [
            threading.Thread(target=each.generate, args=(FILE_PROMPT,)) for each in (one, two) * 3
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(fake.calls) == len(second.calls) == 3
        assert {call.model for call in second.calls} == {"gemini-2.5-pro"}


def test_a_model_survives_a_fork(fake: FakeGemini, repo_root: Path) -> None:
    program = (
        "import os, sys\n"
        "from agenticai_worker.llm.gemini import GeminiModel\n"
        "from tests.integration.test_gemini_model import FILE_PROMPT\n"
        "model = GeminiModel('gemini-2.5-flash', 'test-key', sys.argv[1])\n"
        "model.generate(FILE_PROMPT)\n"
        "before = model._client\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    model.generate(FILE_PROMPT)\n"
        "    os._exit(0 if model._client is not before else 3)\n"
        "model.close()\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, fake.url],
        env={**os.environ, "PYTHONPATH": str(repo_root)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert len(fake.calls) == 2
