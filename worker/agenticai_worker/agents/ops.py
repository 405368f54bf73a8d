"""Ops: writes what is needed to run a finished project elsewhere."""

from collections.abc import Mapping
from types import MappingProxyType

from agenticai_core.models import Manifest, Outcome
from agenticai_core.plans import Plan
from agenticai_worker.agents.ask import Scope, ask_blocks
from agenticai_worker.agents.base import (
    OUTPUT_TOKENS,
    Tools,
    change_unit,
    current_plan,
    read_text_tree,
    store_changes,
    update_tree,
)
from agenticai_worker.llm.base import Prompt
from agenticai_worker.work import Work

PACKAGED: Mapping[str, str] = MappingProxyType(
    {
        "Dockerfile": "Builds an image that runs the project as a user that is not root.",
        ".dockerignore": "Keeps tests, caches, data and secrets out of the image.",
        "compose.yaml": "Runs the project on one machine, with its data in a volume.",
        "DEPLOYMENT.md": "How to configure, start, check, update, back up and stop it.",
    }
)


def package(work: Work, tools: Tools) -> Outcome:  # noqa: ARG001 - every agent has this form
    """Add the packaging files to the tested candidate; outputs ``manifest``."""
    plan = current_plan(work)
    base = work.document("manifest", Manifest)
    tree = read_text_tree(work)
    changes: dict[str, str | None] = {}
    for number, path in enumerate(PACKAGED, start=1):
        unit = f"file:{path}"

        def produce(path: str = path, unit: str = unit) -> Mapping[str, str | None]:
            return _write_file(work, unit, plan, path, tree)

        done = change_unit(work, unit, (number, len(PACKAGED)), produce)
        update_tree(tree, done)
        changes |= done
    manifest = store_changes(work, changes, base)
    return Outcome(outputs={"manifest": manifest}, summary=f"Packaged {len(tree)} files.")


def _write_file(
    work: Work, unit: str, plan: Plan, path: str, tree: Mapping[str, str]
) -> Mapping[str, str | None]:
    def make_prompt(now: Mapping[str, str]) -> Prompt:
        values = {"plan": plan, "path": path, "purpose": PACKAGED[path], "tree": now}
        return Prompt("package", values, max_output_tokens=OUTPUT_TOKENS)

    only = frozenset({path})
    return ask_blocks(work, unit, make_prompt, tree, Scope(only, only, strict=False))
