"""What users want to see: figures, overdue and upcoming things, searches and filters."""

import re

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.facts import Facts, Wish
from agenticai_worker.llm.template.understand.lists import split_list

_BY = r"(?:per|by|for each|for every|of each|of every|each|every|in each|in every|grouped by|broken down by|with each)"
_COUNT = re.compile(
    rf"\b(?:how many|(?:the )?number of|count(?: of)?|counts of)\s+([\w -]+?)\s+{_BY}\s+([\w ,-]+)",
    re.I,
)
_HAVE_COUNT = re.compile(
    r"\bhow many\s+([\w -]+?)\s+(?:each|every|an?)\s+([\w-]+)(?:\s+(?:has|have|had|does|is|was|got|made|did)\b.*)?$",
    re.I,
)
_SUM = re.compile(
    rf"\b(?:total|sum of|overall|the sum of|totals? of)\s+([\w -]+?)\s+{_BY}\s+([\w ,-]+)", re.I
)
_PER = re.compile(
    r"\b([\w-]+(?:\s+[\w-]+){0,3}?)\s+(?:per|grouped by|broken down by|by)\s+([\w -]+)$", re.I
)
_OVERDUE = re.compile(
    r"\b(?:overdue|late|past due|delayed)\s+([\w-]+(?:\s[\w-]+)?)|\b([\w-]+)\s+(?:that |which )?(?:are|is)?\s*(?:overdue|past (?:their|its) due|late)\b",
    re.I,
)
_UPCOMING = re.compile(
    r"\b(?:upcoming|next|coming|future|planned for today|today's)\s+([\w-]+(?:\s[\w-]+)?)|"
    r"\b([\w-]+(?:\s[\w-]+)?)\s+(?:that |which )?(?:are |is )?(?:due|expiring|coming up|expires?|scheduled|starting|ending|starts?|ends?|begins?)\s*(?:soon|today|this|next|within|in the next|for)\b",
    re.I,
)  # fmt: skip
LOW_STOCK = re.compile(
    r"\b(?:low(?:[- ]on)?[- ]stock|running low|below (?:the |their |its |a )?(?:minimum|threshold|reorder)|out of stock|low in stock|"
    r"need(?:s)? (?:to be )?(?:restock|reorder)\w*|stock (?:is )?(?:low|running out)|(?:low|minimum) stock)\b",
    re.I,
)  # fmt: skip
_MOST = re.compile(
    r"\b(?:most|least|top)\s+(?:(?:popular|active|frequent|common|used)\s+|\d+\s+)?([\w-]+(?:\s[\w-]+)?)",
    re.I,
)
_SEARCH = re.compile(
    r"\b(?:search(?:ing|ed|able)?|find|look(?:ing)? up|lookup)\b\s*(?:for\s+|through\s+|in\s+|among\s+)?(.*?)\s+(?:by|on|via|using)\s+(?:their |its |the )?(.+)$",
    re.I,
)
_FILTER = re.compile(
    r"\b(?:filter(?:ing|ed|able)?|list|sort|see|view|get|show|find|browse|retrieve|query|endpoint|look at|fetch)\b\s*(?:for |all |the |a list of )*(.*?)\s+(?:filtered by|by|of a given|for a given|for a particular|of a particular|for a specific|of a specific|of a|for a|for one|of one)\s+(?:their |its |the |a |an )?(.+)$",
    re.I,
)
_STATE = re.compile(
    r"\b(free|available|unused|vacant|open|outstanding|un\w+ed|unpaid|active|inactive|\w{3,}ed|pending|missing|current)\s+([\w-]+(?:\s[\w-]+)?)\s*$|"
    r"\b(?:which|what|all|the)?\s*([\w-]+(?:\s[\w-]+)?)\s+(?:that |which )?(?:are|is|have been|has been)\s+(?:still |currently |now )?(free|available|open|out|\w+ed|active|pending|missing|vacant|paid)\b",
    re.I,
)  # fmt: skip
_STOCK = re.compile(
    r"\b(?:current |actual )?stock(?: levels?| on hand)?\s+(?:of|per|in|by|for|at)\b|\bstock levels?\b|\bon[- ]hand (?:stock|quantit)",
    re.I,
)


