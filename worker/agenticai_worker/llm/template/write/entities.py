"""The files of one entity: model, schema, service, router, tests."""

from collections.abc import Callable, Iterator
from typing import Any

from agenticai_worker.llm.template.write import moves, rules, samples
from agenticai_worker.llm.template.write.examples import example_body
from agenticai_worker.llm.template.write.lines import required
from agenticai_worker.llm.template.write.spec import Thing

Fill = Callable[..., str]
_DATED = ("date", "datetime", "time")


def entity_files(thing: Thing, fill: Fill) -> Iterator[tuple[str, str]]:
    """Path and content of each file that is about this entity alone."""
    name = thing.snake
    yield (
        f"app/models/{name}_model.py",
        fill(
            "app/models/entity.py.j2",
            thing=thing,
            uses=_model_uses(thing),
            unique_together=[pair.names for pair in rules.together(thing)],
        ),
    )
    yield (
        f"app/schemas/{name}_schema.py",
        fill(
            "app/schemas/entity.py.j2",
            thing=thing,
            uses=_schema_uses(thing),
            required=required(thing),
            example=example_body(thing),
        ),
    )
    checks = [rule.function for rule in rules.orders(thing)]
    checks += [rule.function for rule in rules.overlaps(thing)]
    checks += [rule.function for rule in rules.stocks(thing)]
    ruled = {
        "thing": thing,
        "moves": moves.moves(thing),
        "orders": rules.orders(thing),
        "overlaps": rules.overlaps(thing),
        "stocks": rules.stocks(thing),
        "immutable_after": rules.frozen(thing),
    }
    yield (
        f"app/services/{thing.plural}_service.py",
        fill("app/services/entity.py.j2", checks=checks, uses=_service_uses(thing), **ruled),
    )
    schemas = [f"{thing.name}Create", f"{thing.name}Query", f"{thing.name}Read"]
    if not thing.immutable:
        schemas.insert(1, f"{thing.name}Patch")
    yield (
        f"app/routers/{thing.plural}.py",
        fill(
            "app/routers/entity.py.j2",
            thing=thing,
            moves=ruled["moves"],
            schemas=schemas,
            can_conflict=_can_conflict(thing),
        ),
    )
    yield (
        f"tests/test_{thing.plural}.py",
        fill("tests/test_entity.py.j2", **ruled, **_test_values(thing)),
    )


def exports(thing: Thing) -> list[str]:
    return sorted([thing.name, *(column.enum for column in thing.enums)])


def _test_values(thing: Thing) -> dict[str, Any]:
    writable = thing.writable
    changeable = [
        column
        for column in writable
        if column.kind in ("string", "text", "email", "phone", "url") and (column.length or 0) > 6
    ]
    return {
        "wrong": [(c.name, value) for c in writable for value in samples.wrong(c)],
        "needed": [
            c.name
            for c in writable
            if not c.nullable and c.default is None and c.kind != "reference"
        ],
        "optional": [c.name for c in writable if c.nullable or c.default is not None],
        "patched": changeable[0] if changeable else None,
        "required_writable": [c.name for c in writable if not c.nullable],
        "uniques": [c for c in writable if c.source.unique and c.kind != "reference"],
        "together": [pair for pair in rules.together(thing) if pair.writable],
        "filter_cases": list(samples.filter_cases(thing)),
        "move_cases": moves.move_cases(thing),
    }


def _can_conflict(thing: Thing) -> bool:
    """Whether sound values can be refused because of what is stored."""
    ruled = rules.together(thing) or rules.overlaps(thing) or rules.stocks(thing)
    unique = any(column.source.unique for column in thing.columns)
    return unique or bool(ruled) or bool(rules.frozen(thing))


def _kinds(thing: Thing) -> set[str]:
    return {column.kind for column in thing.columns}


def _model_uses(thing: Thing) -> dict[str, Any]:
    kinds = _kinds(thing)
    base = ["Row"]
    base += ["FixedPoint"] if "decimal" in kinds else []
    base += ["UtcDateTime"] if "datetime" in kinds else []
    base += ["choice"] if "enum" in kinds else []
    base += _moments(thing)
    return {
        "dt": bool(kinds.intersection(_DATED)),
        "uuid": "uuid" in kinds,
        "decimal": "decimal" in kinds,
        "base": sorted(set(base)),
    }


def _schema_uses(thing: Thing) -> dict[str, Any]:
    kinds = _kinds(thing)
    written = " ".join(column.annotation for column in thing.writable)
    base = ["Input", "ListQuery", "Output"]
    base += [] if thing.immutable else ["Patch"]
    taken = [*thing.writable, *(spec.column for spec in thing.filters)]
    base += ["SearchText"] if thing.searched else []
    base += {column.input_type for column in taken if column.shares_type}
    computed = any(column.computed_default for column in thing.writable)
    return {
        "dt": bool(kinds.intersection(_DATED)),
        "uuid": "uuid" in kinds,
        "decimal": "decimal" in kinds,
        "typing": ["Annotated"] if "Annotated[" in written else [],
        "now": sorted(set(_moments(thing))) if computed else [],
        "base": sorted(base),
    }


def _service_uses(thing: Thing) -> dict[str, Any]:
    conflicts = moves.moves(thing) or rules.overlaps(thing) or rules.stocks(thing)
    frozen = rules.frozen(thing) and not thing.immutable
    errors = ["Conflict"] if conflicts or frozen else []
    errors += ["Invalid"] if rules.orders(thing) else []
    return {"errors": errors, "sa": bool(rules.overlaps(thing) or rules.stocks(thing))}


def _moments(thing: Thing) -> list[str]:
    return [c.default for c in thing.writable if c.computed_default and c.default is not None]
