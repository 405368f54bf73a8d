"""The dated table of prices."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UnitPrice(_Frozen):
    label: str
    unit: str
    usd: float
    free: float = 0.0  # units a month that every account has for good


class Assumptions(_Frozen):
    """What is not measured; the meaning of each is in `prices.toml`."""

    load_balancer_units: float
    zones: int
    write_units: Mapping[str, float]
    read_units: Mapping[str, float]
    idle_read_units: float
    table_mb: float
    bucket_mb: float
    out_mb: float
    nat_gb: float
    log_mb: float
    idle_log_gb: float
    traces: int
    image_gb: float
    input_tokens: int
    output_tokens: int
    stored_months: int


class PriceTable(_Frozen):
    noted: str  # the day on which the prices were written down
    region: str
    hours: int
    price: Mapping[str, UnitPrice]
    kinds: Mapping[str, tuple[str, ...]]
    assume: Assumptions


@cache
def price_table() -> PriceTable:
    text = files(__package__).joinpath("prices.toml").read_text(encoding="utf-8")
    return PriceTable.model_validate(tomllib.loads(text))
