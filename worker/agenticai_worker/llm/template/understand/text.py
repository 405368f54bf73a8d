"""From raw text to sentences and tokens: markdown, bullets, quotes and contractions undone."""

import re
import unicodedata
from dataclasses import dataclass

_CONTRACTIONS = (
    (r"\bcan(?:no|['’]?)t\b", "can not"),
    (r"\bwon['’]?t\b", "will not"),
    (r"\b(is|are|was|were|do|does|did|has|have|must|should|could|would|need)n['’]?t\b", r"\1 not"),
    (r"\b(it|that|there|who|what)['’]s\b", r"\1 is"),
    (r"\b(i|we|you|they)['’](?:re)\b", r"\1 are"),
    (r"\b(i|we|you|they)['’](?:ve)\b", r"\1 have"),
    (r"\b(i|we|you|they|it)['’](?:d|ll)\b", r"\1 would"),
    (r"\bi['’]m\b", "i am"),
    (r"\be\.\s?g\.|\bfor example\b|\bfor instance\b|\bsuch as\b", "e.g."),
    (r"\bi\.\s?e\.", "that is"),
    (r"\betc\.?(?=\W|$)", ""),
    (r"\bas well as\b|\balong with\b|\btogether with\b", "and"),
    (r"\band\s*/\s*or\b", "or"),
    (r"\s\+\s", " and "),
    (r"\s*(?:→|=>|->)\s*", " -> "),
    (r"\bincl\.", "including"),
    (r"\bmax\.\s", "max "),
    (r"\bmin\.\s", "min "),
    (r"\bno\.\s(?=of\b)", "number "),
    (r"#\s*of\b", "number of"),
    (r"\b(check)(ed|s|ing)?[ -](in|out)\b", r"\1\2-\3"),
    (
        r"\b(hand|sign|pick|drop|fill|carr)(y|ies|ied|s|ed|ing|ping|ped)? (over|up|off|out)\b",
        r"\1\2-\3",
    ),
    (r"\bkeep(?:s|ing)? (?:a )?(?:track|records?) of\b", "track"),
    (
        r"\b(?:whether|if) (?:or not )?(?:it|they|he|she) (?:is|are|was|were|has been|have been|has|have) ",
        "whether ",
    ),
    (r"\b(?:whether|if) the \w+ (?:is|are|was|were|has been|have been) ", "whether "),
)
_BULLET = re.compile(r"^(\s*)(?:[-*•‣◦·–+]|\d{1,2}[.)]|[a-z]\))\s+(.*)$")
_SECTION = re.compile(
    r"^(?:the\s+)?(?:main\s+|core\s+|functional\s+|domain\s+|key\s+|business\s+)?"
    r"(?:entities|models?|tables?|resources?|features?|requirements?|endpoints?|rules?|constraints?|"
    r"functionality|functions|user stories|use cases|notes?|data model|objects?|overview|goals?|"
    r"description|scope|relationships?|relations?|background|reports?|queries|it should|we need|"
    r"i need|i want|users can|must have|nice to have)\s*$",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"->|e\.g\.|[A-Za-z][A-Za-z0-9_]*(?:-[A-Za-z0-9]+)*|'s?(?![A-Za-z])|\d+(?:\.\d+)?|°\s?[CF]\b|\S"
)
MAX_CHARACTERS = 20_000


@dataclass(frozen=True)
class Token:
    """``word`` is lower case; ``text`` as written; ``tag`` is filled in by `tagging`."""

    text: str
    word: str
    tag: str = ""
    lemma: str = ""


@dataclass(frozen=True)
class Line:
    indent: int
    bullet: bool
    text: str


def clean(text: str) -> str:
    """One kind of quote, dash and space; markdown marks gone; shouting lowered."""
    text = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS])
    text = text.translate(str.maketrans("‘’‚“”„«»—–‐−", '\'\'\'"""""----'))
    text = re.sub(r"```.*?(?:```|$)", " ", text, flags=re.DOTALL)
    text = re.sub(r"<[^<>\n]{1,200}>", " ", text)
    text = re.sub(r"\*\*|__|`|^\s*#+\s*|^\s*>\s*", "", text, flags=re.MULTILINE)
    text = "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else " " for c in text)
    letters = [c for c in text if c.isalpha()]
    if len(letters) > 8 and sum(c.isupper() for c in letters) > 0.7 * len(letters):
        text = text.lower()
    for pattern, replacement in _CONTRACTIONS:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    return text


def _lines(text: str) -> list[Line]:
    lines: list[Line] = []
    for raw in text.expandtabs(4).split("\n"):
        if not raw.strip():
            lines.append(Line(0, False, ""))
            continue
        match = _BULLET.match(raw)
        if match:
            lines.append(Line(len(match[1]), True, match[2].strip()))
            continue
        indent = len(raw) - len(raw.lstrip())
        before = lines[-1] if lines else Line(0, False, "")
        if before.text and _continues(before, raw.strip(), indent):
            lines[-1] = Line(before.indent, before.bullet, f"{before.text} {raw.strip()}")
        else:
            lines.append(Line(indent, False, raw.strip()))
    return [line for line in lines if line.text]


def _continues(before: Line, text: str, indent: int) -> bool:
    """Whether a line goes on with the sentence of the line before it (hard-wrapped text)."""
    if before.text.endswith((".", "!", "?", ":", ";")):
        return False
    if before.bullet:
        return indent > before.indent and text[:1].islower()
    return text[:1].islower() or len(before.text) > 60 or before.text.endswith(",")


