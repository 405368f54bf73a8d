"""Things, what they have, and what they refer to, as phrases name them."""

import re

from agenticai_worker.llm.template.understand import gaps, types, words
from agenticai_worker.llm.template.understand.attributes import parse_attribute, with_field
from agenticai_worker.llm.template.understand.belonging import is_bare_start, states_belonging
from agenticai_worker.llm.template.understand.clauses import Clause, clauses
from agenticai_worker.llm.template.understand.composites import (
    add_composite,
    is_described_person,
    read_described,
)
from agenticai_worker.llm.template.understand.facts import Facts, Link
from agenticai_worker.llm.template.understand.lists import split_list
from agenticai_worker.llm.template.understand.nouns import (
    Noun,
    is_event,
    is_generic,
    is_person,
    is_thing,
    parse_noun,
)
from agenticai_worker.llm.template.understand.phrases import (
    WITH,
    attribute_like,
    is_bare_attribute,
    mentions_software,
    split_prepositions,
    subject_keys,
)
from agenticai_worker.llm.template.understand.tagging import tag
from agenticai_worker.llm.template.understand.text import tokenize


def add_item(owner: str, item: str, facts: Facts, *, optional: bool = False) -> None:
    """One item of what a thing has: an attribute, or things in the plural with parts of their own."""
    holds = WITH.match(item)
    if holds and _read_lines(owner, holds[1], holds[2], facts):
        return
    if (
        holds
        and (part := parse_noun(holds[1])).plural
        and is_thing(part.key)
        and part.key != owner
        and not attribute_like(holds[1])
    ):
        read_with(holds[1], holds[2], facts)
        facts.links.append(Link(owner, facts.find(part.key) or part.key, "many"))
        return
    if holds and read_described(owner, holds[1], holds[2], facts):
        return
    if is_described_person(item):
        person = add_entity_phrase(item, facts)
        facts.links.append(Link(owner, facts.find(person.key) or person.key, "one"))
        return
    attribute = parse_attribute(item)
    if attribute is None:
        return
    if attribute.composite:
        add_composite(owner, attribute, facts)
        return
    if optional and not attribute.many:
        attribute = with_field(attribute, required=False)
    facts.add_attribute(owner, attribute)


def _read_lines(owner: str, head: str, tail: str, facts: Facts) -> bool:
    """ "orders contain products with quantities": lines of an order, each with one product."""
    part = parse_noun(head)
    other = facts.find(part.key)
    counted = {words.singular(parse_noun(item).head) for item in split_list(tail)}
    if (
        not part.plural
        or not other
        or other == owner
        or not counted <= {"quantity", "amount", "price", "count"}
    ):
        return False
    line = f"{owner}_line"
    for item in split_list(tail):
        *before, last = item.split()
        add_item(line, " ".join([*before, words.singular(last)]), facts)
    facts.links += [Link(line, owner, "one"), Link(line, other, "one")]
    return True


def read_belong(clause: Clause, facts: Facts) -> bool:
    """ "a hive belongs to an apiary", "is owned by a member", "takes place at a venue"."""
    if is_bare_start(clause):
        for key in subject_keys(clause.subject_text, facts):
            facts.add_thing(key, 2)
            facts.context = key
        return True
    if not states_belonging(clause):
        return False
    sources = subject_keys(clause.subject_text, facts)
    whole = re.match(r"^.+?\s+of\s+(the\s+[\w -]+)$", clause.subject_text, re.I)
    if whole and sources and (owner := subject_keys(whole[1], facts)):
        facts.links.append(Link(sources[0], owner[0], "one"))  # "performances of a production"
    if not sources or (is_generic(sources[0]) and not facts.find(sources[0])):
        return False
    role = words.participle(clause.participle) if clause.participle else ""
    if clause.participle in _ASSIGNED and _read_assignment(sources, clause, facts):
        return True
    rest = clause.rest_text.strip()
    done = False
    for source in sources:
        done |= _link_all(source, rest, role, clause, facts)
    if done:
        facts.context = sources[-1]
    return done


