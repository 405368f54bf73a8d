"""Regular expressions of users, which may not take long whatever they are matched against.

Matching with nested repeats takes a time that doubles with each character. So a pattern is a plain
row of characters and classes, each with a quantifier or none, without groups and alternatives; and
no more than three of the quantifiers leave the number open. On 200 characters the worst of these
takes some hundredths of a second.
"""

import re

MAX_MATCHED = 200  # characters of a value that has a pattern
MAX_OPEN = 3

_ONE = r"(?:\[\^?\]?(?:\\.|[^\]\\\[])+\]|\\[dwsDWS]|\\[^A-Za-z0-9\s]|[^\\\[\](){}*+?.|^$]|\.)"
_TIMES = r"(?:[*+?]|\{\d{1,3}(?:,\d{0,3})?\})"
_PLAIN = re.compile(rf"\^?(?:{_ONE}{_TIMES}?)+\$?")
_OPEN = re.compile(rf"{_ONE}(?:[*+?]|\{{\d{{1,3}},\d{{0,3}}\}})")
_MANY = 200  # the most that {n} may ask for
_COUNTS = re.compile(rf"{_ONE}\{{(\d+)(?:,(\d*))?\}}")


def check_pattern(pattern: str) -> None:
    """Raise `ValueError`, with what is wrong, for anything but a plain pattern."""
    if not _PLAIN.fullmatch(pattern):
        raise ValueError(
            "must be a row of characters, classes such as [a-z] and quantifiers, without groups "
            "and alternatives"
        )
    if len(_OPEN.findall(pattern)) > MAX_OPEN:
        raise ValueError(f"has more than {MAX_OPEN} quantifiers that leave the number open")
    if any(int(n) > _MANY for pair in _COUNTS.findall(pattern) for n in pair if n):
        raise ValueError(f"asks for more than {_MANY} characters at once")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches."""
    return re.fullmatch(pattern, value) is not None
