"""Filters of the blueprints: values as source text."""

from agenticai_worker.llm.template.write.spec import Column, Thing, initial, quoted


def docline(text: str) -> str:
    """Text for the first line of a docstring: one line, no quotes that would end it, no stop."""
    flat = " ".join(text.split()).replace("\\", "/").replace('"', "'")
    return flat.rstrip(". ")[:160]


def create_line(column: Column) -> str:
    """A column in the schema of what is created."""
    kind = column.annotation
    if column.computed_default:
        return f"    {column.name}: {kind} = Field(default_factory={column.default})"
    if column.default is not None:
        return f"    {column.name}: {kind} = {column.default}"
    if column.nullable:
        return f"    {column.name}: {kind} | None = None"
    return f"    {column.name}: {kind}"


def patch_line(column: Column) -> str:
    return f"    {column.name}: {column.annotation} | None = None"


def required(thing: Thing) -> str:
    """The attributes that must never be null, as a literal."""
    found = [quoted(column.name) for column in thing.writable if not column.nullable]
    return "{" + ", ".join(found) + "}" if found else ""


FILTERS = {
    "docline": docline,
    "quoted": quoted,
    "initial": initial,
    "create_line": create_line,
    "patch_line": patch_line,
}
