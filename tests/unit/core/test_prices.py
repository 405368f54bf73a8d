"""What a call costs."""

import pytest

from agenticai_core.models import Usage
from agenticai_core.prices import FREE, PRICES, Price, find_price
from agenticai_core.settings import Settings


def test_a_price_per_million_tokens_is_millionths_per_token() -> None:
    price = PRICES["gemini-2.5-flash"]

    assert price.microusd(Usage(input_tokens=1_000_000)) == 300_000  # $0.30
    assert price.microusd(Usage(output_tokens=1_000_000)) == 2_500_000  # $2.50
    assert price.microusd(Usage(input_tokens=10, output_tokens=2)) == 8


def test_a_part_of_a_millionth_counts_as_one_and_rounding_errors_as_none() -> None:
    assert Price(0.1, 0.4).microusd(Usage(input_tokens=1)) == 1
    assert Price(0.1, 0.2).microusd(Usage(input_tokens=1, output_tokens=1)) == 1
    assert Price(0.3, 0.1).microusd(Usage(input_tokens=10, output_tokens=10)) == 4
    assert FREE.microusd(Usage(input_tokens=10**9, output_tokens=10**9)) == 0


def test_long_prompts_cost_more_where_the_model_says_so() -> None:
    pro = PRICES["gemini-2.5-pro"]
    assert pro.microusd(Usage(input_tokens=200_000)) == 250_000
    assert pro.microusd(Usage(input_tokens=200_001, output_tokens=1)) == 500_018  # 2.50 and 15
    flash = PRICES["gemini-2.5-flash"]
    assert flash.microusd(Usage(input_tokens=300_000)) == 90_000


@pytest.mark.parametrize(
    ("model", "price"),
    [
        ("template", FREE),
        ("replay:talk.jsonl", FREE),
        ("gemini:gemini-2.5-flash", PRICES["gemini-2.5-flash"]),
        ("gemini:models/gemini-2.5-flash", PRICES["gemini-2.5-flash"]),
        ("gemini:gemini-99", None),
        ("openai:gemini-2.5-flash", None),
    ],
)
def test_a_price_is_found_by_the_models_name(model: str, price: Price | None) -> None:
    assert find_price(model, Settings()) == price


@pytest.mark.parametrize(
    ("model", "given", "price"),
    [
        ("gemini:gemini-99", {"input": 1.0, "output": 2.0}, Price(1.0, 2.0)),
        ("gemini:gemini-2.5-pro", {"input": 1.0, "output": 2.0}, Price(1.0, 2.0)),
        ("gemini:gemini-2.5-pro", {"input": 0.0}, Price(0.0, 10.0)),
        ("gemini:gemini-99", {"output": 2.0}, None),
        ("template", {"input": 1.0, "output": 2.0}, FREE),
    ],
)
def test_settings_come_first(model: str, given: dict[str, float], price: Price | None) -> None:
    settings = Settings(**{f"model_price_{name}": value for name, value in given.items()})  # type: ignore[arg-type]

    assert find_price(model, settings) == price
