"""Sentences said in the plainer words that the reading knows, before it looks at them."""

import re

_RECORD = r"(?:records?|notes?|logs?|stores?|keeps?|knows?|saves?|tracks?|captures?|registers?|write down|writes down)"
_PERIODS = {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year", "annual": "year", "annually": "year"}  # fmt: skip
_DONE = r"(?:has|have|had|does|do|did|is|are|was|were|got|made|took|gave|received|attended|held)"

_REWRITES: tuple[tuple[str, str], ...] = (
    # "how many sessions each nurse had per month", "how many tickets did we sell per show"
    (
        rf"\bhow many\s+([\w -]+?)\s+(?:does |do |did )?(each|every)\s+([\w -]+?)\s+{_DONE}(?:\s+(?:been\s+)?\w+(?:ed|en|ne|ld))?(?=\s+(?:per|a|by|each|every|in a|this|last|within|on|over)\b|\s*[?.]?$)",
        r"how many \1 per \3",
    ),
    (
        r"\bhow many\s+([\w -]+?)\s+(?:did|do|does|have|has|had|were|was|are|is|can)\s+(?:(?:we|i|they|you|there)\s+)?(?:been\s+)?(?:\w+\s+)?(?=(?:per|by|each|every|for each|for every|in each|in every|on each|at each)\b)",
        r"how many \1 ",
    ),
    (
        r"\bhow many\s+([\w -]+?)\s+(?:are|is|were|was)\s+(?:\w+ed\s+)?(?:in|on|at|for|with)\s+(each|every)\s+",
        r"how many \1 per ",
    ),
    (r"\b(a|the)? ?count of\s+([\w -]+?)\s+per\b", r"how many \2 per"),
    # "visits per nurse per month" is one figure in two groups
    (r"\b(per [\w-]+(?: [\w-]+)?) (?:per|a|each|every|and per|by) (day|week|month|year)\b", r"\1, per \2"),
    # one of them in a period
    (r"\b(only one|at most one|one|once|maximum one) ([\w-]+ )?(?:a|each|every) (day|date|week|month|year)\b", r"\1 \2per \3"),
    # "gets checked out" is "is checked out"
    (r"\b(gets|get|got) (?=\w+(?:ed|en|ne|ld|-out|-in|nt)\b)", "are "),
    # "members must be searchable by name"
    (r"^(?:the |all )?([\w -]+?) (?:must|should|can|need to|have to|has to|are to) be (search|filter|sort)(?:able|ed) by\b", r"\2 \1 by"),
    (r"\b([\w-]+) or not\b(?=\s*(?:[,;.)]|$|and\b))", r"\1 (yes/no)"),
    # "when there is an incident we log …", "when a pet arrives we note …"
    (
        rf"^(?:when|whenever|every time|each time|once|if)\s+(?:there is|there are|we have|we get|there comes)\s+(?:an?|new|some)\s+([\w -]+?),?\s+(?:then\s+)?we\s+(?:\w+\s+)?(?={_RECORD}\b)",
        r"for each \1 we ",
    ),
    (
        rf"^(?:when|whenever|every time|each time|once)\s+(?:an?|the)\s+([\w-]+(?: [\w-]+)?)\s+\w+s(?:\s(?:in|up|out|off|place))?,?\s+we\s+(?:\w+\s+)?(?={_RECORD}\b)",
        r"for each \1 we ",
    ),
    (rf"^(?:for|with|on|at|after|during) (each|every) ([\w -]+?),? (?:the|our) [\w-]+(?: [\w-]+)? (?={_RECORD} (?:the|a|an|its|down)\b)", r"for \1 \2 we "),
    # wishes politely said
    (r"\s+(?:would|will|might) be (?:very |really |also )?(?:nice|lovely|great|good|useful|helpful|fine|perfect|appreciated|handy|interesting|cool)\s*$", ""),
    (r"^it (?:would|will) be (?:very |really |also )?(?:nice|lovely|great|good|useful|helpful|fine|perfect|handy|cool) (?:to|if (?:we|i|one|you) could)\s+", ""),
    # what the software does for nobody in particular
    (r"\b(?:be|is|are) (shown|listed|displayed|visible)\s*$", "be shown"),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), text) for pattern, text in _REWRITES)

_ASKED = re.compile(
    rf"\b(?:{_RECORD}|with|has|have)\b.*\b(?:when|who|what|which|how (?:much|long))\b", re.I
)
_ANSWERS = tuple(
    (re.compile(pattern, re.IGNORECASE), text)
    for pattern, text in (
        (
            r"\bwhen (?:it|they|he|she) (?:was |were |has been |have been |is |are )?(\w+)\b",
            r"\1 at",
        ),
        (
            r"\bwhich ([\w-]+(?: [\w-]+)?) (?:was|were|is|are|has been|have been) (\w+(?:ed|en|nt|ne|ld|id|ft))\b",
            r"\2 \1 (text)",
        ),
        (r"\bwhat (?:was|has been|is) done\b", "work done (text)"),
        (r"\bwhat (?:was|were|has been|is|are) (\w+(?:ed|en|nt|ne|ld))\b", r"\1 items (text)"),
        (r"\bhow long (?:it|they|he|she) (?:took|takes|lasted|lasts)\b", "duration in minutes"),
    )
)


def simplify(sentence: str) -> str:
    """The sentence with the same meaning in words that are easier to read; may be unchanged."""
    text = _spread_period(sentence)
    for pattern, replacement in _COMPILED:
        text = pattern.sub(replacement, text)
    return _name_answers(text) if _ASKED.search(text) else text


def _spread_period(text: str) -> str:
    """ "monthly revenue per ship" -> "revenue per ship per month"."""
    match = re.search(
        r"\b(daily|weekly|monthly|yearly|annual)\s+([\w -]+?\s+(?:per|by)\s+[\w-]+(?: [\w-]+)?)(?=\s*(?:[,.?!]|$|would|please|and\b))",
        text,
        re.IGNORECASE,
    )
    if not match:
        return text
    period = _PERIODS[match[1].lower()]
    return f"{text[: match.start()]}{match[2]}, per {period}{text[match.end() :]}"


def _name_answers(text: str) -> str:
    """ "records when it began and which parts were replaced": the answers as attributes."""
    for pattern, replacement in _ANSWERS:
        text = pattern.sub(replacement, text)
    return text
