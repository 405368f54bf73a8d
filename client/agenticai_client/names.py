"""A project's name from its description, a folder's from its name, an id from a part of it."""

import re
from collections.abc import Iterable
from typing import Any

from agenticai_client.errors import ClientError

MAX_NAME = 60
_START = re.compile(
    r"^(please |can you |could you )?"
    r"((i|we)('d like| would like| want| need)( to( have| build)?)?|build|create|make|write|"
    r"develop|generate|design)?\s*(me |us )?(an? |the )?"
    r"((rest )?(api|app|application|service|backend|system)\s+(for|to|that)\s+)?"
    r"(an? |the |my |our )?",
    re.IGNORECASE,
)
_END = re.compile(r"[.,:;!?\n(]| (with|that|where|which|who|so|because|including|using)\b", re.I)
_LOOSE = frozenset(
    {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to"}
)
_FULL_ID = re.compile(r"proj_[0-9a-z]{26}")


def name_from(description: str) -> str:
    """``"An API for a dog salon with appointments"`` -> ``"Dog salon"``."""
    text = " ".join(description.split())
    rest = text[_START.match(text).end() :]  # type: ignore[union-attr]  # it matches nothing, too
    words = _END.split(rest or text, maxsplit=1)[0].split()[:6] or text.split()[:6]
    while len(words) > 1 and (words[-1].lower() in _LOOSE or len(" ".join(words)) > MAX_NAME):
        words.pop()
    name = "".join(char for char in " ".join(words) if char.isprintable())[:MAX_NAME].strip()
    return (name[:1].upper() + name[1:]) or "Project"


def folder_from(name: str) -> str:
    """``"Dog salon, south"`` -> ``"dog-salon-south"``; letters of any script stay."""
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-_") or "project"


class NoSuchProject(ClientError):
    """No project of the caller's goes by what was typed."""


class ManyProjects(ClientError):
    """What was typed fits more than one project."""


def is_full_id(text: str) -> bool:
    return _FULL_ID.fullmatch(text) is not None


def find_project(typed: str, projects: Iterable[dict[str, Any]]) -> str:
    """The id that ``typed`` means among ``projects`` (newest first).

    ``@last`` is the newest; else a whole id or name, or an id's start or end that fits only one.
    """
    listed = list(projects)
    if typed == "@last" and listed:
        return str(listed[0]["id"])
    wanted = typed.casefold()
    exact = [p for p in listed if wanted in (p["id"], p["name"].casefold())]
    loose = [p for p in listed if len(wanted) >= 3 and _fits(p["id"], wanted)]
    found = exact or loose
    if len(found) == 1:
        return str(found[0]["id"])
    if found:
        names = "\n".join(f"  {p['id']}  {p['name']}" for p in found[:10])
        raise ManyProjects(f"{typed!r} fits {len(found)} projects:\n{names}")
    raise NoSuchProject(f"No project {typed!r}.", hint="`agenticai list` shows yours.")


def _fits(project_id: str, part: str) -> bool:
    return (
        project_id.startswith(part)
        or project_id.endswith(part)
        or project_id.removeprefix("proj_").startswith(part)
    )
