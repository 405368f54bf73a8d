"""The operator's commands join the command line by an entry point, and load AWS only when used."""

import json
import subprocess
import sys
from importlib.metadata import entry_points

from typer.testing import CliRunner

from agenticai_client.cli import app

LOADED = """
import json, sys
import agenticai_client.cli
print(json.dumps(sorted(sys.modules)))
"""


def test_the_entry_point_registers_them():
    (plugin,) = entry_points(group="agenticai.commands")
    assert plugin.value == "agenticai_operate.commands:register"
    shown = CliRunner().invoke(app, ["--help"]).stdout
    panel = shown.split("Operating the system")[1]
    assert all(f"│ {name} " in panel for name in ("cost", "dlq", "first-key", "backup", "restore"))


def test_starting_the_command_line_loads_nothing_of_aws():
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=30
    )
    loaded = json.loads(done.stdout)
    assert "agenticai_operate.commands" in loaded
    heavy = ("boto3", "botocore", "yaml", "agenticai_core.settings", "agenticai_operate.places")
    assert [name for name in heavy if name in loaded] == []
