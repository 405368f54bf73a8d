"""Morphology: singular and plural, verb forms, the noun for an action, names for code."""

import keyword
import re
import unicodedata
from functools import cache

from agenticai_worker.llm.template.understand import lexicon as lex

_IRREGULAR = {
    "people": "person", "children": "child", "men": "man", "women": "woman", "mice": "mouse",
    "feet": "foot", "teeth": "tooth", "geese": "goose", "oxen": "ox", "criteria": "criterion",
    "indices": "index", "analyses": "analysis", "diagnoses": "diagnosis", "leaves": "leaf",
    "shelves": "shelf", "knives": "knife", "wives": "wife", "lives": "life", "halves": "half",
    "loaves": "loaf", "wolves": "wolf", "calves": "calf", "thieves": "thief", "scarves": "scarf",
    "hooves": "hoof", "movies": "movie", "cookies": "cookie", "ties": "tie", "pies": "pie",
    "heroes": "hero", "potatoes": "potato", "tomatoes": "tomato", "buses": "bus", "gases": "gas",
    "lenses": "lens", "quizzes": "quiz", "matrices": "matrix", "vertices": "vertex",
    "phenomena": "phenomenon", "bacteria": "bacterium", "hypotheses": "hypothesis",
    "theses": "thesis", "crises": "crisis", "viruses": "virus", "bonuses": "bonus",
    "campuses": "campus", "statuses": "status", "aliases": "alias", "caches": "cache",
    "headaches": "headache", "calories": "calorie", "zombies": "zombie", "rookies": "rookie",
    "selfies": "selfie", "atlases": "atlas", "canvases": "canvas", "censuses": "census",
    "choruses": "chorus", "corpora": "corpus", "cacti": "cactus", "fungi": "fungus",
    "alumni": "alumnus", "larvae": "larva", "echoes": "echo", "vetoes": "veto", "axes": "axe",
    "embargoes": "embargo", "cargoes": "cargo", "torpedoes": "torpedo", "octopuses": "octopus",
    "genera": "genus", "shoes": "shoe", "toes": "toe", "canoes": "canoe", "bases": "base",
}  # fmt: skip
_PLURALS = {singular: plural for plural, singular in _IRREGULAR.items()}
_UNCHANGED = frozenset(
    [
        "species",
        "series",
        "staff",
        "equipment",
        "news",
        "sheep",
        "fish",
        "deer",
        "aircraft",
        "media",
        "data",
        "information",
        "software",
        "hardware",
        "luggage",
        "furniture",
        "feedback",
        "inventory",
        "stock",
        "logistics",
        "physics",
        "mathematics",
        "ethics",
        "electronics",
        "analytics",
        "athletics",
        "gymnastics",
        "salmon",
        "trout",
        "money",
        "honey",
        "milk",
        "water",
        "music",
        "advice",
        "merchandise",
        "cattle",
        "poultry",
        "livestock",
        "personnel",
        "is",
        "has",
        "was",
        "this",
        "its",
        "us",
        "gas",
        "bus",
        "lens",
        "canvas",
        "atlas",
        "chorus",
        "always",
        "yes",
        "less",
        "process",
        "access",
        "address",
        "business",
        "status",
        "bonus",
        "campus",
        "virus",
        "analysis",
        "diagnosis",
        "basis",
        "thesis",
        "crisis",
        "alias",
        "christmas",
        "census",
        "plus",
        "minus",
        "various",
        "previous",
        "focus",
        "menu-less",
        "radius",
        "cactus",
        "genus",
        "bias",
        "texas",
        "overseas",
        "mass",
        "class",
        "glass",
        "pass",
        "gps",
        "sms",
    ]
)
_VOWEL_END = re.compile(r"[^aeiou][aeiou][^aeiouwxy]$")


