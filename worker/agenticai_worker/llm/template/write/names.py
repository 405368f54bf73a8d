"""Names as Python, SQL and people spell them."""

import keyword
import re
import unicodedata

# What pydantic's and SQLAlchemy's own classes already call something.
_TAKEN = frozenset(
    {
        "copy", "json", "dict", "schema", "construct", "validate", "fields", "metadata", "registry",
        "id", "created_at", "updated_at", "self", "cls", "parse_obj", "parse_raw", "from_orm",
        "schema_json", "model_config", "model_fields", "required", "sortable",
        # What models and schemas import, and would find shadowed within their classes.
        "sa", "orm", "dt", "uuid", "enum", "choice", "str", "int", "float", "bool",
        "today", "utc_now", "time_now",
    }
)  # fmt: skip
# What the module with the tests' values already calls something.
_TEST_HELPERS = frozenset(
    {"day", "moment", "clock", "numbers", "itertools", "dt", "uuid", "values", "client", "changes"}
)
# Paths, and modules behind them, that every service has.
_TAKEN_ROUTES = frozenset({"auth", "docs", "redoc", "health"})
# What every list already takes as a parameter.
_LIST_PARAMETERS = frozenset({"q", "sort", "limit", "offset"})


def snake(name: str) -> str:
    """``StockMovement`` -> ``stock_movement``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", _normal(name))
    return re.sub(r"\W+", "_", spaced).strip("_").lower()


def sample(name: str) -> str:
    """The function that makes a valid one for the tests, clashing with none of its helpers."""
    clean = snake(name)
    return f"{clean}_values" if keyword.iskeyword(clean) or clean in _TEST_HELPERS else clean


def words(name: str) -> str:
    """``StockMovement`` or ``stock_movement`` -> ``stock movement``."""
    return snake(name).replace("_", " ")


def title(name: str) -> str:
    text = words(name)
    return text[:1].upper() + text[1:]


def article(name: str) -> str:
    text = words(name)
    silent = text.startswith(("hour", "honest", "honour", "heir"))
    spoken_as_you = text.startswith(("uni", "use", "eu", "one"))
    vowel = text[:1] in "aeiou" and not spoken_as_you
    return f"an {text}" if vowel or silent else f"a {text}"


def attribute(name: str, entity: str) -> str:
    """A field's name that clashes with nothing of Python, pydantic or SQLAlchemy."""
    clean = snake(name) or "value"
    if clean in _TAKEN or keyword.iskeyword(clean) or clean.startswith("model_"):
        clean = f"{snake(entity)}_{clean}"
    return clean if clean.isidentifier() else f"{snake(entity)}_{clean}"


def route(plural: str, *, has_reports: bool) -> str:
    """The last part of a path, clashing with no path that the service has anyway."""
    taken = plural in _TAKEN_ROUTES or (has_reports and plural == "reports")
    return f"{plural}_records" if taken else plural


def parameter(name: str) -> str:
    return f"by_{name}" if name in _LIST_PARAMETERS else name


def _normal(text: str) -> str:
    """Letters as Python reads them in names: ``²`` is ``2``; what names cannot hold is a blank."""
    letters = unicodedata.normalize("NFKC", text)
    return "".join(letter if f"_{letter}".isidentifier() else " " for letter in letters)


def member(choice: str) -> str:
    """A choice's name in its enumeration: ``in progress`` -> ``IN_PROGRESS``."""
    name = re.sub(r"\W+", "_", _normal(choice.upper())).strip("_")
    usable = name.isidentifier() and not name.startswith("_") and name != "MRO"
    return name if usable else f"VALUE_{name}"
