"""``python -m tests.deployment.cost_table PAGE``: write what a month costs into the page.

Between its two comments, from what `agenticai cost` says of the environments.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.deployment.rendered import ENVIRONMENTS, ROOT

BLOCK = re.compile(r"(<!-- cost: .* -->\n).*?(<!-- end of cost -->)", re.DOTALL)


def cost_table() -> str:
    """The items of all environments side by side, in US dollars."""
    envs = sorted(ENVIRONMENTS, reverse=True)
    said = {env: _ask(env) for env in envs}
    labels = list(dict.fromkeys(line["label"] for env in envs for line in said[env]["lines"]))
    rows = [
        [label, *(f"{_sum(said[env], label):.2f}" for env in envs)]
        for label in labels
        if any(_sum(said[env], label) >= 0.005 for env in envs)
    ]
    total = [f"{sum(line['usd'] for line in said[env]['lines']):.2f}" for env in envs]
    rows += [["all other items", *(_rest(said[env]) for env in envs)]]
    rows += [["**a month**", *(f"**{usd}**" for usd in total)]]
    head = ["item", *(f"`{env}`, USD" for env in envs)]
    lines = [_row(head), "|---|" + "---:|" * len(envs), *map(_row, rows)]
    noted = said[envs[0]]["prices_noted"]
    return "\n".join(["", *lines, "", f"Prices noted on {noted}, us-east-1.", "", ""])


def filled(page: str) -> str:
    """The page with the table as it is now."""
    return BLOCK.sub(lambda found: found[1] + cost_table() + found[2], page)


def _ask(env: str) -> dict[str, Any]:
    command = [Path(sys.executable).with_name("agenticai"), "cost", "--env", env, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _sum(said: dict[str, Any], label: str) -> float:
    return sum(float(line["usd"]) for line in said["lines"] if line["label"] == label)


def _rest(said: dict[str, Any]) -> str:
    small = [line["usd"] for line in said["lines"] if line["usd"] < 0.005]
    return f"{sum(small):.2f}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(filled(path.read_text()))
