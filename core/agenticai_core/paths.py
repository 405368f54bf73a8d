"""The one function through which every stored, generated or served file path goes."""

import re
import unicodedata
from collections.abc import Iterable

from agenticai_core.errors import UnsafePath

MAX_PATH = 240
MAX_SEGMENT = 120
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
# Windows' device names (with any extension), and what version control or a shell would obey.
_RESERVED = re.compile(r"^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?$", re.IGNORECASE)
# "git~1" is what Windows also calls ".git".
_RESERVED_FOLDERS = frozenset({".git", ".ssh", ".aws", "git~1"})
# Line breaks and controls beyond ASCII, and what nobody sees: it turns the text around it, and
# there are file systems that leave it out of names, so that it would hide a ".git".
_INVISIBLE = re.compile("[\x80-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffe\uffff]")


def safe_path(path: str) -> str:
    """Return ``path`` in its one spelling (NFC, ``/`` between segments) or raise `UnsafePath`.

    Refused: empty, absolute, ``..`` or ``.`` segments, empty segments, NUL and other control
    characters, invisible ones, backslashes and drive letters, names that Windows or git reserve,
    trailing dots or spaces, more than 240 characters (or 120 in a segment).
    """
    clean = unicodedata.normalize("NFC", path)
    if not clean or len(clean) > MAX_PATH:
        raise _unsafe(path, f"a path has 1 to {MAX_PATH} characters")
    if _FORBIDDEN.search(clean):
        raise _unsafe(path, 'control characters, backslashes and < > : " | ? * are not allowed')
    if _INVISIBLE.search(clean):
        raise _unsafe(path, "invisible characters are not allowed")
    for segment in clean.split("/"):
        _check_segment(path, segment)
    return clean


def check_collisions(paths: Iterable[str]) -> None:
    """Raise `UnsafePath` where two paths differ only in case, or a file is another's folder."""
    seen: dict[str, str] = {}
    for path in paths:
        other = seen.setdefault(path.casefold(), path)
        if other != path:
            raise _unsafe(path, f"collides with {other}")
    for folded, path in seen.items():
        parts = folded.split("/")
        for end in range(1, len(parts)):
            if "/".join(parts[:end]) in seen:
                raise _unsafe(path, "a file of the project is used as a folder")


def _check_segment(path: str, segment: str) -> None:
    if segment in ("", ".", ".."):
        raise _unsafe(path, "it must be relative, without empty, '.' or '..' parts")
    if len(segment) > MAX_SEGMENT or segment != segment.strip() or segment.endswith("."):
        raise _unsafe(path, "a part is too long, or starts or ends with a space or a dot")
    if _RESERVED.match(segment) or segment.casefold() in _RESERVED_FOLDERS:
        raise _unsafe(path, f"'{segment}' is a reserved name")


def _unsafe(path: str, why: str) -> UnsafePath:
    shown = path[:80].encode("unicode_escape").decode()
    return UnsafePath(f"Unsafe path '{shown}': {why}", details={"path": shown})
