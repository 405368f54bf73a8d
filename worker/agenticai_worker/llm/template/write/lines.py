"""Filters of the blueprints: values as source text."""

from agenticai_worker.llm.template.write.columns import Column, initial, quoted
from agenticai_worker.llm.template.write.spec import Thing


def docline(text: str) -> str:
    """Text for the first line of a docstring: one line, no quotes that would end it, no stop."""
    flat = " ".join(text.split()).replace("\\", "/").replace('"', "'")
    printable = "".join(letter for letter in flat if letter.isprintable())
    return printable[:160].rstrip(". ")


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


def model_line(column: Column) -> str:
    """A column in the model of a table."""
    kind = f"{column.python} | None" if column.nullable else column.python
    if column.kind == "reference":
        parts = [f'sa.ForeignKey("{column.target.plural}.id", ondelete="RESTRICT")', "index=True"]
    else:
        parts = [column.column_type]
    if column.source.unique:
        parts.append("unique=True")
    if column.managed:
        parts.append(f"default={initial(column)}")
    elif column.default is not None:
        parts.append(f"default={column.default}")
    return f"    {column.name}: orm.Mapped[{kind}] = orm.mapped_column({', '.join(parts)})"


def patch_line(column: Column) -> str:
    return f"    {column.name}: {column.annotation} | None = None"


def required(thing: Thing) -> str:
    """The attributes that must never be null, as a literal."""
    found = [quoted(column.name) for column in thing.writable if not column.nullable]
    return "{" + ", ".join(found) + "}" if found else ""


def flat(text: str) -> str:
    """Text as part of a Markdown paragraph, list item or table cell."""
    return " ".join(text.split()).replace("|", "\\|")


FILTERS = {
    "flat": flat,
    "docline": docline,
    "quoted": quoted,
    "initial": initial,
    "create_line": create_line,
    "model_line": model_line,
    "patch_line": patch_line,
}