_ASSIGNED = frozenset(["assign", "allocate", "appoint", "designate"])


def _read_assignment(sources: list[str], clause: Clause, facts: Facts) -> bool:
    """ "nurses are assigned to sessions": a session has a nurse; with several nurses, a link."""
    match = re.match(r"^(?:to|for)\s+(.+)$", clause.rest_text.strip())
    items = split_list(match[1]) if match else []
    person = parse_noun(clause.subject_text)
    target = parse_noun(re.split(r"\s+(?:with|by|for|on|at)\s+", items[0])[0]) if items else None
    if target is None or not is_thing(target.key) or is_person(target.key):
        return False
    if not (person.many or (is_person(sources[0]) and person.plural and target.plural)):
        return False
    owner = add_entity_phrase(items[0], facts).key
    owner = facts.find(owner) or owner
    for source in sources:
        facts.add_thing(source, 2)
        kind = "both" if person.many or target.many else "one"
        facts.links.append(Link(owner, source, kind, optional=True))
    facts.context = owner
    return True


def _link_all(source: str, rest: str, role: str, clause: Clause, facts: Facts) -> bool:
    """Links and attributes in "for a pet with a vet at a given time, status and notes"."""
    rest = re.sub(r"^(?:place|part)\s+", "", rest)
    optional = clause.modal in ("can", "may", "might", "could")
    last, located = source, False
    done = False
    for preposition, phrase in split_prepositions(rest):
        items = split_list(phrase)
        if (
            preposition == "with"
            and items
            and attribute_like(items[0])
            and not facts.find(parse_noun(items[0]).key)
        ):
            for item in items:
                add_item(last if located else source, item, facts)
            done = True
            continue
        for at, item in enumerate(items):
            if at and attribute_like(item) and not facts.find(parse_noun(item).key):
                add_item(source, item, facts)
                continue
            given = role if preposition in ("by", "to") else ""
            target = _link_or_item(source, preposition, item, given, facts, optional=optional)
            done |= bool(target)
            if target and target != source:
                last = target
                located = preposition in (
                    "in",
                    "at",
                    "on",
                    "inside",
                    "within",
                ) and not re.match(r"(?:each|every)\b", item)
                located |= preposition == "to" and clause.verb == "belong"
    return done


def _link_or_item(
    source: str, preposition: str, phrase: str, role: str, facts: Facts, *, optional: bool
) -> str:
    """Link to the thing that a phrase names, or take it as an attribute; the target's key, or ""."""
    noun = parse_noun(phrase)
    known = facts.find(noun.key)
    if preposition == "by" and role and "'s" in phrase and not known:
        add_item(source, f"{role} by", facts, optional=optional)
        return source
    if not known and (
        not is_thing(noun.key) or types.is_attribute_head(noun.head) or attribute_like(phrase)
    ):
        if preposition in ("of", "for", "about") and not types.is_attribute_head(noun.head):
            return ""
        attribute = parse_attribute(phrase)
        if attribute is None or not (
            types.is_attribute_head(attribute.key.split("_")[-1])
            or attribute.field.type != "string"
        ):
            return ""
        facts.add_attribute(source, attribute)
        return source
    add_entity_phrase(phrase, facts)
    target = facts.find(noun.key) or noun.key
    if target != source or noun.many:
        facts.add_thing(source, 2)
        kind = "many" if noun.many else "one"
        facts.links.append(
            Link(
                source,
                target,
                kind,
                role=f"{role}_by" if role and preposition == "by" else role,
                optional=optional or phrase.startswith("optional "),
            )
        )
    return target


