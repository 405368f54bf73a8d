"""The one place that knows which models there are."""

from pathlib import Path

from agenticai_core.settings import Settings
from agenticai_worker.llm.base import LanguageModel, PermanentModelError


def choose_model(settings: Settings) -> LanguageModel:
    """The model that ``settings.model`` names; connects to nothing.

    Raises `PermanentModelError` with a hint if the name is unknown, the key or the file missing.
    """
    kind, _, rest = settings.model.partition(":")
    if kind == "template" and not rest:
        from agenticai_worker.llm.template.model import TemplateModel

        return TemplateModel()
    if kind == "gemini":
        return _gemini(rest, settings)
    if kind == "replay":
        return _replay(rest)
    raise PermanentModelError(
        f"There is no model '{settings.model}'.",
        code="UNKNOWN_MODEL",
        hint="AGENTICAI_MODEL is 'template', 'gemini:<model>' or 'replay:<file>'.",
    )


def _gemini(model: str, settings: Settings) -> LanguageModel:
    from agenticai_worker.llm.gemini import GeminiModel

    key = settings.gemini_api_key
    if key is None or not key.get_secret_value().strip():
        raise PermanentModelError(
            "The model is Gemini, but there is no key for it.",
            code="MODEL_KEY_MISSING",
            hint="Set GEMINI_API_KEY, or AGENTICAI_MODEL=template to work without a model.",
        )
    if not model:
        raise PermanentModelError(
            "AGENTICAI_MODEL names no Gemini model.",
            code="UNKNOWN_MODEL",
            hint="For example: AGENTICAI_MODEL=gemini:gemini-2.5-flash",
        )
    return GeminiModel(model, key.get_secret_value().strip(), settings.gemini_endpoint)


def _replay(name: str) -> LanguageModel:
    from agenticai_worker.llm.replay import ReplayModel

    path = Path(name)
    if not name or not path.is_file():
        raise PermanentModelError(
            f"There is no recording '{name}'.",
            code="RECORDING_MISSING",
            hint="AGENTICAI_MODEL=replay:<file> needs the path of a file of recorded replies.",
        )
    return ReplayModel(path)
