"""One attribute phrase, read: "unique email", "status (a, b)", "weight in kg, optional"."""

import re
from dataclasses import dataclass, replace

from agenticai_core.plans import EntityField
from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.attribute_names import name_words, strip_tail
from agenticai_worker.llm.template.understand.choices import (
    parse_choices,
    read_choices_of,
    read_choices_tail,
    read_slashes,
)
from agenticai_worker.llm.template.understand.fields import build_field
from agenticai_worker.llm.template.understand.qualifiers import (
    FieldSpec,
    read_flags,
    read_range,
    read_type,
    read_unit,
    take,
)

_WHETHER = re.compile(
    r"^(?:and\s+)?(?:whether|if)\b\s+(?:(?:or not|the|it|they|he|she|a|an)\s+)*"
    r"(?:(?:is|are|was|were|has been|have been|has|have)\s+)?",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:and|or|plus|also|then|optionally|finally|as|with|its|their|his|her|the|a|an|some|both|"
    r"have|has|is|are|own|other|any|one|each|every|be|by|well|what|which|to|of|for|in|on|at)\s+)+",
    re.IGNORECASE,
)
_MANY = re.compile(
    r"^(?:(?:can have|have|has)\s+)?(?:a\s+)?(?:many|multiple|several|various|some|any number of|"
    r"one or more|one or several|zero or more|at least one|lists? of|collections? of|sets? of|"
    r"a number of|a list of|different|more than one)\s+(?=\w)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Attribute:
    """A field as a phrase gives it, before it is known which phrases name entities."""

    key: str  # singular snake_case, to be compared with entity names
    field: EntityField
    plural: bool = False
    many: bool = False  # "several tags"
    guessed: bool = True  # the type comes from the name alone
    composite: tuple["Attribute", ...] = ()  # "address (street, city)"


def with_field(attribute: Attribute, **changes: object) -> Attribute:
    """The attribute with its field changed."""
    return replace(attribute, field=attribute.field.model_copy(update=changes))


def parse_attribute(phrase: str) -> Attribute | None:
    """Read one phrase; None when no name can be made of it."""
    text = re.sub(r"['’]s\b|['\"]", "", phrase).strip(" .,:;-!?")
    spec = FieldSpec(values={})
    how_many = re.match(r"^how many\s+", text, re.IGNORECASE)
    whether = _WHETHER.match(text)
    text = text[whether.end() :] if whether else text
    inner = re.findall(r"\(([^()]*)\)?", text)
    text = re.sub(r"\([^()]*\)?", " ", text)
    yes_no, text = take(r"[:\s]*\b(?:yes\s*(?:/|or)\s*no|true\s*(?:/|or)\s*false|y/n)\b", text)
    text = _read_example(read_choices_tail(text, spec), spec)
    text = _strip_lead(read_flags(read_slashes(text, spec), spec))
    counted, many, text = _take_number(text)
    text = read_range(_read_named_type(text, spec), spec.values)
    text = read_unit(text.strip(), spec.values)
    text = read_choices_of(strip_tail(text.lower().strip()), spec)
    names = name_words(text.replace("_", "-"))
    if counted and names and words.is_plural(names[-1]):
        spec.values.setdefault("type", "string")
        spec.values.setdefault("description", f"{counted} of them")
    if how_many and names:
        spec.values.setdefault("type", "integer")
    if whether or yes_no:
        spec.values["type"] = "boolean"
    return _build(names, spec, inner, many=many)


def _read_example(text: str, spec: FieldSpec) -> str:
    example, text = take(r"[,\s]*e\.g\.\s*(.*)$", text)
    if example:
        spec.values["description"] = f"for example {example[1].strip(' ,')}"
    return text


def _strip_lead(text: str) -> str:
    """Off with articles and the like in front; "from date" keeps its preposition."""
    end = re.fullmatch(r"\s*(from|to)\s+(?!an?\b|the\b|each\b|\d)([a-z]+)\s*", text, re.I)
    return f"{end[1]}_{end[2]}" if end else _LEAD.sub("", text.strip() + " ").strip()


def _take_number(text: str) -> tuple[str, bool, str]:
    """How many there are, cut off: the number given in words, whether "several", the rest."""
    counted = re.match(r"^(?:two|three|four|five)\s+(?=[a-z])", text, re.I)
    text = text[counted.end() :] if counted else text
    many = _MANY.search(text)
    text = _LEAD.sub("", (_MANY.sub("", text) if many else text) + " ").strip()
    return counted[0].strip().lower() if counted else "", bool(many), text


def _read_named_type(text: str, spec: FieldSpec) -> str:
    """ "age as an integer", "age: integer": the type, cut off."""
    typed = re.search(r"(?:^|\s)(?:[:=]|as an?)\s*(\w[\w /-]*)$", text)
    if typed and typed[1].lower().strip() in types.TYPE_WORDS:
        spec.values["type"] = types.TYPE_WORDS[typed[1].lower().strip()]
        return text[: typed.start()]
    return text


def _build(names: list[str], spec: FieldSpec, inner: list[str], *, many: bool) -> Attribute | None:
    parts = [n.replace("-", "_") for n in names]
    if len(parts) > 1 and parts[-1] in ("flag", "indicator", "checkbox"):
        parts.pop()
        spec.values.setdefault("type", "boolean")
    name = words.to_snake("_".join(parts[:5]).replace("_", " "))
    if not name:
        return None
    composite: tuple[Attribute, ...] = ()
    for part in inner:
        composite = composite or _read_parenthesis(part, spec, name)
    *before, head = name.split("_")
    is_plural = words.is_plural(head)
    key = "_".join([*before, words.singular(head)])
    guessed = "type" not in spec.values and "choices" not in spec.values
    built = build_field(name, spec, is_plural=is_plural)
    return Attribute(key, built, is_plural, many, guessed, composite)


def _read_parenthesis(inner: str, spec: FieldSpec, name: str) -> tuple[Attribute, ...]:
    """What stands in parentheses after an attribute: type, unit, choices, flags or parts."""
    inner = inner.strip()
    if inner.lower().startswith("e.g."):
        spec.values["description"] = f"for example {inner[4:].strip(' ,')}"
        return ()
    if inner.lower() in types.TYPE_WORDS:
        spec.values["type"] = types.TYPE_WORDS[inner.lower()]
        return ()
    rest = read_range(read_flags(inner, spec), spec.values).strip(" ,;")
    if re.match(r"(?:one of|enum)\b", rest, re.IGNORECASE):
        spec.values["choices"] = parse_choices(rest)
        return ()
    listed = [part.strip() for part in re.split(r"[,;]", rest) if part.strip()]
    kept = [part for part in listed if not read_type(part, spec)]
    parts = _read_parts(kept, name)
    if kept and not parts:
        _read_values(kept, spec)
    return parts


def _read_parts(listed: list[str], name: str) -> tuple[Attribute, ...]:
    """ "address (street, city)": the attributes listed, if they read as attributes."""
    attributes = [a for a in map(parse_attribute, listed) if a]
    known = sum(types.is_attribute_head(a.key.split("_")[-1]) for a in attributes)
    of_several = (
        words.is_plural(name.rsplit("_", maxsplit=1)[-1])
        and known > 0
        and not types.is_attribute_head(name)
    )
    composite = len(listed) > 1 and (2 * known >= len(listed) or of_several) and name != "status"
    return tuple(attributes) if composite else ()


def _read_values(listed: list[str], spec: FieldSpec) -> None:
    """ "size (small, large)": the choices; anything else is a description."""
    choices = parse_choices(", ".join(listed))
    if choices:
        spec.values["choices"] = choices
    else:
        spec.values.setdefault("description", ", ".join(listed))
