"""Constraints: overlap, order, uniqueness, stock that stays positive, and on single fields."""

import re

from agenticai_worker.llm.template.understand import types, words
from agenticai_worker.llm.template.understand.clauses import Clause, text_of
from agenticai_worker.llm.template.understand.facts import Facts, RawRule, Tweak
from agenticai_worker.llm.template.understand.nouns import parse_noun
from agenticai_worker.llm.template.understand.phrases import subject_keys

_NEVER = r"(?:\bnot\b|\bno\b|\bnever\b|\bwithout\b|\bavoid|\bprevent|\bforbid|\bprohibit|\breject|\bdisallow|\bonly one\b|n't\b)"
OVERLAP = re.compile(
    rf"{_NEVER}.*(?:double[- ]?book|overlap|twice (?:at|for|during|in|on) (?:the |one )?same (?:time|period|date|day|slot|week|month|hour)|twice at once|(?:at|for|in|during|on) the same (?:time|period|date|day|slot|dates)|"
    r"conflict|clash|simultaneous|collide)|\bno (?:double|overlap)|\bprevent\w*\s+(?:double|overlap)|\bdouble[- ]book",
    re.I,
)  # fmt: skip
_ORDER = re.compile(
    r"\b([\w-]+(?:\s[\w-]+){0,2}?)\s+(?:must|should|has to|have to|needs to|need to|can|may|is|are|comes?)\s*(not|never)?\s*(?:always\s+)?(?:be|come|lie|is)?\s*"
    r"(after|later than|before|earlier than|less than|lower than|greater than|higher than|more than|exceed|above|below|on or after|on or before)\s+"
    r"(?:the |its |their )?([\w-]+(?:\s[\w-]+){0,2})\s*$",
    re.I,
)  # fmt: skip
_NEGATIVE = re.compile(
    rf"{_NEVER}.*\b(?:below (?:zero|0)|negative|less than (?:zero|0)|under (?:zero|0))\b|\b(?:stock|quantity|balance)\b.*\b(?:stay|remain)\w*\s+(?:positive|above zero)|"
    r"\bnot\b.*\b(?:more|further)\b.*\bthan (?:is |are )?(?:in stock|available|on hand|there is|we have)",
    re.I,
)  # fmt: skip
_PER = re.compile(
    r"\b(?:unique|only one|at most one|one|no two|once)\s*([\w -]*?)\s+(?:per|within|in each|for each|for every|within each|inside)\s+(?:the |an? |each )?([\w -]+?)$",
    re.I,
)
_ONCE = re.compile(
    r"\b(?:only once|more than once|not\b.*\btwice|at most once|no more than once|only one time)\b",
    re.I,
)
_FROZEN = re.compile(
    r"\b(?:not|never|no longer)\b\s*(?:be )?(?:chang|edit|modif|updat|delet|alter|be (?:chang|edit|modif|updat|alter))\w*\s*(?:again |anymore )?"
    r"(?:after|once|when|if|as soon as)?\s*(?:(?:it|they)\s+(?:is|are|has been|have been|was|were)\s+|being\s+)?(\w+)?",
    re.I,
)  # fmt: skip
_CONSTRAINT = re.compile(
    r"^(?:unique|required|optional|mandatory|positive|non-?negative|at least|at most|between|greater|less|more than|up to|from \d|"
    r"not (?:be )?(?:empty|negative|null)|an? (?:valid |positive |whole |unique )?(?:integer|number|decimal|string|boolean|date|datetime|email|url|text|uuid|phone)\b|max|min|in (?:kg|\w+)$|measured in|\d+\s*(?:-|to)\s*\d+|always required)",
    re.I,
)  # fmt: skip


def is_rule(sentence: str) -> bool:
    """Whether a sentence forbids something, and so states no structure."""
    return bool(_NEGATIVE.search(sentence) or OVERLAP.search(sentence))


