"""Which model the settings choose, and what a wrong choice says."""

import subprocess
import sys
from pathlib import Path

import pytest

from agenticai_core.settings import Settings
from agenticai_worker.llm.base import PermanentModelError
from agenticai_worker.llm.choose import choose_model


def settings(monkeypatch: pytest.MonkeyPatch, model: str, key: str | None = None) -> Settings:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.setenv("AGENTICAI_MODEL", model)
    if key is not None:
        monkeypatch.setenv("GEMINI_API_KEY", key)
    return Settings()


def test_gemini_is_chosen_by_name_and_connects_to_nothing(monkeypatch) -> None:
    model = choose_model(settings(monkeypatch, "gemini:gemini-2.5-flash", "k"))
    assert (model.name, model.llm) == ("gemini:gemini-2.5-flash", True)


def test_the_built_in_engine_is_no_language_model(monkeypatch) -> None:
    assert choose_model(settings(monkeypatch, "template")).llm is False


def test_a_recording_is_chosen_by_its_path(monkeypatch, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("")
    assert choose_model(settings(monkeypatch, f"replay:{path}")).name == "replay:r.jsonl"


@pytest.mark.parametrize(
    ("model", "key", "code", "hint"),
    [
        ("gemini:gemini-2.5-flash", None, "MODEL_KEY_MISSING", "GEMINI_API_KEY"),
        ("gemini:gemini-2.5-flash", " ", "MODEL_KEY_MISSING", "GEMINI_API_KEY"),
        ("gemini:", "k", "UNKNOWN_MODEL", "gemini:gemini"),
        ("gpt", None, "UNKNOWN_MODEL", "AGENTICAI_MODEL"),
        ("replay:", None, "RECORDING_MISSING", "replay:<file>"),
        ("replay:/no/such/file", None, "RECORDING_MISSING", "replay:<file>"),
    ],
)
def test_a_wrong_choice_says_what_to_do(monkeypatch, model, key, code, hint) -> None:
    with pytest.raises(PermanentModelError) as caught:
        choose_model(settings(monkeypatch, model, key))
    assert caught.value.code == code
    assert hint in caught.value.hint


def test_the_library_is_not_imported_before_it_is_needed() -> None:
    program = (
        "import sys, agenticai_worker.llm.choose, agenticai_worker.llm.gemini\n"
        "sys.exit('google.generativeai' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
