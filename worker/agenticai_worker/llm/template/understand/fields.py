"""One attribute phrase -> one field: "unique email", "status (a, b)", "weight in kg, optional"."""

import keyword
import re
from dataclasses import dataclass, replace

from agenticai_core.plans import EntityField
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types, words

_NUMBER = r"(-?\d+(?:\.\d+)?)"
_RESERVED = frozenset(
    [
        "id",
        "created_at",
        "updated_at",
        "metadata",
        "registry",
        "model_config",
        "model_fields",
        "schema",
        "json",
        "dict",
        "copy",
        "construct",
        "validate",
        "query",
        "session",
        "self",
        "cls",
        "parse_obj",
        "parse_raw",
        "fields",
    ]
)
_BUILTIN_NAMES = frozenset(["print", "type_", "input", "object", "property"])
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
_CHOICES_TAIL = re.compile(
    r"\s*(?:[,(]?\s*(?:(?:which|that)\s+)?(?:(?:can|may|must|could|should|will)\s+be|is|are|being)"
    r"(?:\s+(?:either|one of|any of|set to))?|\s+one of|\s+either|\s*[:=]\s*(?:one of|either)?|"
    r"\s+with (?:values?|options|choices|states)|\s+from the list)\s*:?\s+(?=\S)",
    re.IGNORECASE,
)
MAX_CHOICES = 20


@dataclass(frozen=True)
class Attribute:
    """A field as a phrase gives it, before it is known which phrases name entities."""

    key: str  # singular snake_case, to be compared with entity names
    field: EntityField
    plural: bool = False
    many: bool = False  # "several tags"
    guessed: bool = True  # the type comes from the name alone
    composite: tuple["Attribute", ...] = ()  # "address (street, city)"


@dataclass
class _Spec:
    """What is read off a phrase beside its name."""

    values: dict[str, object]
    optional: bool = False


def safe_name(name: str, prefix: str = "item") -> str:
    """A field name that Python, pydantic and SQLAlchemy all take."""
    name = name or "value"
    if name in _RESERVED or keyword.iskeyword(name) or name.startswith("model_"):
        return f"{prefix}_{name}"
    return name


def _take(pattern: str, text: str) -> tuple[re.Match[str] | None, str]:
    """Search and, if found, cut the match out of the text."""
    match = re.search(pattern, text, re.IGNORECASE)
    if not match:
        return None, text
    return match, f"{text[: match.start()]} {text[match.end() :]}".strip()


def _read_range(text: str, values: dict[str, object]) -> str:
    length, text = _take(
        rf"(?:max(?:imum)?|up to|at most|no more than|limited to)?\.?\s*(?:of\s+)?{_NUMBER}\s*"
        r"(?:characters|chars|letters)(?:\s*(?:max(?:imum)?|long|at most))?",
        text,
    )
    if length:
        values["max_length"] = int(float(length[1]))
    both, text = _take(
        rf"(?:\bbetween\s+|\bfrom\s+|\brange\s+|^)?{_NUMBER}\s*(?:-|to|and|\.\.)\s*{_NUMBER}(?!\w)",
        text,
    )
    if both and float(both[1]) <= float(both[2]):
        values["minimum"], values["maximum"] = float(both[1]), float(both[2])
    low, text = _take(
        rf"\b(?:at least|min(?:imum)?(?: of)?|no less than|not less than|>=|from)\s*{_NUMBER}|>=\s*{_NUMBER}",
        text,
    )
    if low:
        values["minimum"] = float(low[1] or low[2])
    high, text = _take(
        rf"\b(?:at most|max(?:imum)?(?: of)?|up to|no more than|not more than|out of)\s*{_NUMBER}"
        rf"|<=\s*{_NUMBER}",
        text,
    )
    if high:
        values["maximum"] = float(high[1] or high[2])
    above, text = _take(rf"(?:\b(?:greater than|more than|above|over)|>)\s*{_NUMBER}", text)
    if above:
        values["minimum"] = float(above[1]) + 1 if float(above[1]) else 0.01
    below, text = _take(rf"(?:\b(?:less than|below|under)|<)\s*{_NUMBER}", text)
    if below:
        values["maximum"] = float(below[1])
    for pattern, minimum in (
        (r"\bnon-?\s?negative\b|\bnot negative\b", 0.0),
        (r"\bpositive\b", 0.01),
    ):
        found, text = _take(pattern, text)
        if found:
            values["minimum"] = minimum
    return text


