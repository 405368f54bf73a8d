"""Markdown from texts that are not ours: whatever they hold, they stay text."""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&])")
# What would begin a list, a heading, a quotation or a rule at the start of a line.
_LEADING = re.compile(r"^(\d{1,9}(?=[.)])|[-+=](?=[-+=]*(?:\s|$)|[-+= ]))")
_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./{}(), =+-]*[A-Za-z0-9_/{})])?")


def inline(text: str) -> str:
    """One line of text, without any meaning to Markdown."""
    escaped = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    led = _LEADING.match(escaped)
    if led is None:
        return escaped
    # "1." becomes "1\." and "-" becomes "\-".
    at = led.end() if led.group().isdigit() else 0
    return f"{escaped[:at]}\\{escaped[at:]}"


def paragraphs(text: str) -> str:
    """Text of several lines; empty ones part its paragraphs."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join("  \n".join(filter(None, map(inline, part.splitlines()))) for part in parts)


def code(text: str) -> str:
    """A name as code, where it looks like one."""
    return f"`{text}`" if _PLAIN.fullmatch(text) else inline(text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """``head`` and cells are Markdown already; an empty table is no table."""
    lines = [_row(row) for row in rows]
    if not lines:
        return ""
    return "\n".join([_row(head), _row(["---"] * len(head)), *lines])


def bullets(items: Iterable[str]) -> str:
    """``items`` are Markdown already."""
    return "\n".join(f"- {item}" for item in items)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
