"""Runs in a worker's container: the sandbox on a kernel without Landlock, and QA's tools in it.

Prints a JSON object with the sandbox's level, how many tests passed, and the scores.
"""

import json
import os
from pathlib import Path

from agenticai_worker.quality import measure
from agenticai_worker.sandbox import local
from agenticai_worker.sandbox.testrun import run_tests

LAUNCHER = f"""
import sys
sys.path.append({str(Path(local.__file__).parents[2])!r})
from agenticai_worker.sandbox import landlock, launcher
landlock.version = lambda libc: 0
launcher.main()
"""
TESTS = b"""
import subprocess
import fastapi, shop
from fastapi.testclient import TestClient

def test_double():
    assert shop.double(2) == 4

def test_a_request():
    assert TestClient(fastapi.FastAPI()).get("/").status_code == 404

def test_a_program():
    subprocess.run(["ls", "/"], stdout=subprocess.DEVNULL, check=True)
"""
FILES = {
    "shop.py": b"def double(number: int) -> int:\n    return 2 * number\n",
    "test_shop.py": TESTS,
}


def main() -> None:
    local._LAUNCHER = Path("/tmp/launcher.py")
    local._LAUNCHER.write_text(LAUNCHER)
    root = Path(os.environ["AGENTICAI_SANDBOX_ROOT"])
    sandbox = local.LocalSandbox(os.environ["AGENTICAI_SANDBOX_PYTHON"], root)
    report = run_tests(sandbox, FILES, 60)
    scores = measure(sandbox, FILES, report).scores.model_dump()
    print(json.dumps({"level": sandbox.level, "passed": report.passed, **scores}))


if __name__ == "__main__":
    main()