def _read_flags(text: str, spec: _Spec) -> str:
    default, text = _take(
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
        found, text = _take(pattern, text)
        if found and flag == "optional":
            spec.optional = True
        elif found:
            spec.values[flag] = True
    return text


def _read_unit(text: str, values: dict[str, object]) -> str:
    match, rest = _take(
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


def _read_slashes(text: str, spec: _Spec) -> str:
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


def _read_parenthesis(inner: str, spec: _Spec, name: str) -> tuple[Attribute, ...]:
    """What stands in parentheses after an attribute: type, unit, choices, flags or parts."""
    inner = inner.strip()
    if inner.lower().startswith("e.g."):
        spec.values["description"] = f"for example {inner[4:].strip(' ,')}"
        return ()
    if inner.lower() in types.TYPE_WORDS:
        spec.values["type"] = types.TYPE_WORDS[inner.lower()]
        return ()
    rest = _read_range(_read_flags(inner, spec), spec.values)
    rest = rest.strip(" ,;")
    if re.match(r"(?:one of|enum)\b", rest, re.IGNORECASE):
        spec.values["choices"] = parse_choices(rest)
        return ()
    leftover = [part.strip() for part in re.split(r"[,;]", rest) if part.strip()]
    kept = [part for part in leftover if not _read_type(part, spec)]
    if not kept:
        return ()
    attributes = [parse_attribute(part) for part in kept]
    heads = [a.key.split("_")[-1] for a in attributes if a]
    known = sum(types.is_attribute_head(h) for h in heads)
    listed = (
        words.is_plural(name.rsplit("_", maxsplit=1)[-1])
        and bool(known)
        and not types.is_attribute_head(name)
    )
    if len(kept) > 1 and heads and (2 * known >= len(kept) or listed) and name != "status":
        return tuple(a for a in attributes if a)
    choices = parse_choices(", ".join(kept))
    if choices:
        spec.values["choices"] = choices
    else:
        spec.values.setdefault("description", ", ".join(kept))
    return ()


def _read_type(text: str, spec: _Spec) -> bool:
    text = text.strip().lower()
    if text in types.TYPE_WORDS:
        spec.values["type"] = types.TYPE_WORDS[text]
    elif text in types.UNITS:
        spec.values["type"], spec.values["unit"] = types.UNITS[text]
    elif _read_unit(text, spec.values).strip() != text or text in ("in", "max", "min"):
        pass
    else:
        return False
    return True


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


def _name_words(text: str) -> list[str]:
    text = re.sub(
        r"^(?:when|where|how many|whether(?:\s+(?:it|they|he|she)\s+(?:is|are|was|has))?)\b",
        "",
        text,
    )
    found = re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)*", words.to_ascii(text).lower())
    kept = [
        word
        for word, after in zip(found, [*found[1:], ""], strict=False)
        if word not in lex.EMPTY_ADJECTIVES or len(found) == 1 or after == "of"
    ]
    while kept and (
        (kept[-1] in lex.PREPOSITIONS - _LAST_PREPOSITIONS and not _is_moment(kept))
        or kept[-1] in ("and", "or", "the", "be")
    ):
        kept.pop()
    return [w for w in kept if w not in ("the", "a", "an", "its", "their", "each", "'s")]


_LAST_PREPOSITIONS = frozenset(["on", "by", "in", "before", "after", "until"])


def _is_moment(kept: list[str]) -> bool:
    """ "starts at", "borrowed at" name a moment."""
    return kept[-1] == "at" and len(kept) > 1 and bool(words.verb_readings(kept[-2]))


def _strip_tail(text: str) -> str:
    """Off with what says where or why rather than what: "price for each trip", "date they came"."""
    text = re.sub(
        r"\s+(?:for|of|about|on|to)\s+(?:each|every|the|that|this|their|its)\s+\w.*$", "", text
    )
    text = re.sub(
        r"\s+(?:that|which|who|when|where|so|because|if|they|we|it|he|she)\b.*$", "", text
    )
    text = re.sub(r"(?<=\w)\s+\w+(?:ed|en)\s+(?:from|by|in|with|at|on)\s+.*$", "", text)
    point = r"(?<=\w)\s+at\s+(?!an?\b|the\b|each\b|every\b|this\b|that\b|any\b)\w+$"
    if re.search(point, text):
        return text  # "weight at start"
    return re.sub(r"(?<!^valid)(?<=\w)\s+(?:for|from|at|with|during|without)\s+.*$", "", text)


def parse_attribute(phrase: str) -> Attribute | None:
    """Read one phrase; None when no name can be made of it."""
    text = re.sub(r"['’]s\b|['\"]", "", phrase).strip(" .,:;-!?")
    spec = _Spec(values={})
    how_many = re.match(r"^how many\s+", text, re.IGNORECASE)
    whether = re.match(
        r"^(?:and\s+)?(?:whether|if)\b\s+(?:(?:or not|the|it|they|he|she|a|an)\s+)*(?:(?:is|are|was|were|has been|have been|has|have)\s+)?",
        text,
        re.IGNORECASE,
    )
    text = text[whether.end() :] if whether else text
    inner = re.findall(r"\(([^()]*)\)?", text)
    text = re.sub(r"\([^()]*\)?", " ", text)
    yes_no, text = _take(r"[:\s]*\b(?:yes\s*(?:/|or)\s*no|true\s*(?:/|or)\s*false|y/n)\b", text)
    tail = _CHOICES_TAIL.search(text)
    if tail and tail.start() > 0:
        choices = parse_choices(re.sub(r"\bby default\b", "", text[tail.end() :]))
        if choices:
            spec.values["choices"] = choices
            text = text[: tail.start()]
    example, text = _take(r"[,\s]*e\.g\.\s*(.*)$", text)
    if example:
        spec.values["description"] = f"for example {example[1].strip(' ,')}"
    text = _read_slashes(text, spec)
    text = _read_flags(text, spec)
    end = re.fullmatch(r"\s*(from|to)\s+(?!an?\b|the\b|each\b|\d)([a-z]+)\s*", text, re.I)
    text = f"{end[1]}_{end[2]}" if end else _LEAD.sub("", text.strip() + " ").strip()
    counted = re.match(r"^(?:two|three|four|five)\s+(?=[a-z])", text, re.I)
    text = text[counted.end() :] if counted else text
    many = _MANY.search(text)
    text = _LEAD.sub("", (_MANY.sub("", text) if many else text) + " ").strip()
    typed = re.search(r"(?:^|\s)(?:[:=]|as an?)\s*(\w[\w /-]*)$", text)
    if typed and typed[1].lower().strip() in types.TYPE_WORDS:
        spec.values["type"] = types.TYPE_WORDS[typed[1].lower().strip()]
        text = text[: typed.start()]
    text = _read_range(text, spec.values)
    text = _read_unit(text.strip(), spec.values)
    text = _strip_tail(text.lower().strip())
    if (
        re.search(r"\bof\s+[\w-]+(?:\s+or\s+|\s*,\s*|\s*/\s*)", text)
        and "choices" not in spec.values
    ):
        head, _, values = text.partition(" of ")
        choices = parse_choices(values)
        if (
            choices
            and head.split()[-1:]
            and head.split()[-1] in ("status", "state", "type", "stage", "level", "kind")
        ):
            spec.values["choices"], text = choices, head
    names = _name_words(text.replace("_", "-"))
    if counted and names and words.is_plural(names[-1]):
        spec.values.setdefault("type", "string")
        spec.values.setdefault("description", f"{counted[0].strip().lower()} of them")
    if how_many and names:
        spec.values.setdefault("type", "integer")
    if whether or yes_no:
        spec.values["type"] = "boolean"
    return _finish(names, spec, inner, many=bool(many))


def _finish(names: list[str], spec: _Spec, inner: list[str], *, many: bool) -> Attribute | None:
    slash = [n.replace("-", "_") for n in names]
    if len(slash) > 1 and slash[-1] in ("flag", "indicator", "checkbox"):
        slash.pop()
        spec.values.setdefault("type", "boolean")
    if len(slash) > 5:
        slash = slash[:5]
    name = words.to_snake("_".join(slash).replace("_", " "))
    if not name:
        return None
    composite: tuple[Attribute, ...] = ()
    for part in inner:
        composite = composite or _read_parenthesis(part, spec, name)
    *before, head = name.split("_")
    is_plural = words.is_plural(head)
    key = "_".join([*before, words.singular(head)])
    guessed = "type" not in spec.values and "choices" not in spec.values
    built = _build_field(name, spec, is_plural=is_plural)
    return Attribute(key, built, is_plural, many, guessed, composite)


def _build_field(name: str, spec: _Spec, *, is_plural: bool) -> EntityField:
    values = spec.values
    given = values.get("type")
    choices = values.get("choices") or ()
    type_: types.FieldType = "enum" if choices else given or types.guess_type(name, is_plural)  # type: ignore[assignment]
    if "minimum" in values and type_ == "string" and "maximum" in values:
        type_ = "integer"
    if (values.get("max_length") and type_ not in ("text",)) or (type_ == "enum" and not choices):
        type_ = "string"
    numeric = type_ in ("integer", "decimal", "float")
    low = values.get("minimum") if numeric else None
    if low is None and numeric and _never_negative(name, type_):
        low = 0.0
    result = EntityField(
        name=safe_name(name),
        type=type_,
        required=bool(values.get("required")) or not (spec.optional or type_ == "text"),
        unique=bool(values.get("unique")) or types.is_unique_by_nature(name),
        choices=tuple(choices) if isinstance(choices, tuple) else (),
        minimum=_bound(low, type_),
        maximum=_bound(values.get("maximum"), type_) if numeric else None,
        max_length=values.get("max_length") if type_ in ("string", "text") else None,
        unit=values.get("unit") if numeric else None,
        description=str(values.get("description", "")),
    )
    return replace_default(result, values.get("default"))


def _bound(value: object, type_: str) -> float | None:
    if not isinstance(value, float):
        return None
    return 1.0 if type_ == "integer" and value == 0.01 else value


def _never_negative(name: str, type_: str) -> bool:
    signed = ("temperature", "latitude", "longitude", "altitude", "elevation", "balance", "change",
              "adjustment", "profit", "floor", "score", "angle", "position", "delta")  # fmt: skip
    return type_ in ("integer", "decimal", "float") and not any(
        part in signed for part in name.split("_")
    )


def replace_default(made: EntityField, default: object) -> EntityField:
    """The field with a default, if the default fits its type."""
    if default is None:
        return made
    text = str(default).strip(". ").lower()
    if made.type == "enum":
        text = words.to_snake(text)
        if text not in made.choices:
            return made
    elif made.type == "boolean":
        if text not in ("true", "false", "yes", "no", "on", "off"):
            return made
        text = "true" if text in ("true", "yes", "on") else "false"
    elif made.type in ("integer", "decimal", "float"):
        pattern = r"-?\d+" if made.type == "integer" else r"-?\d+(\.\d+)?"
        if not re.fullmatch(pattern, text):
            return made
    elif made.type in ("date", "datetime"):
        if text not in ("now", "today"):
            return made
        text = "now"
    elif made.type not in ("string", "text"):
        return made
    return made.model_copy(update={"default": text})


def with_field(attribute: Attribute, **changes: object) -> Attribute:
    return replace(attribute, field=attribute.field.model_copy(update=changes))


def split_list(text: str) -> list[str]:
    """Items of "a, b (c, d) and e"; parentheses and choices ("either x or y") stay whole."""
    text = re.sub(r"\bdate and time\b", "datetime", text, flags=re.IGNORECASE)
    text = re.sub(r"\bterms and conditions\b", "terms", text, flags=re.IGNORECASE)
    items: list[str] = []
    depth, current = 0, ""
    pieces = re.split(r"(\(|\)|,|;|\s+and\s+|\s+plus\s+|\s+&\s+|\s+as well as\s+)", text)
    for piece in pieces:
        depth += (piece == "(") - (piece == ")" and depth > 0)
        separator = depth == 0 and bool(re.fullmatch(r",|;|\s+(?:and|plus|&|as well as)\s+", piece))
        if separator and not _open_range(current, piece):
            items.append(current)
            current = ""
        else:
            current += piece
    items.append(current)
    return _join_choices([item.strip(" .") for item in items if item.strip(" .,")])


def _open_range(current: str, separator: str) -> bool:
    """ "between 1 and 5" is one item."""
    return separator.strip() == "and" and bool(re.search(r"\bbetween\s+-?\d+(\.\d+)?$", current))


def _join_choices(items: list[str]) -> list[str]:
    """Glue "status which can be a", "b or c" back together, and flags to what they qualify."""
    joined: list[str] = []
    open_choice = False
    for item in items:
        flag = re.fullmatch(
            r"(?:all\s+|both\s+)?(?:is\s+)?(?:optional|required|unique|mandatory|must be unique|default\w*\b.*|max\w*\.?\s+(?:of\s+)?\d.*|min\w*\.?\s+(?:of\s+)?\d.*|"
            r"at (?:least|most)\b.*|between\b.*|yes/no|which is (?:unique|optional|required)|e\.g\..*)",
            item, re.IGNORECASE,
        )  # fmt: skip
        if joined and flag:
            joined[-1] += f" ({item})" if item.startswith("e.g.") else f" {item}"
        elif joined and open_choice:
            joined[-1] += f", {item}"
            open_choice = not re.search(r"\bor\b", item)
        elif joined and re.match(r"or\s+\w+(\s+\w+)?$", item) and _has_choice(joined[-1]):
            joined[-1] += f" {item}"
        else:
            joined.append(item)
            opens = _has_choice(item)
            open_choice = opens and not re.search(r"\bor\b", item) and not re.search(r"[|/]", item)
    return _share_units(joined)


def _share_units(items: list[str]) -> list[str]:
    """ "weight before and weight after in kg": both in kg."""
    for at in range(len(items) - 1, 0, -1):
        unit = re.search(r"\sin\s+([\w/%°]+)$", items[at])
        alike = _first_word(items[at]) == _first_word(items[at - 1])
        if unit and alike and unit[1].lower() in types.UNITS and " in " not in items[at - 1]:
            items[at - 1] += unit[0]
    return items


def _first_word(item: str) -> str:
    """The first word that says something: articles are alike whatever follows them."""
    said = re.sub(r"^(?:an?|the|its|their|one)\s+", "", item.strip().lower())
    return said.split(" ", 1)[0]


def _has_choice(item: str) -> bool:
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
