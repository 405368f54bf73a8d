"""The values that a field may take: "draft, published or archived"."""

import re

from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.qualifiers import FieldSpec

_CHOICES_TAIL = re.compile(
    r"\s*(?:[,(]?\s*(?:(?:which|that)\s+)?(?:(?:can|may|must|could|should|will)\s+be|is|are|being)"
    r"(?:\s+(?:either|one of|any of|set to))?|\s+one of|\s+either|\s*[:=]\s*(?:one of|either)?|"
    r"\s+with (?:values?|options|choices|states)|\s+from the list)\s*:?\s+(?=\S)",
    re.IGNORECASE,
)
MAX_CHOICES = 20


def read_slashes(text: str, spec: FieldSpec) -> str:
    """ "status scheduled/running/done": a name and its choices."""
    match = re.match(r"^(.*?[A-Za-z])\s+([\w-]+(?:\s*[/|]\s*[\w-]+(?:\s[\w-]+)?)+)$", text.strip())
    choices = parse_choices(match[2]) if match and "choices" not in spec.values else ()
    if match and choices and not set(match[2].lower().split("/")) <= set(types.UNITS):
        spec.values["choices"] = choices
        return match[1]
    return text


def parse_choices(text: str) -> tuple[str, ...]:
    """Enum values of "draft, published or archived" (also | and /); () if it is no such list."""
    text = re.sub(
        r"^(?:either|one of|any of|values?|options?|enum)\b[:\s]*", "", text.strip(), flags=re.I
    )
    parts = re.split(r"\s*(?:[,|/;]|\bor\b|\band\b|->|=>)\s*", text)
    choices: list[str] = []
    for raw in parts:
        part = re.sub(r"^(?:then|finally|a|an|the|to|either|maybe)\s+", "", raw.strip(" '\".)("))
        name = words.to_snake(f"level {part}" if part[:1].isdigit() else part)
        if not part:
            continue
        if not name or len(part.split()) > 4 or name in types.TYPE_WORDS:
            return ()
        if name not in choices:
            choices.append(name)
    return tuple(choices) if 2 <= len(choices) <= MAX_CHOICES else ()


def read_choices_tail(text: str, spec: FieldSpec) -> str:
    """ "colour which can be red or blue": a name and its choices."""
    tail = _CHOICES_TAIL.search(text)
    if not tail or tail.start() == 0:
        return text
    choices = parse_choices(re.sub(r"\bby default\b", "", text[tail.end() :]))
    if not choices:
        return text
    spec.values["choices"] = choices
    return text[: tail.start()]


def read_choices_of(text: str, spec: FieldSpec) -> str:
    """ "status of draft or sent": a name and its choices."""
    listed = re.search(r"\bof\s+[\w-]+(?:\s+or\s+|\s*,\s*|\s*/\s*)", text)
    if not listed or "choices" in spec.values:
        return text
    head, _, values = text.partition(" of ")
    choices = parse_choices(values)
    if not choices or not re.search(r"(?<!\S)(?:status|state|type|stage|level|kind)\s*$", head):
        return text
    spec.values["choices"] = choices
    return head


def has_choice(item: str) -> bool:
    """Whether choices are being listed: "status which can be a"; not in parentheses."""
    outside = re.sub(r"\([^)]*\)", "", item)
    return bool(
        re.search(
            r"\b(?:(?:can|may|must) be|one of|either|(?:status|state|stage|type|kind|level|category) of|"
            r"(?:which|that) (?:is|are))\s+(?!unique|optional|required)\w",
            outside,
            re.IGNORECASE,
        )
        or re.search(
            r"\b(?:status|state|stage|type|kind|level|category|priority)\s*[:=]\s*\w", outside, re.I
        )
    )
