"""What an act leaves: a link, an attribute of a record, or a record of its own."""

from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.clauses import Clause
from agenticai_worker.llm.template.understand.extras import add_extras
from agenticai_worker.llm.template.understand.facts import Act, Facts, Link
from agenticai_worker.llm.template.understand.nouns import is_event, is_person

# Verbs that tell how things lie together rather than what somebody does.
_RELATING = lex.word_set(
    "use store occupy follow like produce supply move play cover fail serve hold comment describe"
)


_PARTICIPATING = lex.word_set("attend join enroll enrol participate subscribe apply volunteer")


_SLOTS = lex.word_set(
    "session class lesson course event tour workshop trip concert show game match race dive meeting"
)


def note_act(  # noqa: PLR0917
    actor: str, verb: str, target: str, extras: tuple[tuple[str, str], ...], clause: Clause,
    facts: Facts, *, plural: bool, many: bool = False,
) -> None:  # fmt: skip
    if actor:
        facts.add_thing(actor, 2)
    facts.add_thing(target, 2)
    if (
        actor
        and not is_person(actor)
        and not (verb in lex.NOMINALS and verb not in _RELATING and plural)
        and words.nominal(verb) not in facts.strength
        and verb not in _PARTICIPATING
        and verb
        not in ("book", "rent", "borrow", "hire", "reserve", "buy", "order", "lend", "donate")
    ):
        facts.links.append(
            Link(
                actor,
                target,
                "both" if many or (plural and not is_event(actor)) else "one",
                optional=bool(clause.modal),
            )
        )
        add_extras(actor, extras, facts)
        return
    head = target.rpartition("_")[2]
    record = is_event(target) and head not in _SLOTS and verb not in _PARTICIPATING
    mine = (
        verb in lex.LIGHT_VERBS
        and (is_event(target) or plural)
        and verb not in ("attend", "request", "take", "give")
    )
    asked = verb == "request" and (facts.attributes.get(target) or facts.states.get(target))
    own = asked or verb in ("own", "supervise", "lead", "teach", "run", "organise", "organize")
    if actor and (record or mine or own or (verb in ("teach", "lead", "give") and head in _SLOTS)):
        role = words.participle(verb) + "_by" if verb not in ("make", "place", "do") else ""
        facts.links.append(Link(target, actor, "one", role=role))
        add_extras(target, extras, facts)
        return
    if not actor and (record or mine or verb in lex.LIGHT_VERBS):
        add_extras(target, extras, facts)
        return
    facts.acts.append(
        Act(
            actor,
            verb,
            target,
            extras,
            actor_word="" if clause.participle else clause.subject_text.lower(),
        )
    )
    facts.context = words.nominal(verb)
