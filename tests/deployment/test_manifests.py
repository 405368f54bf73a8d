"""Copilot says nothing of a key that it does not know: so every key has to change something."""

import json
import subprocess
import sys
from pathlib import Path

import yaml

# They say what would hold without them, because who reads a manifest looks for them.
DEFAULTS = {
    "api: cpu",
    "api: memory",
    "api: network.vpc.placement",
    "worker: network.vpc.placement",
}


def test_every_key_of_a_manifest_changes_what_is_rendered(repo_root: Path) -> None:
    command = [sys.executable, "-m", "tests.deployment.dead_keys"]
    done = subprocess.run(
        command, cwd=repo_root, capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stderr
    planted = {"api: planted", "worker: planted"}
    assert set(json.loads(done.stdout)) == DEFAULTS | planted


def test_the_gateways_manifest_has_the_keys_of_the_apis(repo_root: Path) -> None:
    """So it is enough to try those of one."""
    api, gateway = (
        keys(yaml.safe_load((repo_root / "copilot" / name / "manifest.yml").read_text()))
        for name in ("api", "websocket")
    )
    assert api == gateway


def keys(node: object) -> object:
    return {key: keys(value) for key, value in node.items()} if isinstance(node, dict) else None
