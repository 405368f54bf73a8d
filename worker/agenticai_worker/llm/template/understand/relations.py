"""Links between entities: what refers to what, and what goes both ways."""

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.drafts import Board, Draft, spoken
from agenticai_worker.llm.template.understand.facts import Facts, Link
from agenticai_worker.llm.template.understand.nouns import is_person

_TAGLIKE = lex.word_set("tag label keyword topic genre category skill")


# ---- links ----------------------------------------------------------------------------------------


def many_pairs(facts: Facts) -> list[Link]:
    """Links with those of both directions, or of tag-like things, turned into "both"."""
    wanted: list[Link] = []
    many = {(link.source, link.target) for link in facts.links if link.kind == "many"}
    for link in facts.links:
        both = link.kind == "many" and (
            (link.target, link.source) in many
            or link.target.rpartition("_")[2] in _TAGLIKE
            or (link.optional and is_person(link.target) and not is_person(link.source))
        )
        wanted.append(
            Link(link.source, link.target, "both", link.role)
            if both or link.kind == "both"
            else link
        )
    return wanted


def place_link(link: Link, board: Board) -> None:
    source, target = board.find(link.source), board.find(link.target)
    if not source or not target:
        return
    if link.kind == "both" and source is not target:
        for one, other in ((source, target), (target, source)):
            _drop_reference(one, other)
        if board.link(source, target):
            board.steps.append(
                f"Link {spoken(source.plural)} and {spoken(target.plural)}, many to many"
            )
    elif link.kind == "many":
        if source is target:
            board.refer(source, target)
        elif not target.references(source.name) and not source.references(target.name):
            board.refer(target, source, required=not link.optional)
    else:
        _place_one(link, source, target, board)


def _place_one(link: Link, source: Draft, target: Draft, board: Board) -> None:
    there = source.references(target.name)
    name = link.role if link.role and there and not link.role.endswith("s_by") else ""
    if there and not (
        name
        and name not in there
        and link.role.endswith("_by")
        and len(there) < 3
        and link.role not in ("made_by",)
    ):
        return
    board.refer(source, target, name=name, required=not link.optional, unique=link.unique)


def _drop_reference(one: Draft, other: Draft) -> None:
    for name in one.references(other.name):
        if name == other.key:
            del one.fields[name]
