"""A description becomes a plan: read it, decide, and say what was decided and what was left out."""

from agenticai_core.models import ProjectType
from agenticai_core.plans import Plan, Report
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.constraints import add_rules
from agenticai_worker.llm.template.understand.defaults import complete, settle_types
from agenticai_worker.llm.template.understand.drafts import Board, Draft, spoken
from agenticai_worker.llm.template.understand.facts import Facts
from agenticai_worker.llm.template.understand.nouns import is_event, is_person
from agenticai_worker.llm.template.understand.reading import read
from agenticai_worker.llm.template.understand.reports import add_reports
from agenticai_worker.llm.template.understand.resolve import resolve
from agenticai_worker.llm.template.understand.states import add_states
from agenticai_worker.llm.template.understand.stock import add_stock_level
from agenticai_worker.llm.template.understand.text import is_english

STACK = ("Python 3.11", "FastAPI", "SQLAlchemy", "SQLite", "pytest")
_MAX_NOTES = 30


def make_plan(name: str, type_: ProjectType, description: str, feedback: str = "") -> Plan:
    """The plan for a described project; the same words give the same plan.

    ``feedback`` is what the user said about an earlier plan and is read as more description.
    Never raises on any text: what is not understood lands in ``not_covered``.
    """
    text = f"{description}\n\n{feedback}" if feedback.strip() else description
    english = is_english(text)
    facts = read(text) if english else Facts()
    board = Board()
    reports = build(facts, board, [])
    if not board.drafts:
        _fall_back(board)
    if not english:
        board.not_covered.insert(
            0,
            "The description does not seem to be in English, the only language that the built-in engine reads.",
        )
    for written, meant in facts.misspelt.items():
        board.assume(f"“{written}” is read as “{meant}”.")
    board.not_covered += [
        *facts.not_covered,
        *(f"Not understood: “{text}”" for text in facts.not_understood),
    ]
    if type_ is not ProjectType.API:
        board.assume(
            f"The built-in engine writes HTTP APIs; this {type_.value} project gets its backend API."
        )
    return Plan(
        name=name,
        type=type_,
        summary=summarize(name, board, reports, facts.features),
        stack=STACK,
        entities=tuple(draft.to_entity() for draft in board.drafts.values()),
        links=tuple(board.links),
        reports=tuple(reports),
        features=tuple(facts.features),
        assumptions=tuple(board.assumptions[:_MAX_NOTES]),
        not_covered=tuple(dict.fromkeys(board.not_covered))[:_MAX_NOTES],
    )


def build(facts: Facts, board: Board, reports: list[Report]) -> list[Report]:
    """Apply facts to the board in the order in which the decisions depend on each other."""
    before = set(board.drafts)
    resolve(facts, board)
    for key, draft in board.drafts.items():
        draft.event = draft.event or (is_event(key) and not is_person(key))
    add_states(facts, board)
    settle_types(board)
    add_reports(facts, board, reports)
    complete(board, [key for key in board.drafts if key not in before])
    add_rules(facts, board)
    if not board.changing:
        add_stock_level(board, reports)
    return reports


def _fall_back(board: Board) -> None:
    """Something small and honest when nothing in the text could be made a thing."""
    draft = board.add("item")
    if draft:
        complete(board, ["item"])
    board.assume(
        "No things could be found in the description, so the project keeps plain items as a start."
    )


def summarize(name: str, board: Board, reports: list[Report], features: list[str]) -> str:
    """One paragraph that says what is going to be built."""
    plurals = [spoken(d.plural) for d in board.drafts.values()]
    parts = [f"{_about(name)}{words.join_words(plurals)}."]
    relations = [text for draft in board.drafts.values() if (text := _relations(draft, board))]
    if relations:
        parts.append(" ".join(relations[:6]))
    verbs = [
        f"{spoken(t.verb)} {spoken(d.plural)}" for d in board.drafts.values() for t in d.transitions
    ]
    if verbs:
        parts.append(f"One can {words.join_words(verbs[:8])}.")
    rules = [rule.description for draft in board.drafts.values() for rule in draft.rules]
    if rules:
        parts.append(f"Rules: {'; '.join(rules[:6])}.")
    if reports:
        parts.append(f"Reports: {words.join_words([spoken(r.name) for r in reports])}.")
    if features:
        parts.append(f"With {words.join_words([spoken(f) for f in features])}.")
    return " ".join(parts)


def is_summary(name: str, text: str) -> bool:
    """Whether `summarize` wrote it."""
    return text.startswith(_about(name))


def _about(name: str) -> str:
    return f"{name}: an HTTP API for "


def _relations(draft: Draft, board: Board) -> str:
    targets = [spoken(f.name) for f in draft.of_type("reference")]
    linked = [
        spoken(other.plural)
        for link in board.links
        if link.left == draft.name and (other := board.named(link.right))
    ]
    noun = spoken(draft.key).capitalize()
    if targets and linked:
        return f"{noun} refers to {words.join_words(targets)} and has {words.join_words(linked)}."
    if targets:
        return f"{noun} refers to {words.join_words(targets)}."
    return f"{noun} has {words.join_words(linked)}." if linked else ""
