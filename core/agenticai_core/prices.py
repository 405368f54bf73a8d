"""What models cost, in US dollars per million tokens, which are millionths of a dollar per token.

The figures are those that Google publishes for the paid tier of the Gemini API, standard rate, at
ai.google.dev/gemini-api/docs/pricing, as of October 2026 (the models of 2025: as of March 2026).
They change: ``AGENTICAI_MODEL_PRICE_INPUT`` and ``AGENTICAI_MODEL_PRICE_OUTPUT`` replace them.
What a model thinks is paid for as output, and is counted as output.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agenticai_core.models import Usage
from agenticai_core.settings import Settings

LONG_PROMPT = 200_000  # input tokens above which some models cost more


@dataclass(frozen=True)
class Price:
    """USD per million tokens; ``long_*`` for prompts of more than 200,000 tokens."""

    input: float
    output: float
    long_input: float | None = None
    long_output: float | None = None

    def microusd(self, usage: Usage) -> int:
        """What this usage of one call costs, rounded up to a millionth of a dollar."""
        long = usage.input_tokens > LONG_PROMPT
        per_input = self.long_input if long and self.long_input is not None else self.input
        per_output = self.long_output if long and self.long_output is not None else self.output
        cost = usage.input_tokens * per_input + usage.output_tokens * per_output
        return math.ceil(round(cost, 6))  # a sum of floats must not cost a millionth more


FREE = Price(0.0, 0.0)
PRICES: Mapping[str, Price] = MappingProxyType(
    {
        "gemini-3.8-flash": Price(0.75, 3.75),
        "gemini-3.5-flash": Price(1.50, 9.00),
        "gemini-3.5-flash-lite": Price(0.30, 2.50),
        "gemini-3.1-pro-preview": Price(2.00, 12.00, 4.00, 18.00),
        "gemini-3.1-flash-lite": Price(0.25, 1.50),
        "gemini-2.5-pro": Price(1.25, 10.00, 2.50, 15.00),
        "gemini-2.5-flash": Price(0.30, 2.50),
        "gemini-2.5-flash-lite": Price(0.10, 0.40),
        "gemini-2.0-flash": Price(0.10, 0.40),
    }
)


def find_price(model: str, settings: Settings) -> Price | None:
    """The price of a model as it names itself ("gemini:gemini-2.5-flash"); None: not known.

    Settings come first. The built-in engine and recorded replies cost nothing.
    """
    kind, _, name = model.partition(":")
    if kind in ("template", "replay"):
        return FREE
    known = PRICES.get(name.rsplit("/", 1)[-1]) if kind == "gemini" else None
    per_input, per_output = settings.model_price_input, settings.model_price_output
    if per_input is None and per_output is None:
        return known
    if per_input is None:
        per_input = known.input if known else None
    if per_output is None:
        per_output = known.output if known else None
    return None if per_input is None or per_output is None else Price(per_input, per_output)
