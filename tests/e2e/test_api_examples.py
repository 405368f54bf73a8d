"""The examples of docs/api.md, as they stand there: each language's blocks in order, in one go."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from agenticai_local.stack import LocalStack

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()
PYTHON = Path(__file__).resolve().parents[2] / ".venv" / "bin"
LIMIT = 300  # s; a project takes about ten

# What each block prints, in order; a pattern that is found in it.
EXPECTED = {
    "bash": [
        r"event: project_active[\s\S]*\.md",
        r'"build server"\ntrue',
        r'"token"\n\{"requests_per_second":',
        r"^[01]$",
        r"^1$",
        r'\["tools","demo"\]\nPRECONDITION_FAILED',
        r'"tags":\["music"\],"environment_vars":\{"SMTP_PASSWORD":"\*\*\*"\}',
        r"proj_\w+\ncancelled",
        r"Done testing",
        r"rest-api-fastapi[\s\S]*VALIDATION_ERROR",
        r'\[1,"project_created"\]',
    ],
    "python": [
        r"plan_ready[\s\S]*\nactive$",
        r"Bike shop",
        r"modification_complete[\s\S]*applied (low|medium|high)",
        r"\[2, 1\]\ndiff --git[\s\S]*\[",
        r"active True",
    ],
    "javascript": [
        r"proj_\w+ \w+ ",
        r"^\d{4}-\d\d true \d+$",
        r"project_created[\s\S]*project_active",
        r"^1 Tool library$",
    ],
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def variables(stack: LocalStack) -> dict[str, str]:
    return {
        "PATH": f"{PYTHON}:{os.environ['PATH']}",
        "API": stack.api_url,
        "WS": stack.websocket_url,
        "KEY": stack.api_key,
        "NO_PROXY": "127.0.0.1",
    }


def run(command: list[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def check(language: str, printed: list[str]) -> None:
    expected = EXPECTED[language]
    assert len(printed) == len(expected) == len(blocks(language))
    for text, pattern in zip(printed, expected, strict=True):
        assert re.search(pattern, text.strip()), (pattern, text)


def in_one_go(
    language: str, mark: str, interpreter: list[str], folder: Path, env: dict[str, str]
) -> list[str]:
    """What each block prints, all of them run as one program."""
    script = folder / f"examples.{language}"
    script.write_text(mark.join(["", *blocks(language)]))
    return run([*interpreter, str(script)], folder, env).split("=== block ===\n")[1:]


@pytest.mark.slow
@pytest.mark.timeout(LIMIT)
@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not here")
def test_shell(stack: LocalStack, tmp_path: Path) -> None:
    mark = '\necho "=== block ==="\n'
    shell = ["bash", "-eu"]
    check("bash", in_one_go("bash", mark, shell, tmp_path, variables(stack)))


@pytest.mark.slow
@pytest.mark.timeout(LIMIT)
def test_python(stack: LocalStack, tmp_path: Path) -> None:
    mark = '\nprint("=== block ===")\n'
    check("python", in_one_go("python", mark, ["python"], tmp_path, variables(stack)))


@pytest.mark.slow
@pytest.mark.timeout(LIMIT)
@pytest.mark.skipif(
    None in (shutil.which("node"), shutil.which("jq")), reason="Node.js 20 or jq is not here"
)
def test_javascript(stack: LocalStack, tmp_path: Path) -> None:
    env = variables(stack)
    first = blocks("bash")[0]
    run(["bash", "-eu", "-c", first + '\necho "$PROJECT" > project'], tmp_path, env)
    env["PROJECT"] = (tmp_path / "project").read_text().strip()
    printed = []
    for number, block in enumerate(blocks("javascript")):
        script = tmp_path / f"{number}.mjs"
        script.write_text(block)
        # Node.js 22 has WebSocket without being asked.
        node = ["node", "--experimental-websocket"]
        printed.append(run([*node, str(script)], tmp_path, env))
    check("javascript", printed)