def add_entity_phrase(phrase: str, facts: Facts, strength: int = 2) -> Noun:
    """Note a thing, and its attributes when they follow in parentheses."""
    noun = parse_noun(phrase)
    if not is_thing(noun.key):
        return noun
    key = facts.find(noun.key) if noun.key not in facts.strength else noun.key
    if (
        key
        and noun.key.endswith("_" + key)
        and (other := facts.find(noun.key.removesuffix("_" + key)))
    ):
        facts.links.append(Link(key, other, "one"))  # a kiln firing is a firing of a kiln
    elif not key or not (key == noun.key or key.endswith("_" + noun.key)):
        key = noun.key
    facts.add_thing(key, strength)
    if noun.inner and not noun.inner.lower().startswith(("e.g", "optional", "that is")):
        one_field = re.match(r"^[\w ]+:\s[^:]+$", noun.inner)
        for item in [noun.inner] if one_field else split_list(noun.inner):
            add_item(key, item, facts)
    return noun


_COMPLEMENTED = re.compile(
    r"^([\w -]+?)\s+((?:of|in|at|on|for|by|from)\s+(?:an?|one|each|every)\s+[\w ()-]+)$",
    re.IGNORECASE,
)


def read_complemented(text: str, facts: Facts) -> str:
    """ "repairs of a device", "screenings of a show in a dome": the key of what refers to the rest."""
    match = _COMPLEMENTED.match(text.strip())
    head = parse_noun(match[1]) if match else None
    single = head is not None and head.determiner in ("a", "an", "each", "every")
    if match is None or head is None or not (head.plural or single or is_event(head.key)):
        return ""
    if not is_thing(head.key) or is_bare_attribute(match[1], head) or mentions_software(match[1]):
        return ""
    if not facts.order and match[2].startswith("for "):
        return ""  # "tickets for a help desk": what the whole is about
    key = add_entity_phrase(match[1], facts).key
    key = facts.find(key) or key
    _link_all(key, match[2], "", Clause(), facts)
    return key


def _read_reduced(item: str, facts: Facts) -> bool:
    """ "accessions (…), stored in vaults": a clause about the thing named last."""
    match = re.match(r"^(\w+)\s+(?:in|on|at|by|to|from|into|for)\s", item)
    if not match or not facts.order or not words.base_of_participle(match[1].lower()):
        return False
    subject = words.plural_snake(facts.context or facts.order[-1]).replace("_", " ")
    said = f"{subject} are {item}"
    return any(read_belong(clause, facts) for clause in clauses(tag(tokenize(said))))


def read_entity_list(text: str, facts: Facts, strength: int = 2) -> bool:
    """ "warehouses, stock movements and suppliers with name and email"."""
    match = WITH.match(text)
    if match and is_thing(parse_noun(match[1]).key):
        return read_with(match[1], match[2], facts)
    done = False
    for item in split_list(text):
        if _read_reduced(item, facts) or (
            "(" not in item and not WITH.match(item) and read_complemented(item, facts)
        ):
            done = True
            continue
        inner = WITH.match(item)
        if inner and is_thing(parse_noun(inner[1]).key):
            done |= read_with(inner[1], inner[2], facts)
            continue
        noun = parse_noun(item)
        if gaps.read_feature(item, facts) or ("(" not in item and gaps.read_gap(item, facts)):
            done = True
        elif is_thing(noun.key) and not is_bare_attribute(item, noun):
            add_entity_phrase(item, facts, strength)
            done = True
    return done


def read_with(head: str, tail: str, facts: Facts) -> bool:
    """ "suppliers with name and email": attributes; "projects with tasks": things that it has."""
    tail = re.sub(
        r"^(?:their|its|the|fields|attributes|properties|the following)\s*:?\s+",
        "",
        tail,
        flags=re.I,
    )
    items = split_list(tail)
    if is_generic(parse_noun(head).key):
        return read_entity_list(tail, facts)
    owner = read_complemented(head, facts)
    if not owner:
        noun = add_entity_phrase(head, facts)
        owner = facts.find(noun.key) or noun.key
    attributes = [attribute_like(item) for item in items]
    for item, is_attribute in zip(items, attributes, strict=True):
        other = parse_noun(item)
        if is_attribute or not other.plural or any(attributes):
            add_item(owner, item, facts)
        else:
            add_entity_phrase(item, facts)
            facts.links.append(Link(owner, facts.find(other.key) or other.key, "many"))
    facts.context = owner
    return True
