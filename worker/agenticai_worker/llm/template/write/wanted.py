"""The packages that a user wants: what becomes of them in a project that this engine writes."""

import re
from collections.abc import Iterable

from agenticai_core.configuration import package_name
from agenticai_core.plans import Plan
from agenticai_worker.llm.template.write.versions import AUTH, RUNTIME, TESTING

# Known as npm packages, whatever else may go by the name: not to be installed by pip.
_NPM = frozenset(
    {"angular", "axios", "bootstrap", "chalk", "electron", "eslint", "express", "jest", "jquery"}
    | {"lodash", "next", "nuxt", "prettier", "react", "react-dom", "redux", "svelte", "three"}
    | {"tailwindcss", "typescript", "vite", "vue", "webpack", "zod", "zustand"}
)
_EXTRAS = re.compile(r"\[[^\]]+\]")


def is_python(dependency: str) -> bool:
    return "@" not in dependency and package_name(dependency) not in _NPM


def requirements(pinned: dict[str, str], wanted: Iterable[str]) -> str:
    """Lines of a requirements file: what the code needs, pinned, and what the user wants beside."""
    lines = {name: f"{name}=={version}" for name, version in pinned.items()}
    for dependency in filter(is_python, wanted):
        name = package_name(dependency)
        extras = _EXTRAS.search(dependency)
        if name not in pinned:
            lines[name] = dependency
        elif extras:
            lines[name] = f"{name}{extras.group()}=={pinned[name]}"
    return "".join(f"{lines[name]}\n" for name in sorted(lines))


def with_wanted(plan: Plan, wanted: tuple[str, ...]) -> Plan:
    """The plan with these packages, and what they come to as assumptions."""
    used = RUNTIME | TESTING | (AUTH if "authentication" in plan.features else {})
    listed = [one for one in wanted if is_python(one) and package_name(one) not in used]
    left_out = [one for one in wanted if not is_python(one)]
    notes: list[str] = []
    if listed:
        notes.append(
            f"In requirements.txt, but no code uses it yet: {', '.join(listed)}. The built-in "
            "engine writes with FastAPI, SQLAlchemy and SQLite alone."
        )
    if left_out:
        notes.append(f"Left out, because the built-in engine writes Python: {', '.join(left_out)}.")
    return plan.model_copy(
        update={"dependencies": wanted, "assumptions": (*plan.assumptions, *notes)}
    )