def read_rule(sentence: str, facts: Facts) -> bool:
    """Rules that show in the whole sentence."""
    text = re.sub(r"\s+", " ", sentence).strip(" .")
    if _NEGATIVE.search(text):
        facts.rules.append(RawRule("not_negative", text))
        return True
    if OVERLAP.search(text):
        subject = (
            re.sub(rf"^.*?{_NEVER}\s*", "", text, flags=re.I)
            if re.match(_NEVER, text, re.I)
            else text
        )
        facts.rules.append(
            RawRule("no_overlap", text, subject, tuple(re.findall(r"[a-z-]+", text.lower())))
        )
        return True
    match = _ORDER.search(text)
    if match and not re.fullmatch(r"zero|\d+", match[4].split()[0]):
        earlier, later = words.to_snake(_bare(match[1])), words.to_snake(_bare(match[4]))
        after = match[3].lower() in (
            "after",
            "later than",
            "greater than",
            "higher than",
            "more than",
            "above",
            "on or after",
            "exceed",
        )
        if after != bool(match[2]):
            earlier, later = later, earlier
        facts.rules.append(RawRule("order", text, words=(earlier, later)))
        return True
    return False


def _bare(text: str) -> str:
    return re.sub(
        r"^(?:(?:the|a|an|its|their|and|that|of|each|every|if|where)\s+)+", "", text.lower()
    )


def read_clause_rule(clause: Clause, facts: Facts, sentence: str = "") -> bool:
    """Rules of one clause: once per pair, unique per group, frozen after a state, field limits."""
    text = f"{clause.subject_text} {'not ' if clause.negated else ''}{clause.verb} {clause.participle} {clause.rest_text}"
    whole = re.sub(r"\s+", " ", text)
    if clause.negated or re.search(r"\b(?:no longer|never)\b", whole):
        frozen = _FROZEN.search(
            re.sub(r"\bbe\s+(\w+)\s", lambda m: f"be {words.participle(m[1])} ", whole)
        )
        if frozen and (keys := subject_keys(clause.subject_text, facts)):
            facts.rules.append(RawRule("immutable", whole, keys[0], (frozen[1] or "",)))
            return True
    twice = clause.negated and re.search(r"\b(?:twice|more than once)\b", sentence, re.I)
    if (twice or _ONCE.search(whole)) and clause.verb not in ("be",):
        keys = subject_keys(clause.subject_text, facts)
        said = re.sub(
            r"\b(?:only once|more than once|at most once|twice|the same|once)\b",
            "",
            clause.rest_text,
        )
        target = parse_noun(re.sub(r"^\s*(?:in|on|for|at|to)\s+", "", said))
        facts.rules.append(
            RawRule(
                "once",
                sentence or whole,
                keys[0] if keys else "",
                (clause.verb, facts.find(target.key) or ""),
            )
        )
        return True
    per = _PER.search(whole)
    if per and (clause.verb in ("be", "have", "")):
        facts.rules.append(
            RawRule("unique_per", whole, clause.subject_text, (words.to_snake(per[1]), per[2]))
        )
        return True
    return _read_tweak(clause, facts)


def _read_tweak(clause: Clause, facts: Facts) -> bool:
    """ "the email must be unique", "price is a decimal", "weight is measured in kg"."""
    if clause.verb != "be":
        return False
    rest = clause.rest_text.strip()
    if clause.participle == "require":
        rest = f"required {rest}"
    elif clause.participle == "measure":
        rest = f"measured {rest}"
    if clause.negated:
        rest = f"not {rest}" if not rest.startswith("required") else "optional"
    if not _CONSTRAINT.match(rest):
        return False
    subject = text_of(clause.subject)
    owner, field_name = split_field(subject, facts)
    if not field_name:
        return False
    if rest.startswith(("not empty", "not be empty", "not null")):
        rest = "required"
    facts.tweaks.append(Tweak(owner, field_name, re.sub(r"^an?\s+(?:valid\s+)?", "", rest)))
    return True


def split_field(subject: str, facts: Facts) -> tuple[str, str]:
    """The owner and the field of "the email of a member", "a member's email", "product price", "email"."""
    match = re.match(
        r"^(?:the|its|their|an?|each|every)?\s*([\w -]+?)\s+(?:of|for|on|in|from)\s+(.+)$|^(.+?)'s?\s+([\w -]+)$",
        subject,
        re.I,
    )
    if match:
        owner = subject_keys(match[2] or match[3], facts)
        return (owner[0] if owner else ""), words.to_snake(_bare(match[1] or match[4]))
    noun = parse_noun(subject)
    for key in sorted({*facts.strength, *facts.known}, key=len, reverse=True):
        if noun.key.startswith(key + "_") and noun.key != key:
            return key, noun.key.removeprefix(key + "_")
    if noun.key and not (noun.key in facts.strength and not types.is_attribute_head(noun.head)):
        return "", noun.key
    return "", ""
