"""Lists, cut where a reader would cut them: "a, b (c, d) and e"."""

import re

from agenticai_worker.llm.template.understand import types
from agenticai_worker.llm.template.understand.choices import has_choice


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
        elif joined and re.match(r"or\s+\w+(\s+\w+)?$", item) and has_choice(joined[-1]):
            joined[-1] += f" {item}"
        else:
            joined.append(item)
            opens = has_choice(item)
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
