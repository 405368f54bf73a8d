"""The tables of settings in docs/architecture.md, compared with the settings themselves."""

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from agenticai_api.__main__ import Address
from agenticai_core.settings import Settings
from agenticai_websocket.settings import GatewaySettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"
ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| (.*?) ?\| .*\|$", re.MULTILINE)


def documented():
    return dict(ROW.findall(DOCUMENT.read_text()))


def real():
    found = {}
    for model in (Settings, GatewaySettings, Address):
        prefix = model.model_config["env_prefix"]
        for name, field in model.model_fields.items():
            found[str(field.validation_alias or (prefix + name).upper())] = field.default
    return found


def test_every_setting_is_documented_and_nothing_else():
    assert set(documented()) == set(real())


@pytest.mark.parametrize("name", sorted(real()))
def test_the_default_is_the_documented_one(name):
    default, told = real()[name], documented()[name].strip("`")
    assert default is not PydanticUndefined
    if isinstance(default, bool):
        assert told == str(default).lower()
    elif isinstance(default, int | float):
        assert float(told) == default
    elif isinstance(default, str) and default:
        assert told == default
