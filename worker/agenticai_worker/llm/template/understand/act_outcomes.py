"""What an act leaves: a link, an attribute of a record, or a record of its own."""

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.extras import add_extras
from agenticai_worker.llm.template.understand.facts import Act, Facts, Link
from agenticai_worker.llm.template.understand.nouns import is_event, is_person

# Verbs that tell how things lie together rather than what somebody does.
_RELATING = lex.word_set(
    "use store occupy follow like produce supply move play cover fail serve hold comment describe"
)
_PARTICIPATING = lex.word_set("attend join enroll enrol participate subscribe apply volunteer")
# Verbs that leave a record of their own whoever acts.
_DEALING = lex.word_set("book rent borrow hire reserve buy order lend donate")
_LEADING = lex.word_set("own supervise lead teach run organise organize")
_SLOTS = lex.word_set(
    "session class lesson course event tour workshop trip concert show game match race dive meeting"
)


def note_act(
    act: Act, facts: Facts, *, plural: bool, many: bool = False, optional: bool = False
) -> None:
    """Note what the act leaves; ``plural``, ``many`` and ``optional`` are said of its target."""
    if act.actor:
        facts.add_thing(act.actor, 2)
    facts.add_thing(act.target, 2)
    if act.actor and _only_relates(act, facts, plural=plural):
        kind = "both" if many or (plural and not is_event(act.actor)) else "one"
        facts.links.append(Link(act.actor, act.target, kind, optional=optional))
        add_extras(act.actor, act.extras, facts)
    elif act.actor and _names_actor(act, facts, plural=plural):
        role = words.participle(act.verb) + "_by" if act.verb not in ("make", "place", "do") else ""
        facts.links.append(Link(act.target, act.actor, "one", role=role))
        add_extras(act.target, act.extras, facts)
    elif not act.actor and (_is_recorded(act) or act.verb in lex.LIGHT_VERBS):
        add_extras(act.target, act.extras, facts)
    else:
        facts.acts.append(act)
        facts.context = words.nominal(act.verb)


def _only_relates(act: Act, facts: Facts, *, plural: bool) -> bool:
    """ "depots store parts": no act of a person, and no record of it."""
    dealt = act.verb in lex.NOMINALS and act.verb not in _RELATING and plural
    return (
        not is_person(act.actor)
        and not dealt
        and words.nominal(act.verb) not in facts.strength
        and act.verb not in _PARTICIPATING | _DEALING
    )


def _names_actor(act: Act, facts: Facts, *, plural: bool) -> bool:
    """ "vets write reports", "trainers lead courses": the target itself says who did it."""
    head = act.target.rpartition("_")[2]
    made = (
        act.verb in lex.LIGHT_VERBS
        and (is_event(act.target) or plural)
        and act.verb not in ("attend", "request", "take", "give")
    )
    asked = act.verb == "request" and bool(
        facts.attributes.get(act.target) or facts.states.get(act.target)
    )
    led = act.verb in _LEADING or (act.verb == "give" and head in _SLOTS)
    return _is_recorded(act) or made or asked or led


def _is_recorded(act: Act) -> bool:
    """Whether the target is a record already: "customers cancel bookings"."""
    head = act.target.rpartition("_")[2]
    return is_event(act.target) and head not in _SLOTS and act.verb not in _PARTICIPATING
