"""From facts to drafts: which nouns are entities, and what they have."""

from agenticai_core.plans import EntityField
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import types
from agenticai_worker.llm.template.understand.attributes import Attribute
from agenticai_worker.llm.template.understand.drafts import Board, Draft, spoken
from agenticai_worker.llm.template.understand.facts import Facts, Link
from agenticai_worker.llm.template.understand.nouns import is_event, is_person, is_thing
from agenticai_worker.llm.template.understand.records import anchor_events, finish_act, place_acts
from agenticai_worker.llm.template.understand.relations import many_pairs, place_link


def resolve(facts: Facts, board: Board) -> None:
    """Fill the board; things that are already there are added to."""
    fresh = _choose(facts, board)
    for key in fresh:
        board.add(key)
    for owner, attributes in facts.attributes.items():
        draft = board.find(owner)
        if draft:
            for attribute in attributes:
                _place(draft, attribute, facts, board)
    acts = place_acts(facts, board)
    for link in many_pairs(facts):
        place_link(link, board)
    for act in acts:
        finish_act(act, board)
    for key, draft in board.drafts.items():
        draft.event = draft.event or (is_event(key) and not is_person(key))
    anchor_events(fresh, board)


def _choose(facts: Facts, board: Board) -> list[str]:
    """The keys that become new entities, in order of mention."""
    mentioned = {part for link in facts.links for part in (link.source, link.target)}
    chosen: list[str] = []
    for key in facts.order:
        strong = facts.strength[key] >= 2 or key in mentioned
        if strong and key not in board.drafts and _may_be_entity(key, facts):
            chosen.append(key)
    chosen = _fold_kinds(chosen, facts)
    chosen = [key for key in chosen if not _is_longer_name(key, chosen, facts)]
    if not chosen and not board.drafts:
        chosen = [k for k in facts.order if is_thing(k) and not is_person(k)][:4]
        chosen = chosen or [k for k in facts.order if is_thing(k)][:4]
        topic = facts.topic
        if topic and topic not in chosen and (not chosen or is_event(topic)):
            chosen.insert(0, topic)
    return chosen


def _fold_kinds(chosen: list[str], facts: Facts) -> list[str]:
    """ "day passes and season passes; a pass has …": kinds of pass, told by a field."""
    for head in [k for k in chosen if facts.attributes.get(k)]:
        kinds = [k for k in chosen if k.endswith("_" + head)]
        said = {tuple(a.field.name for a in facts.attributes.get(k, ())) for k in kinds}
        if len(kinds) < 2 or len(said) != 1:
            continue
        for shared in facts.attributes.get(kinds[0], ()):
            facts.add_attribute(head, shared)
        choices = [kind.removesuffix("_" + head) for kind in kinds]
        field = EntityField(name="type", type="enum", choices=tuple(choices))
        facts.add_attribute(head, Attribute("type", field, guessed=False))
        chosen = [k for k in chosen if k not in kinds]
    return chosen


def _is_longer_name(key: str, chosen: list[str], facts: Facts) -> bool:
    """ "members borrow seed packets; a packet has …": the longer name means the thing described."""
    if facts.attributes.get(key):
        return False
    heads = [k for k in chosen if key.endswith("_" + k) and facts.attributes.get(k)]
    alike = [k for k in chosen if heads and k.endswith("_" + heads[0])]
    return len(heads) == 1 and alike == [key]


def _may_be_entity(key: str, facts: Facts) -> bool:
    if is_thing(key):
        return True
    return bool(facts.attributes.get(key)) and key not in lex.SOFTWARE and len(key) > 1


# ---- attributes -----------------------------------------------------------------------------------


def _place(draft: Draft, attribute: Attribute, facts: Facts, board: Board) -> None:
    """An attribute becomes a field, a reference, or things of their own."""
    target = _target_of(attribute, draft, board)
    if target and (attribute.plural or attribute.many):
        facts.links.append(
            Link(draft.key, target.key, "many", optional=not attribute.field.required)
        )
    elif target:
        name = attribute.key if attribute.key != target.key else ""
        board.refer(
            draft,
            target,
            name=name,
            required=attribute.field.required,
            unique=attribute.field.unique,
        )
    elif (
        attribute.many
        and attribute.guessed
        and attribute.field.type in ("integer", "string")
        and is_thing(attribute.key)
    ):
        made = board.add(attribute.key)
        if made:
            facts.links.append(
                Link(draft.key, made.key, "many", optional=not attribute.field.required)
            )
    else:
        _put_field(draft, attribute.field, board)


def _target_of(attribute: Attribute, draft: Draft, board: Board) -> Draft | None:
    field = attribute.field
    if (
        not attribute.guessed
        or field.choices
        or attribute.key == draft.key
        or "_of_" in attribute.key
    ):
        return None
    exact = board.drafts.get(attribute.key)
    if exact:
        return exact
    if field.type not in ("string", "integer", "boolean") or types.is_attribute_head(
        attribute.key.split("_")[-1]
    ):
        return None
    shorter = [k for k in board.drafts if attribute.key.endswith("_" + k)]
    if shorter:
        return board.drafts[max(shorter, key=len)]
    longer = [
        d for k, d in board.drafts.items() if k.endswith("_" + attribute.key) and d is not draft
    ]
    return longer[0] if len(longer) == 1 else None


def _put_field(draft: Draft, field: EntityField, board: Board) -> None:
    old = draft.fields.get(field.name)
    if old and (old.type == "reference" or len(str(field)) <= len(str(old))):
        return
    fits = draft.put(field, replace=old is not None)
    if not fits:
        board.leave_out(
            f"{spoken(draft.key)} {spoken(field.name)}: at most 25 fields per kind of thing"
        )
