"""docs/monitoring.md tells of the metrics, settings, spans and groups that there are."""

import json
import re
from pathlib import Path

import pytest
from cfn_flip import load_yaml

from agenticai_core.metrics import REGISTRY
from agenticai_core.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "monitoring.md").read_text()


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its two first lines."""
    below = page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    table = re.search(r"(^\|.*\n)+", below, re.MULTILINE)
    assert table is not None
    lines = table[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_metrics_are_those_of_the_registry(page: str) -> None:
    assert rows(page, "Metrics") == [
        [f"`{m.name}`", f"`{m.namespace}`", m.unit, ", ".join(m.dimensions), m.meaning]
        for m in REGISTRY
    ]


def test_the_settings_are_settings(page: str) -> None:
    fields = Settings.model_fields
    names = {str(f.validation_alias or f"AGENTICAI_{name.upper()}") for name, f in fields.items()}
    assert {row[0].strip("`") for row in rows(page, "Settings")} <= names


def test_the_groups_are_those_of_the_dashboard(page: str) -> None:
    addon = ROOT / "copilot" / "environments" / "addons" / "dashboard.yml"
    body = load_yaml(addon.read_text())["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    widgets = json.loads(body["Fn::Sub"])["widgets"]
    titles = [w["properties"]["markdown"] for w in widgets if w["type"] == "text"]
    assert [f"## {row[0]}" for row in rows(page, "Dashboard")] == titles


def test_the_spans_attributes_are_those_that_the_code_sets(page: str) -> None:
    source = (ROOT / "core" / "agenticai_core" / "tracing.py").read_text()
    attributes = set(re.findall(r'"((?:gen_ai|agenticai)\.[\w.]+)"', source))
    told = page.replace("`.", "`agenticai.")
    assert attributes
    assert {name for name in attributes if f"`{name}`" not in told} == set()
