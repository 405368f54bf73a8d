"""Statements of structure: having, belonging, being listed, and fragments without a verb."""

import re

from agenticai_worker.llm.template.understand import gaps, types, words
from agenticai_worker.llm.template.understand import lexicon as lex
from agenticai_worker.llm.template.understand.clauses import Clause, clauses, text_of
from agenticai_worker.llm.template.understand.facts import Facts, Link
from agenticai_worker.llm.template.understand.fields import (
    Attribute,
    parse_attribute,
    parse_choices,
    split_list,
    with_field,
)
from agenticai_worker.llm.template.understand.nouns import (
    Noun,
    is_event,
    is_generic,
    is_person,
    is_thing,
    parse_noun,
)
from agenticai_worker.llm.template.understand.tagging import tag
from agenticai_worker.llm.template.understand.text import tokenize

_WITH = re.compile(
    r"^([^,(]*?)\s+(?:with|having|including|containing|comprising|identified by|consisting of)\s+(.+)$",
    re.I,
)
_OF_EACH = re.compile(
    r"^(.*?)[,\s]+(?:of|for|about|on|from|per|in)\s+((?:each|every|all|any)\s+(?:the\s+|of the\s+)?[\w -]+?)(?:\s+(?:in|so|and then)\b.*)?$",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(
    r"^\s*(?:part of|per|to|by|in|on|at|for|with|of|from|into|against|under|about|onto|within|inside)\s+",
    re.I,
)
RECORDING = lex.HAVE_VERBS - lex.OWNED_VERBS


def attribute_like(phrase: str) -> bool:
    """Whether an item of a list reads as an attribute rather than a thing."""
    attribute = parse_attribute(phrase)
    if attribute is None:
        return False
    field = attribute.field
    parts = attribute.key.split("_")
    return (
        types.is_attribute_head(parts[-1])
        or field.type in ("enum", "boolean", "email", "url", "phone", "date", "datetime", "text")
        or field.unit is not None
        or not attribute.guessed
        or parts[0] in ("number", "date", "name", "amount", "quantity", "price")
    )


def subject_keys(text: str, facts: Facts) -> list[str]:
    """The things that a subject names; a pronoun means the thing spoken of last."""
    lowered = text.lower().strip()
    if lowered in (
        "it",
        "they",
        "each",
        "each one",
        "them",
        "this",
        "these",
        "each of them",
        "all of them",
    ):
        return [facts.context] if facts.context else []
    keys = []
    for item in split_list(re.sub(r"^(?:both|each|every)\s+", "", text)):
        key = parse_noun(item).key
        if is_thing(key) or key in facts.strength or key in facts.known:
            keys.append(facts.find(key) or key)
    return keys


def read_have(clause: Clause, facts: Facts) -> bool:
    """ "boats have a name and a price", "inspections record the date", "we store the name of each boat"."""
    if clause.verb not in lex.HAVE_VERBS or clause.participle or not clause.rest:
        return False
    rest = re.sub(r"^(?:of|with)\s+", "", clause.rest_text.strip(), flags=re.IGNORECASE)
    rest = re.sub(
        r"^(?:the\s+)?(?:following|these)(?:\s+(?:fields|attributes|properties|information|details))?\s*:?\s*",
        "",
        rest,
    )
    owners, rest = _owners(clause, rest, facts)
    if not owners:
        return False
    items = _held(split_list(rest))
    if not items or (clause.verb in RECORDING and not _records(clause, items, facts)):
        return False
    for owner in owners:
        for item in items:
            add_item(owner, item, facts, optional=clause.modal in ("may", "might", "can", "could"))
    facts.context = owners[-1]
    return True


def _held(items: list[str]) -> list[str]:
    """ "several passengers with a name", "an age": the age is the passengers', too."""
    joined: list[str] = []
    for item in items:
        match = _WITH.match(joined[-1]) if joined else None
        if (
            match
            and parse_noun(match[1]).plural
            and attribute_like(item)
            and not attribute_like(match[1])
        ):
            joined[-1] += f", {item}"
        else:
            joined.append(item)
    return joined


def _owners(clause: Clause, rest: str, facts: Facts) -> tuple[list[str], str]:
    subject = clause.subject_text
    keys = subject_keys(subject, facts)
    generic = is_generic(parse_noun(subject).key) and not (
        keys and subject.lower() in ("it", "they")
    )
    if clause.imperative or (generic and not _is_domain_user(clause)):
        if clause.lead:
            return subject_keys(_PREPOSITION.sub("", text_of(clause.lead)), facts), rest
        match = _OF_EACH.match(rest)
        if match and attribute_like(split_list(match[1])[0] if split_list(match[1]) else ""):
            return subject_keys(match[2], facts), match[1]
        items = split_list(rest)
        if (
            facts.context
            and len(items) > 1
            and not clause.imperative
            and all(map(attribute_like, items))
        ):
            return [facts.context], rest
        return [], rest
    return keys, rest


def _is_domain_user(clause: Clause) -> bool:
    """ "each user has a name": then users are things of the domain."""
    return (
        clause.verb == "have"
        and parse_noun(clause.subject_text).key in ("user", "person", "admin")
        and not clause.modal
    )


def _records(clause: Clause, items: list[str], facts: Facts) -> bool:
    """Whether a record-like verb lists attributes ("records the date") rather than acts on things."""
    keys = subject_keys(clause.subject_text, facts)
    if keys and is_person(keys[0]) and clause.verb != "need":
        return False
    first = parse_noun(items[0])
    if clause.verb == "list" and parse_noun(clause.subject_text).determiner:
        return any(attribute_like(item) for item in items)
    if facts.find(first.key) and first.plural and not attribute_like(items[0]):
        return False
    return any(attribute_like(item) for item in items)


def add_item(owner: str, item: str, facts: Facts, *, optional: bool = False) -> None:
    """One item of what a thing has: an attribute, or things in the plural with parts of their own."""
    holds = _WITH.match(item)
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
    if holds and _read_described(owner, holds[1], holds[2], facts):
        return
    if _is_described_person(item):
        person = add_entity_phrase(item, facts)
        facts.links.append(Link(owner, facts.find(person.key) or person.key, "one"))
        return
    attribute = parse_attribute(item)
    if attribute is None:
        return
    if attribute.composite:
        _add_composite(owner, attribute, facts)
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


def _read_described(owner: str, head: str, tail: str, facts: Facts) -> bool:
    """ "a contact person with a phone number": two attributes of ours."""
    part, items = parse_noun(head), split_list(tail)
    if part.plural or facts.find(part.key) or not all(map(attribute_like, items)):
        return False
    attribute = parse_attribute(head)
    if attribute is None or attribute.field.choices or not is_thing(part.key):
        return False
    facts.add_attribute(owner, attribute)
    for item in items:
        inner = parse_attribute(item)
        if inner is not None:
            named = with_field(inner, name=f"{part.key}_{inner.field.name}"[:40])
            facts.add_attribute(owner, Attribute(named.field.name, named.field, guessed=False))
    return True


def _is_described_person(item: str) -> bool:
    """ "a celebrant (name, phone)": somebody with attributes of their own, not one of ours."""
    noun = parse_noun(item)
    inner = split_list(noun.inner or "")
    named = len(inner) > 1 and re.match(r"^(?:full |first |last )?name$", inner[0], re.I)
    return bool(named) and not noun.plural and is_thing(noun.key)


def _add_composite(owner: str, attribute: Attribute, facts: Facts) -> None:
    if attribute.plural or attribute.many:
        facts.add_attribute(owner, attribute)
        for part in attribute.composite:
            facts.add_attribute(attribute.key, part)
        return
    for part in attribute.composite:
        name = f"{attribute.key}_{part.field.name}"
        named = with_field(part, name=name[:40])
        facts.add_attribute(
            owner, Attribute(named.field.name, named.field, part.plural, part.many, part.guessed)
        )


def read_belong(clause: Clause, facts: Facts) -> bool:
    """ "a hive belongs to an apiary", "is owned by a member", "takes place at a venue"."""
    rest = clause.rest_text.strip()
    belongs = clause.verb == "belong" or (
        clause.verb in ("refer", "point", "relate", "apply") and rest.startswith("to ")
    )
    if (
        clause.verb in ("start", "end", "begin", "finish", "expire")
        and not rest
        and not clause.modal
        and not clause.participle
    ):
        for key in subject_keys(clause.subject_text, facts):
            facts.add_thing(key, 2)
            facts.context = key
        return True
    passive = clause.participle in _participle_bases() and _PREPOSITION.match(rest)
    placed = (
        clause.verb == "be"
        and not clause.participle
        and re.match(
            r"(?:part of|for|in|at|on|about|of|from|by|with|inside|under)\s+(?:an?|one|the|exactly|many|several|multiple|another)\b",
            rest,
            re.I,
        )
    )
    comes = clause.verb in (
        "come",
        "take",
        "happen",
        "live",
        "stay",
        "occur",
        "arrive",
        "start",
        "end",
        "work",
        "concern",
    ) and (
        re.match(
            r"(?:place\s+)?(?:at|in|on|from|with|for|to|by)\s+(?:an?|one|the|exactly|many|several)\b",
            rest,
            re.I,
        )
        or _names_origin(rest)
    )
    if clause.negated or not (belongs or passive or placed or comes):
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
    done = False
    for source in sources:
        done |= _link_all(source, rest, role, clause, facts)
    if done:
        facts.context = sources[-1]
    return done


def _names_origin(rest: str) -> bool:
    """ "come from farms": a thing in the plural, and not just a word."""
    match = re.match(
        r"(?:from|in|at|on)\s+([\w -]+?)(?=\s+(?:with|for|at|on|in)\b|[,(]|$)", rest, re.I
    )
    noun = parse_noun(match[1]) if match else None
    return noun is not None and noun.plural and is_thing(noun.key) and not attribute_like(noun.key)


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


def _participle_bases() -> frozenset[str]:
    return frozenset(words.base_of_participle(p) or p for p in lex.BELONG_PARTICIPLES)


def _link_all(source: str, rest: str, role: str, clause: Clause, facts: Facts) -> bool:
    """Links and attributes in "for a pet with a vet at a given time, status and notes"."""
    rest = re.sub(r"^(?:place|part)\s+", "", rest)
    optional = clause.modal in ("can", "may", "might", "could")
    last, located = source, False
    done = False
    for preposition, phrase in _chain(rest):
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


_SPLIT = re.compile(
    rf"\s*\b(optionally\s+)?(to|by|in(?!\s+(?:{types.UNIT_NAMES})\b)|on|at|for|with|from|into|under|per|within|inside|about|(?<=^ )of|against)\s+",
    re.I,
)


def _chain(text: str) -> list[tuple[str, str]]:
    """ "for a pet with a vet" -> (for, a pet), (with, a vet); parentheses are left alone."""
    masked, inner = mask_parentheses(text)
    found = list(_SPLIT.finditer(" " + masked))
    padded = " " + masked
    chain: list[tuple[str, str]] = []
    for at, match in enumerate(found):
        end = found[at + 1].start() if at + 1 < len(found) else len(padded)
        phrase = unmask(padded[match.end() : end].strip(" ,"), inner)
        chain.append((match[2].lower(), f"optional {phrase}" if match[1] else phrase))
    return chain


def mask_parentheses(text: str) -> tuple[str, list[str]]:
    """The text with each parenthesis as a placeholder, and what stood there."""
    inner: list[str] = []

    def keep(match: re.Match[str]) -> str:
        inner.append(match[0])
        return f" \x00{len(inner) - 1}\x00"

    ranges = r"\s+(?:from|between) \d+ (?:to|and) \d+(?: \w+)?"
    return re.sub(rf"\s*\([^()]*\)?|{ranges}", keep, text.replace("\x00", "")), inner


def unmask(text: str, inner: list[str]) -> str:
    return re.sub(r"\x00(\d+)\x00", lambda m: inner[int(m[1])].strip(), text)


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
    if not is_thing(head.key) or _is_bare_attribute(match[1], head) or _mentions_software(match[1]):
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
    match = _WITH.match(text)
    if match and is_thing(parse_noun(match[1]).key):
        return read_with(match[1], match[2], facts)
    done = False
    for item in split_list(text):
        if _read_reduced(item, facts) or (
            "(" not in item and not _WITH.match(item) and read_complemented(item, facts)
        ):
            done = True
            continue
        inner = _WITH.match(item)
        if inner and is_thing(parse_noun(inner[1]).key):
            done |= read_with(inner[1], inner[2], facts)
            continue
        noun = parse_noun(item)
        if gaps.read_feature(item, facts) or ("(" not in item and gaps.read_gap(item, facts)):
            done = True
        elif is_thing(noun.key) and not _is_bare_attribute(item, noun):
            add_entity_phrase(item, facts, strength)
            done = True
    return done


def _is_bare_attribute(item: str, noun: Noun) -> bool:
    return not noun.inner and not noun.plural and attribute_like(item)


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


def read_manage(clause: Clause, facts: Facts) -> bool:
    """ "track bee hives", "we manage boats and skippers": the objects are things."""
    generic = clause.imperative or is_generic(parse_noun(clause.subject_text).key)
    generic = generic or is_business(clause, facts)
    if generic and not clause.imperative and _read_business(clause, facts):
        return True
    known = clause.verb in lex.MANAGE_VERBS and not clause.participle and not clause.negated
    rest = clause.rest_text.strip()
    if not known or not rest:
        return False
    single = re.match(r"(?:an?|the|this|some)\s+[\w\s-]*$", rest)
    if clause.verb in lex.BUILD_VERBS and (single or _mentions_software(rest)):
        return read_fragment(rest, facts)
    keys = subject_keys(clause.subject_text, facts)
    if not generic:
        return bool(keys) and is_person(keys[0]) and _read_kept_by(keys[0], rest, facts)
    match = _OF_EACH.match(rest)
    owners = subject_keys(match[2], facts) if match else []
    if match and owners and all(map(attribute_like, split_list(match[1]))):
        for item in split_list(match[1]):
            for key in owners:
                add_item(key, item, facts)
        return True
    return read_entity_list(re.sub(r"^(?:out|up|in|for|at|on|about)\s+", "", rest), facts)


_TRADING = frozenset(
    [
        "run",
        "operate",
        "own",
        "manage",
        "sell",
        "offer",
        "rent",
        "keep",
        "provide",
        "make",
        "produce",
        "buy",
        "handle",
        "store",
        "lend",
        "hire",
        "organise",
        "organize",
        "import",
        "export",
        "deal",
        "service",
        "repair",
        "train",
        "breed",
        "grow",
        "restore",
        "host",
        "have",
        "publish",
        "build",
    ]
)


def is_business(clause: Clause, facts: Facts) -> bool:
    """ "the parish keeps registers", "our crew operates 3 boats": whoever speaks, not a thing."""
    subject = parse_noun(clause.subject_text)
    ours = subject.determiner in ("our", "my") or (
        subject.determiner in ("the", "") and not facts.find(subject.key) and not facts.order
    )
    if subject.plural or not ours or clause.participle or clause.negated or not subject.key:
        return False
    listed = split_list(clause.rest_text)
    plain = bool(listed) and parse_noun(listed[0]).plural and not attribute_like(listed[0])
    return clause.verb in _TRADING and (plain or clause.verb in ("run", "operate", "own"))


def read_business(clause: Clause, facts: Facts) -> bool:
    """ "our company sells day passes at different prices": what the business deals in."""
    if clause.imperative or not is_business(clause, facts) or clause.verb in lex.MANAGE_VERBS:
        return False
    match = re.match(
        r"^(.*?)(?:\s+(?:at|for)\s+(?:different|various|an?|their own|fixed)\s+(.+))?$",
        clause.rest_text,
    )
    items = split_list(match[1]) if match else []
    keys = [parse_noun(item).key for item in items]
    done = bool(items) and read_entity_list(match[1] if match else "", facts, 1)
    if match and match[2] and attribute_like(match[2]):
        for key in filter(is_thing, keys):
            add_item(facts.find(key) or key, words.singular(match[2]), facts)
    return done


def _read_business(clause: Clause, facts: Facts) -> bool:
    """ "we run a clinic": what the whole is about, not a thing to keep."""
    single = re.match(r"(?:an?|the|my|our)\s", clause.rest_text)
    business = parse_noun(clause.rest_text)
    if (
        clause.verb not in ("run", "operate", "manage", "own", "be")
        or not single
        or business.plural
    ):
        return False
    facts.topic = facts.topic or (business.key if is_thing(business.key) else "")
    return True


def _read_kept_by(person: str, rest: str, facts: Facts) -> bool:
    """ "vets record a diagnosis and treatments": attributes belong to the record spoken of last."""
    facts.add_thing(person, 1)
    if _WITH.match(rest):
        return read_entity_list(rest, facts)
    for item in split_list(rest):
        noun = parse_noun(item)
        if _is_bare_attribute(item, noun) and facts.context and not is_person(facts.context):
            add_item(facts.context, item, facts)
        elif is_thing(noun.key) and not _is_bare_attribute(item, noun):
            add_entity_phrase(item, facts, 2 if noun.plural or noun.determiner else 1)
    return True


def names_software(text: str) -> bool:
    """Whether a fragment is headed by a word for software ("booking app with …")."""
    head = re.split(r"\s+(?:with|for|of|to|including)\s+", text)[0]
    return "," not in head and (_mentions_software(head) or _is_topic(head))


def _mentions_software(text: str) -> bool:
    found = re.findall(r"[a-z-]+", text.lower())[:8]
    return any(word in lex.SOFTWARE_HEADS for word in found)


_FOR_EACH = re.compile(
    r"^([\w -]+?)\s+(?:\w+ed\s+)?(?:(?:for|of|in|by)\s+(?:each|every)|per)\s+([\w -]+?)(?:\s+with\s+(.+)|\s*(\(.+\)))?$",
    re.I,
)  # fmt: skip


def _read_for_each(match: re.Match[str], facts: Facts) -> bool:
    """ "invoices for each case with amount and due date"."""
    source = add_entity_phrase(f"{match[1]} {match[4] or ''}", facts).key
    target = add_entity_phrase(match[2], facts).key
    facts.links.append(Link(facts.find(source) or source, facts.find(target) or target, "one"))
    return read_with(match[1], match[3], facts) if match[3] else True


def read_fragment(text: str, facts: Facts) -> bool:
    """Text without a verb: "Booking API for boats", "Pet (name, species)", "customers, orders"."""
    text = text.strip(" .:")
    outside = re.sub(r"\([^()]*\)", "", text)
    match = re.match(
        r"^([^(),]*?)\s+(?:with|for|of|to|including|featuring|about|around)\s+(.+)$", text, re.I
    )
    head = match[1] if match else text
    if _mentions_software(head) or _is_topic(head):
        return _read_software(head, match[2] if match else "", text, facts)
    each = _FOR_EACH.match(text)
    if each and is_thing(parse_noun(each[1]).key) and is_thing(parse_noun(each[2]).key):
        return _read_for_each(each, facts)
    if (
        match
        and re.search(r"\s(?:with|including)\s", outside)
        and is_thing(parse_noun(match[1]).key)
    ):
        found = _WITH.match(text)
        if found:
            return read_with(found[1], found[2], facts)
    dash = re.match(r"^([A-Za-z][\w ]{1,40}?)\s+-\s+(.+)$", text)
    if dash and is_thing(parse_noun(dash[1]).key) and "," in dash[2]:
        return read_labelled(dash[1], dash[2], facts)
    if "," not in text and read_complemented(text, facts):
        return True
    if len(re.findall(r"\w+", outside)) > 6 and "," not in outside and "(" not in text:
        return False
    title = not facts.order and "," not in text and "(" not in text and " and " not in text
    return read_entity_list(text, facts, 1 if title else 2)


def _is_topic(head: str) -> bool:
    found = re.findall(r"[a-z]+", head.lower())
    return bool(found) and found[-1] in lex.TOPIC_HEADS


def _read_software(head: str, tail: str, text: str, facts: Facts) -> bool:
    """ "Inventory API with warehouses …": the head gives the topic, the rest the things."""
    gaps.read_gap(head, facts)
    found = [
        w for w in re.findall(r"[a-z]+(?:-[a-z]+)*", head.lower()) if w not in lex.EMPTY_ADJECTIVES
    ]
    while found and (found[-1] in lex.TOPIC_HEADS or found[-1] in lex.SOFTWARE_HEADS):
        found.pop()
    topic = parse_noun(" ".join(w for w in found if w not in lex.SOFTWARE_HEADS)).key
    facts.topic = facts.topic or (topic if is_thing(topic) else "")
    if not tail:
        return True
    joined = re.search(r"\b(with|including|featuring)\s+(.+)$", text, re.IGNORECASE)
    whose = re.match(r"^.+?\s+to\s+([a-z]+)\s+(.+)$", tail, re.IGNORECASE)
    if whose and whose[1].lower() in lex.MANAGE_VERBS:
        return read_entity_list(whose[2], facts)
    gerund = re.match(r"^([a-z]+ing)\s+(.+)$", tail, re.IGNORECASE)
    if gerund and words.verb_base(gerund[1].lower(), "ing"):
        base = words.verb_base(gerund[1].lower(), "ing")
        read_entity_list(gerund[2], facts)
        return base is not None
    purpose = re.search(
        r"\bfor\s+(.+?)(?:\s+(?:with|including|featuring)\s|$)", text, re.IGNORECASE
    )
    if purpose and not joined:
        _read_purpose(purpose[1], facts)
    if joined:
        read_entity_list(joined[2], facts)
        if purpose and not facts.topic:
            _read_purpose(purpose[1], facts, topic_only=True)
    elif not purpose:
        read_entity_list(tail, facts, 1)
    return True


def _read_purpose(text: str, facts: Facts, *, topic_only: bool = False) -> None:
    """ "for a boat charter" names the business, "for boats, skippers and trips" the things."""
    items = split_list(text)
    for item in items:
        noun = parse_noun(item)
        if not is_thing(noun.key):
            continue
        if topic_only or (noun.determiner in ("a", "an", "the", "my", "our") and not noun.plural):
            facts.topic = facts.topic or noun.key
        else:
            facts.add_thing(facts.find(noun.key) or noun.key, 2 if len(items) > 1 else 1)


def read_labelled(label: str, text: str, facts: Facts) -> bool:
    """ "Pet: name, species": the label is a thing, a field, or a heading."""
    noun = parse_noun(label)
    head = noun.head
    if "->" in text and is_thing(noun.key) and (states := parse_choices(text)):
        owner = facts.find(noun.key) or noun.key
        facts.add_thing(owner, 2)
        facts.states[owner] = states
        return True
    if head in ("status", "state", "stage") and facts.context:
        add_item(facts.context, f"{head}: {text}", facts)
        return True
    if head in ("field", "attribute", "property", "detail", "column") and facts.context:
        owner = facts.find(parse_noun(label.rsplit(" ", 1)[0]).key) or facts.context
        for item in split_list(text):
            add_item(owner, item, facts)
        return True
    if is_generic(noun.key) or not is_thing(noun.key):
        return read_entity_list(text, facts)
    if owner := read_complemented(label, facts):
        for item in split_list(text):
            add_item(owner, item, facts)
        facts.context = owner
        return True
    if _is_topic(label) or _mentions_software(label):
        _read_software(label, "", label, facts)
        return read_entity_list(text, facts)
    owner = facts.find(noun.key) or noun.key
    facts.add_thing(owner, 2)
    for item in split_list(text):
        add_item(owner, item, facts)
    facts.context = owner
    return True