def _children(lines: list[Line], at: int) -> list[Line]:
    """The bullets under the line at ``at``: deeper ones, or any after a line that is no bullet."""
    found: list[Line] = []
    parent = lines[at]
    for line in lines[at + 1 :]:
        deeper = line.indent > parent.indent
        if not (deeper or (line.bullet and not parent.bullet)):
            break
        found.append(line)
    return found


def _is_short(text: str) -> bool:
    outside = re.sub(r"\([^)]*\)", "", text)
    return len(outside.split()) <= 9 and not re.search(r"[.!?]\s+\w", outside)


def _outline(lines: list[Line]) -> list[str]:
    """Sentences of an outline: "Pet:" over bullets becomes "Pet (a; b; c)"."""
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        below = _children(lines, at)
        head = line.text.rstrip(":").strip()
        opens = line.text.endswith(":") or (below and below[0].indent > line.indent)
        if not (below and opens) or _SECTION.match(head):
            out.append("" if below and _SECTION.match(head) else line.text)
            at += 1
            continue
        lowest = min(child.indent for child in below)
        flat = all(child.indent == lowest for child in below)
        if flat and all(_is_short(child.text) for child in below):
            items = ", ".join(child.text.rstrip(".,;") for child in below)
            has_verb = re.search(r"\b(has|have|includes?|contains?|can|should|must|is|are)$", head)
            sentence = f"{head} {items}" if has_verb else f"{head}: {items}"
            out.append(sentence)
            at += 1 + len(below)
        else:
            out.append(line.text)
            at += 1
    return [sentence for sentence in out if sentence]


def _split(text: str) -> list[str]:
    """Sentences, not cut inside parentheses."""
    pieces: list[str] = []
    depth, start = 0, 0
    for at, char in enumerate(text):
        if char in "([":
            depth += 1
        elif char in ")]":
            depth = max(0, depth - 1)
        elif char in ".!?;" and (depth == 0 or char != ";"):
            rest = text[at + 1 :]
            abbreviation = re.search(r"\b(?:e\.g|e|approx|vs|incl|dr|mr|mrs|st)$", text[start:at])
            if (not rest or rest[0].isspace()) and not (char == "." and abbreviation):
                pieces.append(text[start:at])
                start, depth = at + 1, 0
    pieces.append(text[start:])
    return [re.sub(r"\s+", " ", piece).strip(" \t-") for piece in pieces if piece.strip(" \t-")]


def sentences(text: str) -> list[str]:
    """The sentences of a description, in order; bullet lists are folded into their heading."""
    return [piece for line in _outline(_lines(clean(text))) for piece in _split(line)]


def tokenize(sentence: str) -> list[Token]:
    tokens = [Token(match, match.lower()) for match in _TOKEN.findall(sentence)]
    return [token for token in tokens if token.word not in ('"', "*", "_", "~", "^")]


def is_english(text: str) -> bool:
    """Whether the words look English; short texts get the benefit of the doubt."""
    letters = [c for c in text if c.isalpha()]
    if not letters:
        return True
    if sum(c.isascii() for c in letters) < 0.7 * len(letters):
        return False
    words = re.findall(r"[^\W\d_]+", text.lower())
    foreign = sum(word in _FOREIGN for word in words)
    english = sum(word in _ENGLISH for word in words)
    return foreign < 2 or foreign <= english


_ENGLISH = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "of",
        "to",
        "with",
        "for",
        "each",
        "every",
        "has",
        "have",
        "is",
        "are",
        "be",
        "can",
        "by",
        "that",
        "which",
        "in",
        "on",
        "from",
        "their",
        "its",
        "as",
        "not",
        "i",
        "we",
        "track",
        "manage",
        "app",
        "api",
        "system",
    ]
)
_FOREIGN = frozenset(
    [
        "el",
        "la",
        "los",
        "las",
        "del",
        "una",
        "uno",
        "un",
        "y",
        "para",
        "que",
        "con",
        "por",
        "como",
        "cada",
        "und",
        "der",
        "das",
        "ein",
        "eine",
        "mit",
        "für",
        "ist",
        "sind",
        "von",
        "zu",
        "den",
        "dem",
        "nicht",
        "jeder",
        "jede",
        "haben",
        "hat",
        "le",
        "les",
        "des",
        "une",
        "et",
        "pour",
        "avec",
        "chaque",
        "qui",
        "sont",
        "dans",
        "il",
        "che",
        "di",
        "gli",
        "della",
        "ogni",
        "het",
        "een",
        "van",
        "voor",
        "met",
        "en",
        "elke",
        "och",
        "att",
        "som",
        "för",
        "med",
        "ett",
        "os",
        "um",
        "uma",
        "do",
        "da",
        "dos",
        "das",
        "cada",
        "é",
        "och",
        "ja",
        "oder",
        "auf",
        "im",
        "av",
        "på",
        "til",
        "og",
        "er",
        "der",
        "det",
        "ve",
        "bir",
        "için",
        "tiene",
        "tienen",
        "possuem",
        "tem",
        "hanno",
        "ont",
        "eine",
        "einen",
        "i",
        "ich",
        "wir",
        "kunden",
    ]
) - {"i", "do", "er", "med", "met", "den", "as", "a"}