def read_wish(clause: Clause, facts: Facts) -> bool:
    """A request to see something, in a clause that asks ("I want to see …", "list overdue loans")."""
    asks = (
        clause.imperative
        or clause.verb in lex.VIEW_VERBS
        or not clause.verb
        or "report" in clause.rest_text
    )
    text = re.sub(
        r"\([^()]*\)",
        " ",
        f"{clause.verb if clause.verb in lex.VIEW_VERBS else ''} {clause.rest_text}",
    ).strip()
    text = re.sub(r"^(?:want|need|like)\s+", "", text)
    text = re.sub(
        r"\ball the\b|\ba list of\b|\breports?\s+(?:of|on|about|for|showing|with)\b", " ", text
    )
    if not asks:
        text = f"{clause.subject_text} {text}"
        return _read_signals(text, facts)
    done = False
    text = re.sub(r"\s+and\s+(?=(?:per|by)\s)", ", ", text)
    pieces = (
        re.split(r",\s*(?:and\s+)?|\s+(?:and|&)\s+", text)
        if not re.search(r"\b(?:search|find|filter)\b.*\bby\b", text, re.I)
        else [text]
    )
    pieces = _join_groups(pieces)
    verb = clause.verb if clause.verb in ("search", "filter", "find", "sort", "list") else ""
    missed: list[str] = []
    for at, piece in enumerate(pieces):
        if read_one_wish(piece if at == 0 or not verb else f"{verb} {piece}", facts):
            done = True
        else:
            missed.append(piece)
    if done:
        facts.wishes += [Wish("other", piece, (), piece) for piece in missed]
    return done


def asks_for_moment(clause: Clause, sentence: str) -> bool:
    """ "show packets that expire soon": a relative clause and its adverb make one wish."""
    viewing = clause.imperative and clause.verb in lex.VIEW_VERBS
    return viewing and bool((match := _UPCOMING.search(sentence)) and match[2])


def read_moment(sentence: str, facts: Facts) -> None:
    match = _UPCOMING.search(sentence)
    if match:
        asked = r"^(?:show|list|see|view|get|find|which|the|all)\s+"
        thing = re.sub(asked, "", match[2].strip(), flags=re.IGNORECASE)
        facts.wishes.append(Wish("upcoming", thing, (), sentence.strip(" .")))


def _join_groups(pieces: list[str]) -> list[str]:
    """ "total per block", "per year" belong together."""
    joined: list[str] = []
    for piece in pieces:
        grouped = joined and re.search(r"\b(?:per|by)\s+[\w -]+$", joined[-1])
        period = re.match(r"^(?:the\s+)?(?:day|week|month|year)$", piece.strip())
        if joined and (re.match(r"^(?:per|by)\s", piece) or (grouped and period)):
            joined[-1] += f", {piece}"
        else:
            joined.append(piece)
    return joined


def read_one_wish(text: str, facts: Facts) -> bool:  # noqa: PLR0911
    """One figure, list or search; False when the text asks for none that is known."""
    if _read_signals(text, facts):
        return True
    for pattern, kind in ((_COUNT, "count"), (_HAVE_COUNT, "count"), (_SUM, "sum")):
        match = pattern.search(text)
        if match:
            facts.wishes.append(Wish(kind, match[1].strip(), _by(match[2]), text.strip()))
            return True
    match = _SEARCH.search(text)
    if match:
        kind = "search" if re.search(r"search|look", text, re.IGNORECASE) else "filter"
        facts.wishes.append(Wish(kind, match[1].strip(), _by(match[2]), text.strip()))
        return True
    match = _FILTER.search(text)
    if match and match[1].strip():
        facts.wishes.append(Wish("filter", match[1].strip(), _by(match[2]), text.strip()))
        return True
    match = re.search(
        r"^\s*(?:see|view|show|get|know|want|list|report)?\s*(?:the )?(.+?)\s+(?:per|grouped by|broken down by|by|for each)\s+([\w -]+)$",
        text,
        re.I,
    )
    if match:
        facts.wishes.append(Wish("sum", match[1].strip(), _by(match[2]), text.strip()))
        return True
    match = _MOST.search(text)
    if match:
        facts.wishes.append(Wish("most", match[1].strip(), (), text.strip()))
        return True
    match = _STATE.search(text)
    if match:
        facts.wishes.append(
            Wish(
                "state",
                (match[2] or match[3]).strip(),
                ((match[1] or match[4]).strip(),),
                text.strip(),
            )
        )
        return True
    if re.match(
        r"^\s*(?:see|view|show|list|know|get|find|check)?\s*(?:which|who|what|when|where|whether|if|how)\b",
        text,
        re.I,
    ):
        facts.wishes.append(Wish("other", text.strip(), (), text.strip()))
        return True
    return False


def _by(text: str) -> tuple[str, ...]:
    text = re.sub(
        r"\b(?:so that|in order|to see|to find|with|within|during|over|this|last|in the)\b.*$",
        "",
        text,
    )
    items = (
        re.sub(r"^(?:and\s+)?(?:per|by|for each|each|every)\s+", "", item)
        for item in split_list(text.replace(" or ", ", "))
    )
    return tuple(item for item in items if item)


def _read_signals(text: str, facts: Facts) -> bool:
    if LOW_STOCK.search(text):
        facts.wishes.append(Wish("low_stock", text.strip(), (), text.strip()))
        return True
    for pattern, kind in ((_OVERDUE, "overdue"), (_UPCOMING, "upcoming")):
        match = pattern.search(text)
        if match:
            facts.wishes.append(Wish(kind, (match[1] or match[2]).strip(), (), text.strip()))
            return True
    if _STOCK.search(text):
        facts.wishes.append(Wish("stock", text.strip(), (), text.strip()))
        return True
    return False
