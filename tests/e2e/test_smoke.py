"""The smoke test that deployments are tried with, on the system of this machine."""

import subprocess
import sys
from pathlib import Path

import httpx

from agenticai_local.stack import LocalStack

SCRIPT = Path(__file__).resolve().parents[1] / "smoke" / "run.py"


def run(**env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, SCRIPT], env=env, capture_output=True, text=True, timeout=110, check=False
    )


def test_it_passes_and_leaves_nothing_behind(stack: LocalStack, tmp_path: Path) -> None:
    env = {
        "AGENTICAI_API_URL": stack.api_url,
        "AGENTICAI_WEBSOCKET_URL": stack.websocket_url,
        "AGENTICAI_API_KEY": stack.api_key,
        "HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
    }
    done = run(**env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "smoke: deleted; all of it passed"
    key = {"X-API-Key": stack.api_key}
    listed = httpx.get(f"{stack.api_url}/api/projects?tag=smoke", headers=key, trust_env=False)
    assert [one["status"] for one in listed.json()["projects"]] in ([], ["deleting"])


def test_it_says_what_is_wrong(stack: LocalStack, tmp_path: Path) -> None:
    env = {"AGENTICAI_API_URL": stack.api_url, "AGENTICAI_API_KEY": "agk_wrong"}
    done = run(**env, HOME=str(tmp_path), NO_PROXY="127.0.0.1")
    assert done.returncode == 1
    assert "error: agenticai doctor said:" in done.stderr
