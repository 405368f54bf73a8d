"""Ops: writes what is needed to run a finished project elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agenticai_core.models import Manifest, Outcome, Project
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


_PLATFORMS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "docker": {},
        "aws": {
            "copilot/api/manifest.yml": "AWS Copilot's manifest: one Load Balanced Web Service "
            "named api, for the region; the environment's names as secrets from Parameter Store.",
        },
    }
)
_EXAMPLE = {".env.example": "The names of the environment's variables, each without a value."}


def files_to_package(project: Project) -> dict[str, str]:
    """Path -> purpose of what Ops writes for this project."""
    files = {**PACKAGED, **_PLATFORMS[project.deployment_config.platform]}
    return files | (_EXAMPLE if project.environment else {})


def package(work: Work, tools: Tools) -> Outcome:  # noqa: ARG001 - every agent has this form
    """Add the packaging files to the tested candidate; outputs ``manifest``."""
    plan = current_plan(work)
    base = work.document("manifest", Manifest)
    tree = read_text_tree(work)
    changes: dict[str, str | None] = {}
    files = _missing(work.project, plan, tree)
    for number, (path, purpose) in enumerate(files.items(), start=1):
        unit = f"file:{path}"

        def produce(
            path: str = path, purpose: str = purpose, unit: str = unit
        ) -> Mapping[str, str | None]:
            return _write_file(work, unit, _Packaging(plan, path, purpose), tree)

        done = change_unit(work, unit, (number, len(files)), produce)
        update_tree(tree, done)
        changes |= done
    manifest = store_changes(work, changes, base)
    return Outcome(outputs={"manifest": manifest}, summary=f"Packaged {len(tree)} files.")


def _missing(project: Project, plan: Plan, tree: Mapping[str, str]) -> dict[str, str]:
    """What there is to write. What a template brings stays as it is, and to one of another kind
    than is planned here nothing is added: how it is packaged is the template's to say."""
    files = files_to_package(project)
    if project.template_key is None:
        return files
    return {path: files[path] for path in files if plan.entities and path not in tree}


@dataclass(frozen=True)
class _Packaging:
    """One file to write."""

    plan: Plan
    path: str
    purpose: str


def _write_file(
    work: Work, unit: str, file: _Packaging, tree: Mapping[str, str]
) -> Mapping[str, str | None]:
    def make_prompt(now: Mapping[str, str]) -> Prompt:
        values = {
            "plan": file.plan,
            "path": file.path,
            "purpose": file.purpose,
            "tree": now,
            "deployment": work.project.deployment_config,
            "environment": work.project.environment,
            "messages": work.project.messages,
        }
        return Prompt("package", values, max_output_tokens=OUTPUT_TOKENS)

    only = frozenset({file.path})
    return ask_blocks(work, unit, make_prompt, tree, Scope(only, only, strict=False))
