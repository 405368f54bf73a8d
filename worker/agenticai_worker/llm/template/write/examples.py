"""Examples for people, in the README and the description of the API."""

from typing import Any

from agenticai_worker.llm.template.write.columns import Column
from agenticai_worker.llm.template.write.spec import Thing


def example_body(thing: Thing) -> dict[str, Any]:
    """What is sent to create one, with what has to be there alone."""
    needed = [c for c in thing.writable if not c.nullable and c.default is None]
    return {column.name: _value(column) for column in needed}


def _value(column: Column) -> Any:
    plain: dict[str, Any] = {
        "string": f"Example {column.label}"[: column.length or 200],
        "text": f"Example {column.label}",
        "email": "someone@example.com",
        "url": "https://example.com",
        "phone": "+49 30 1234567",
        "integer": int(_within(column, 1)),
        "decimal": f"{_within(column, 12.5):.2f}",
        "float": float(_within(column, 2.5)),
        "boolean": True,
        "date": "2031-01-01",
        "datetime": "2031-01-01T09:00:00Z",
        "time": "09:00:00",
        "uuid": "7f9c2b1e-5d3a-4c8e-9b1a-2f6d8e4c0a57",
        "reference": 1,
    }
    return column.choices[0][1] if column.kind == "enum" else plain[column.kind]


def _within(column: Column, number: float) -> float:
    """The number, or the nearest that the column allows."""
    low, high = column.minimum, column.maximum
    number = number if low is None else max(number, low)
    return number if high is None else min(number, high)
