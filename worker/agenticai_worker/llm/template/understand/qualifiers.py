"""What a phrase says of a field beside its name: limits, flags, a unit, a type."""

import re
from dataclasses import dataclass

from agenticai_worker.llm.template.understand import types

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_BARE_UNITS = (
    "kg",
    "g",
    "cm",
    "mm",
    "km",
    "ml",
    "kwh",
    "eur",
    "usd",
    "gbp",
    "%",
    "°c",
    "°f",
    "lbs",
)


@dataclass
class FieldSpec:
    """What is read off a phrase beside its name."""

    values: dict[str, object]
    optional: bool = False


def take(pattern: str, text: str) -> tuple[re.Match[str] | None, str]:
    """Search and, if found, cut the match out of the text."""
    match = re.search(pattern, text, re.IGNORECASE)
    if not match:
        return None, text
    return match, f"{text[: match.start()]} {text[match.end() :]}".strip()


def read_range(text: str, values: dict[str, object]) -> str:
    """Take "at most 5", "between 1 and 10", "up to 80 characters" out of the text."""
    length, text = take(
        rf"(?:max(?:imum)?|up to|at most|no more than|limited to)?\.?\s*(?:of\s+)?{_NUMBER}\s*"
        r"(?:characters|chars|letters)(?:\s*(?:max(?:imum)?|long|at most))?",
        text,
    )
    if length:
        values["max_length"] = int(float(length[1]))
    both, text = take(
        rf"(?:\bbetween\s+|\bfrom\s+|\brange\s+|^)?{_NUMBER}\s*(?:-|to|and|\.\.)\s*{_NUMBER}(?!\w)",
        text,
    )
    if both and float(both[1]) <= float(both[2]):
        values["minimum"], values["maximum"] = float(both[1]), float(both[2])
    low, text = take(
        rf"\b(?:at least|min(?:imum)?(?: of)?|no less than|not less than|>=|from)\s*{_NUMBER}|>=\s*{_NUMBER}",
        text,
    )
    if low:
        values["minimum"] = float(low[1] or low[2])
    high, text = take(
        rf"\b(?:at most|max(?:imum)?(?: of)?|up to|no more than|not more than|out of)\s*{_NUMBER}"
        rf"|<=\s*{_NUMBER}",
        text,
    )
    if high:
        values["maximum"] = float(high[1] or high[2])
    above, text = take(rf"(?:\b(?:greater than|more than|above|over)|>)\s*{_NUMBER}", text)
    if above:
        values["minimum"] = float(above[1]) + 1 if float(above[1]) else 0.01
    below, text = take(rf"(?:\b(?:less than|below|under)|<)\s*{_NUMBER}", text)
    if below:
        values["maximum"] = float(below[1])
    for pattern, minimum in (
        (r"\bnon-?\s?negative\b|\bnot negative\b", 0.0),
        (r"\bpositive\b", 0.01),
    ):
        found, text = take(pattern, text)
        if found:
            values["minimum"] = minimum
    return text


def read_flags(text: str, spec: FieldSpec) -> str:
    """Take a default and "optional", "required", "unique" out of the text."""
    default, text = take(
        r"[,(]?\s*(?:\b(?:which|that)\s+)?\b(?:defaults? to|default(?: value)?(?: is|:| of)?|"
        r"initially|starts? (?:as|at)|set to)\s*[:=]?\s*['\"]?([\w.-]+(?:\s(?=\w+\s*(?:by default)))?)['\"]?"
        r"(?:\s+by default)?|\b([\w-]+) by default",
        text,
    )
    if default:
        spec.values["default"] = (default[1] or default[2]).lower()
    patterns = (
        (r"\b(?:optionally|optional|nullable|not required|if any|if known|if available|if present|"
         r"may be (?:empty|blank|missing|null)|can be (?:empty|blank|null)|if applicable)\b", "optional"),
        (r"\b(?:required|mandatory|not null|not empty|non-empty|obligatory|compulsory)\b", "required"),
        (r"\b(?:must be unique|should be unique|is unique|uniquely|unique)\b", "unique"),
    )  # fmt: skip
    for pattern, flag in patterns:
        found, text = take(pattern, text)
        if found and flag == "optional":
            spec.optional = True
        elif found:
            spec.values[flag] = True
    return text


def read_unit(text: str, values: dict[str, object]) -> str:
    """Take "in kg", "measured in metres", "kg" off the end of the text."""
    match, rest = take(
        r"(?:\b(?:measured\s+)?in|\bof|^)\s+(?:the\s+)?(square metres|square meters|cubic metres|degrees celsius|"
        r"degrees fahrenheit|[%°€$£]?\w*/?\w*[%°€$£²³]?)\s*$",
        " " + text,
    )
    if match and rest.strip():
        unit = match[1].lower()
        unit = {"square metres": "m2", "square meters": "m2", "cubic metres": "m3"}.get(unit, unit)
        unit = unit.replace("degrees ", "")
        if unit in types.UNITS and len(rest.split()) >= (0 if unit == text.strip().lower() else 1):
            values["type"], values["unit"] = types.UNITS[unit]
            return rest
    *before, last = text.lower().split() or [""]
    if before and last in _BARE_UNITS:
        values["type"], values["unit"] = types.UNITS[last]
        return " ".join(before)
    return text


def read_type(text: str, spec: FieldSpec) -> bool:
    """Whether the text gives a type or a unit, which is noted then."""
    text = text.strip().lower()
    if text in types.TYPE_WORDS:
        spec.values["type"] = types.TYPE_WORDS[text]
    elif text in types.UNITS:
        spec.values["type"], spec.values["unit"] = types.UNITS[text]
    elif read_unit(text, spec.values).strip() != text or text in ("in", "max", "min"):
        pass
    else:
        return False
    return True
