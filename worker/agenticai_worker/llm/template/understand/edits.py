"""Edits of a plan: remove, rename, and the bookkeeping of everything that mentions the thing."""

from agenticai_core.plans import Entity, EntityField, ManyToMany, Plan, Report
from agenticai_worker.llm.template.understand import words
from agenticai_worker.llm.template.understand.fields import safe_name


def replace_entity(plan: Plan, name: str, entity: Entity) -> Plan:
    entities = tuple(entity if e.name == name else e for e in plan.entities)
    return plan.model_copy(update={"entities": entities})


def remove_field(plan: Plan, entity: Entity, name: str) -> Plan:
    """Without the field, and without rules, transitions, filters and reports that need it."""
    kept = entity.model_copy(
        update={
            "fields": tuple(f for f in entity.fields if f.name != name),
            "rules": tuple(r for r in entity.rules if name not in r.fields),
            "transitions": tuple(t for t in entity.transitions if t.field != name),
            "filters": tuple(f for f in entity.filters if f != name),
            "search": tuple(f for f in entity.search if f != name),
        }
    )
    reports = tuple(r for r in plan.reports if not _uses(r, entity.name, name))
    return replace_entity(plan, entity.name, kept).model_copy(update={"reports": reports})


def _uses(report: Report, entity: str, field: str) -> bool:
    groups = {part for group in report.group_by for part in group.split(".")[:1]}
    return report.entity == entity and (report.field == field or field in groups)


def remove_entity(plan: Plan, entity: Entity) -> Plan:
    """Without the entity and every reference to it."""
    for other in plan.entities:
        for field in other.fields:
            if field.references == entity.name and other.name != entity.name:
                current = next(e for e in plan.entities if e.name == other.name)
                plan = remove_field(plan, current, field.name)
    return plan.model_copy(
        update={
            "entities": tuple(e for e in plan.entities if e.name != entity.name),
            "links": tuple(m for m in plan.links if entity.name not in (m.left, m.right)),
            "reports": tuple(r for r in plan.reports if r.entity != entity.name),
        }
    )


def rename_field(plan: Plan, entity: Entity, old: str, new: str) -> Plan:
    def swap(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    renamed = entity.model_copy(
        update={
            "fields": tuple(
                f.model_copy(update={"name": new}) if f.name == old else f for f in entity.fields
            ),
            "rules": tuple(r.model_copy(update={"fields": swap(r.fields)}) for r in entity.rules),
            "transitions": tuple(
                t.model_copy(update={"field": new}) if t.field == old else t
                for t in entity.transitions
            ),
            "filters": swap(entity.filters),
            "search": swap(entity.search),
        }
    )
    reports = tuple(_rename_in_report(r, entity.name, old, new) for r in plan.reports)
    return replace_entity(plan, entity.name, renamed).model_copy(update={"reports": reports})


def _rename_in_report(report: Report, entity: str, old: str, new: str) -> Report:
    if report.entity != entity:
        return report
    groups = tuple(
        ".".join([new if g.split(".")[0] == old else g.split(".")[0], *g.split(".")[1:]])
        for g in report.group_by
    )
    return report.model_copy(
        update={"field": new if report.field == old else report.field, "group_by": groups}
    )


def rename_entity(plan: Plan, entity: Entity, key: str) -> Plan:
    """Under its new name everywhere; reference fields that bore the old name follow."""
    old_key = words.to_snake("".join(f" {c}" if c.isupper() else c for c in entity.name))
    name = words.to_pascal(key)
    for other in plan.entities:
        for field in other.fields:
            if field.references == entity.name and field.name == old_key:
                current = next(e for e in plan.entities if e.name == other.name)
                plan = rename_field(plan, current, field.name, safe_name(key))

    def point(field: EntityField) -> EntityField:
        return (
            field.model_copy(update={"references": name})
            if field.references == entity.name
            else field
        )

    def renamed(item: Entity) -> Entity:
        update: dict[str, object] = {"fields": tuple(map(point, item.fields))}
        if item.name == entity.name:
            update.update(name=name, plural=words.plural_snake(key))
        return item.model_copy(update=update)

    def link(item: ManyToMany) -> ManyToMany:
        swap = {entity.name: name}
        return item.model_copy(
            update={
                "left": swap.get(item.left, item.left),
                "right": swap.get(item.right, item.right),
            }
        )

    return plan.model_copy(
        update={
            "entities": tuple(map(renamed, plan.entities)),
            "links": tuple(map(link, plan.links)),
            "reports": tuple(
                r.model_copy(update={"entity": name}) if r.entity == entity.name else r
                for r in plan.reports
            ),
        }
    )
