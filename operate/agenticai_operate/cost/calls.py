"""The AWS calls that a project and an idle minute make, as the benchmark counted them."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict

NODES = 4  # one for each agent; each has one poll waiting, and looks for tasks that are due


class Calls(BaseModel):
    """Call ("dynamodb Query") -> how often. ``per_idle_minute`` is that of a local system whose
    sweepers look every ``sweep_seconds``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    measured: str
    by: str
    sweep_seconds: float
    per_project: Mapping[str, int]
    per_idle_minute: Mapping[str, int]


@cache
def measured_calls() -> Calls:
    text = files(__package__).joinpath("calls.json").read_text(encoding="utf-8")
    return Calls.model_validate_json(text)
