"""Noun phrases: the key of the thing they name, and whether that can be a thing of the domain."""

import re
from dataclasses import dataclass
from functools import cache

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words

_AGENTS = lex.word_set(
    "vet nurse doctor chef guide clerk pilot coach guest client patient student parent child tenant "
    "host agent judge referee employee volunteer apprentice athlete artist musician tutor captain "
    "crew witness relative adult person contact colleague member customer user staff teacher "
    "visitor passenger citizen resident friend sponsor recruit cook boss midwife groom bride donor "
    "monk priest mechanic technician pharmacist secretary director buyer lodger"
)
_NOT_AGENTS = lex.word_set(
    "container printer register order charter letter folder number paper water center centre poster "
    "tower filter timer sensor monitor motor vector factor ladder tractor trailer computer server matter "
    "counter corner chapter quarter flower cluster layer user tracker boiler cooler freezer "
    "freighter cover transfer offer tender sticker voucher newsletter weather power dinner supper "
    "shelter river feather fever ulcer border meter hammer cylinder banner planter trader-joe color "
    "odor floor door error mirror calendar theater theatre barrier carrier-bag plant event "
    "equipment document component department apartment payment shipment appointment treatment "
    "instrument garment element statement agreement experiment incident accident restaurant variant "
    "descent content percent rent cent component ingredient grant transcript badminton ant "
    "playlist checklist shortlist wishlist waitlist projector elephant pendant plaster container burner propeller router locker charger beer deer tier pier "
    "cider butter batter supplier-code helicopter ember amber timber lumber fiber fibre liver"
)


@dataclass(frozen=True)
class Noun:
    key: str  # singular snake_case, "" when nothing is left
    plural: bool
    many: bool
    determiner: str
    inner: str  # what stood in parentheses

    @property
    def head(self) -> str:
        return self.key.rpartition("_")[2]


def parse_noun(phrase: str) -> Noun:
    """The thing that a phrase names: "several stock movements" -> stock_movement, plural."""
    inner = " ".join(re.findall(r"\(([^()]*)\)?", phrase))
    text = re.sub(r"\([^()]*\)?", " ", phrase).lower()
    text = re.sub(r"[,\s]+e\.g\..*$", "", text)
    many = bool(re.match(r"\s*(?:can have |have )?(?:many|multiple|several|various|one or more|"
                         r"at least one|any number of|zero or more|more than one|lots? of|some|"
                         r"between \d+ and \d+|up to \d+|\d+ (?:or|to) (?:more|\d+)|two or more)\b", text))  # fmt: skip
    text = re.sub(r"^.*\w's?\s+(?=[a-z])", "", text)  # "the building's contact person"
    found = re.findall(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*|'s?", words.to_ascii(text))
    determiner = next((w for w in found[:2] if w in lex.DETERMINERS), "")
    kept = _core(found)
    if not kept:
        return Noun("", False, many, determiner, inner)
    *before, head = kept
    key = words.to_snake(" ".join([*before, words.singular(head)]).replace("-", " "))
    return Noun(key, words.is_plural(head), many, determiner, inner)


def _core(found: list[str]) -> list[str]:
    """The words of the head noun's compound; "list of members" gives members."""
    cut = [i for i, w in enumerate(found) if w in lex.PREPOSITIONS or w in ("to", "which", "that")]
    head_end = next((i for i in cut if i > 0), len(found))
    kept = [w for w in found[:head_end] if _is_name_word(w)]
    while len(kept) > 1 and kept[-1] in ("daily", "weekly", "monthly", "yearly", "regularly"):
        kept.pop()
    if len(kept) > 1 and words.is_plural(kept[-2]) and words.base_of_participle(kept[-1]):
        kept.pop()  # "visits scheduled"
    if (
        head_end < len(found)
        and found[head_end] == "of"
        and (not kept or kept[-1] in lex.VAGUE or words.singular(kept[-1]) in _COLLECTIVES)
    ):
        return _core(found[head_end + 1 :])
    return kept


# "a register of baptisms" holds baptisms.
_COLLECTIVES = lex.word_set(
    "register record list directory catalogue catalog collection range fleet"
)


def _is_name_word(word: str) -> bool:
    return (
        word not in lex.DETERMINERS
        and word not in lex.EMPTY_ADJECTIVES
        and word not in lex.PRONOUNS
        and word not in lex.CONJUNCTIONS
        and word not in lex.MODALS | lex.BE | lex.HAVE
        and word not in ("out", "up", "down", "off", "away", "back")
        and word not in lex.ADVERBS
        and word not in lex.PREPOSITIONS
        and not (word.endswith("ly") and len(word) > 5)
        and not word.startswith("'")
    )


def is_thing(key: str) -> bool:
    """Whether a noun can be a thing of the domain: no software word, nothing vague, no pronoun."""
    if not key or len(key) < 3:
        return False
    head = key.rpartition("_")[2]
    if "_" not in key:
        return (
            key
            not in lex.SOFTWARE | lex.VAGUE | lex.GENERIC_ACTORS | lex.BE | lex.HAVE | lex.MODALS
        )
    return words.plural(head) not in lex.SOFTWARE and head not in (
        "api", "app", "system", "application", "platform", "software", "interface", "endpoint",
        "backend", "database", "dashboard", "functionality", "feature", "management",
    )  # fmt: skip


def is_generic(key: str) -> bool:
    head = key.rpartition("_")[2]
    return not key or key in lex.GENERIC_ACTORS or head in lex.SOFTWARE


def is_person(key: str) -> bool:
    """Whether a noun names somebody who acts: by suffix, or a general word for people."""
    head = key.rpartition("_")[2]
    if head in _AGENTS:
        return True
    if head in _NOT_AGENTS:
        return False
    if re.search(
        r"(keeper|worker|maker|holder|owner|manager|broker|teacher|leader|trainer)$", head
    ):
        return True
    return (
        bool(re.search(r"(er|or|ist|ian|ee|eur|man|woman|smith|wright|ster)$", head))
        and len(head) > 4
    )


def is_event(key: str) -> bool:
    """Whether a noun names an occurrence: a nominal, or a word made like one."""
    head = key.rpartition("_")[2]
    if head in _NOT_EVENTS:
        return False
    if head in _EVENTS or head in lex.NOMINALS.values():
        return head not in ("plant", "order-book")
    base = words.verb_base(head, "ing")
    if base:
        return head not in _GERUND_THINGS
    return head in _nominals()


_NOT_EVENTS = lex.word_set(
    "location organisation organization association population publication institution section "
    "position description classification specification station collection direction edition"
)
_GERUND_THINGS = lex.word_set(
    "building painting drawing string ring wing housing king spring recording setting offering "
    "meaning listing clothing dressing"
)


@cache
def _nominals() -> frozenset[str]:
    """The nouns of all known verbs: donate -> donation."""
    made = {words.nominal(base) for base in lex.VERBS}
    return frozenset(noun for noun in made if noun.endswith(("ion", "ment", "ance", "al")))


_EVENTS = lex.word_set(
    "session visit meeting event lesson class appointment trip tour match game race shift loan sale "
    "dive concert rehearsal workshop exam course entry log ceremony funeral service-visit"
)
