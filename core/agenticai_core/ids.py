"""Identifiers: a prefix that names the kind, and a ULID, so that ids sort by time of creation."""

from ulid import ULID


def new_id(prefix: str) -> str:
    """``new_id("proj")`` -> ``proj_01jd…``: 26 lower-case characters after the prefix."""
    return f"{prefix}_{str(ULID()).lower()}"