@cache
def singular(word: str) -> str:
    """The singular of a lower-case noun; a word that is none already stays as it is."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 3 or word in _UNCHANGED or not word.endswith("s") or word[-2:] in ("ss", "us"):
        return word
    if word.endswith(("sis", "xis", "'s")) or word in ("tennis", "iris", "debris", "chassis"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses", "zzes", "uses")) and not word.endswith(
        ("houses", "causes", "clauses", "spouses", "horses", "fuses", "blouses", "muses", "nurses")
    ):
        return word[:-2]
    return word[:-1]


@cache
def plural(word: str) -> str:
    """The plural of a lower-case singular noun."""
    if word in _PLURALS:
        return _PLURALS[word]
    if word in ("staff", "equipment", "stock", "honey", "fish", "salmon", "milk"):
        return word
    if word in ("species", "series", "news", "sheep", "deer", "aircraft", "data", "media"):
        return word
    if word.endswith("y") and len(word) > 1 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def is_plural(word: str) -> bool:
    return singular(word) != word


def _doubled(base: str) -> bool:
    if base in lex.DOUBLING:
        return True
    syllables = len(re.findall(r"[aeiouy]+", base))
    return syllables == 1 and bool(_VOWEL_END.search(" " + base)) and len(base) > 2


@cache
def third_person(base: str) -> str:
    irregular = {"be": "is", "have": "has", "do": "does", "go": "goes", "undergo": "undergoes"}
    return irregular.get(base) or plural(base)


@cache
def gerund(base: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "ye", "oe")) and base != "be":
        return base[:-1] + "ing"
    return base + base[-1] + "ing" if _doubled(base) else base + "ing"


@cache
def participle(base: str) -> str:
    """The past participle: cancel -> cancelled, lend -> lent."""
    if "-" in base:
        verb, _, particle = base.partition("-")
        return f"{participle(verb)}_{particle}"
    if base in lex.IRREGULAR_PARTICIPLES:
        return lex.IRREGULAR_PARTICIPLES[base][-1]
    if base.endswith("e"):
        return base + "d"
    if base.endswith("y") and base[-2:-1] not in tuple("aeiou"):
        return base[:-1] + "ied"
    return base + base[-1] + "ed" if _doubled(base) else base + "ed"


@cache
def verb_forms() -> dict[str, tuple[tuple[str, str], ...]]:
    forms: dict[str, list[tuple[str, str]]] = {}
    for base in sorted(lex.VERBS | set(lex.NOMINALS) | set(lex.STATE_VERBS)):
        if "_" in base:
            continue
        forms.setdefault(base, []).append((base, "base"))
        forms.setdefault(third_person(base), []).append((base, "s"))
        forms.setdefault(gerund(base), []).append((base, "ing"))
        past = lex.IRREGULAR_PARTICIPLES.get(base, (participle(base),))
        spare = (base + "ed", base + "d") if base in ("cancel", "label", "travel") else ()
        for form in {*past, *spare}:
            forms.setdefault(form, []).append((base, "ed"))
    for base in ("check-in", "check-out", "hand-over", "sign-up", "pick-up", "drop-off", "fill-in"):
        verb, _, particle = base.partition("-")
        for form, label in (
            (verb, "base"), (third_person(verb), "s"), (gerund(verb), "ing"), (participle(verb), "ed")
        ):  # fmt: skip
            forms.setdefault(f"{form}-{particle}", []).append((base, label))
    return {form: tuple(readings) for form, readings in forms.items()}


def verb_readings(word: str) -> tuple[tuple[str, str], ...]:
    """Every (base, form) that a lower-case word may be; form is base, s, ing or ed."""
    return verb_forms().get(word, ())


def verb_base(word: str, *forms: str) -> str | None:
    """The verb behind a word, in one of ``forms`` (or any), or None."""
    for base, form in verb_readings(word):
        if not forms or form in forms:
            return base
    return None


@cache
def base_of_participle(word: str) -> str | None:
    """cancelled -> cancel, also for verbs that no list holds; None for what is no participle."""
    known = verb_base(word, "ed")
    if known:
        return known
    if not word.endswith("ed") or len(word) < 5 or word.endswith("eed"):
        return None
    stem = word[:-2]
    if stem.endswith("i"):
        return stem[:-1] + "y"
    if len(stem) > 2 and stem[-1] == stem[-2] and stem[-1] not in "lsz":
        return stem[:-1]
    if re.search(r"(at|iz|is|ur|av|iv|[aeiou][cgsuv]|dg|rg|nc|[^aeiou]l)$", stem):
        return stem + "e"
    return stem


@cache
def nominal(base: str) -> str:
    """The noun for one occurrence of a verb: book -> booking, inspect -> inspection."""
    if base in lex.NOMINALS:
        return lex.NOMINALS[base]
    if "-" in base:
        return base.replace("-", "_")
    if base.endswith("ate") and len(base) > 5:
        return base[:-1] + "ion"
    if base.endswith("ify"):
        return base[:-1] + "ication"
    if base.endswith(("ise", "ize")) and len(base) > 5:
        return base[:-1] + "ation"
    return gerund(base)


def to_ascii(text: str) -> str:
    """Accents off, everything outside ASCII dropped."""
    decomposed = unicodedata.normalize("NFKD", text)
    return decomposed.encode("ascii", "ignore").decode()


def to_snake(text: str, limit: int = 40) -> str:
    """A lower-case identifier of a phrase, at most ``limit`` long, or "" if nothing is left."""
    words = re.findall(r"[a-z0-9]+", to_ascii(text).lower().replace("'", ""))
    name = ""
    for word in words:
        if len(name) + len(word) + 1 > limit:
            break
        name = f"{name}_{word}" if name else word
    if not name and words:
        name = words[0][:limit]
    return name.lstrip("0123456789_")


def to_pascal(snake: str) -> str:
    return "".join(part.capitalize() for part in snake.split("_") if part)


def plural_snake(snake: str) -> str:
    head, _, last = snake.rpartition("_")
    return f"{head}_{plural(last)}" if head else plural(last)


def is_python_name(name: str) -> bool:
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name)


def join_words(items: list[str] | tuple[str, ...], last: str = "and") -> str:
    """ "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
