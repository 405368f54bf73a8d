"""Write the policies into docs/security.md as tables: ``python -m tests.deployment.iam.table``."""

from tests.deployment.iam.calls import ACCOUNT, APP, ENV
from tests.deployment.iam.policies import ROOT, SERVICES, Statement, read_statements

_SHORT = {
    f"table/{APP}-{ENV}-data/index/": "index ",
    f"table/{APP}-{ENV}-data": "the table",
    f"{APP}-{ENV}-code-{ACCOUNT}/": "files below ",
    f"{APP}-{ENV}-code-{ACCOUNT}": "the bucket",
    f"{APP}-{ENV}-*-queue": "the four queues",
    f"parameter/{APP}/{ENV}/": "parameter ",
}
_KEYS = {
    "dynamodb:LeadingKeys": "rows of ",
    "s3:prefix": "names below ",
    "ssm:Overwrite": "a new one only",
}


DOCUMENT = ROOT / "docs" / "security.md"
_BEGIN = "<!-- roles: written by python -m tests.deployment.iam.table -->\n"
_END = "<!-- end of roles -->\n"


def with_tables(text: str) -> str:
    """The document with the tables as the policies are now."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    assert begin, "the document has no place for the tables"
    assert end, "the place for the tables has no end"
    tables = "\n".join(f"### The role of {name}\n\n{_table(name)}" for name in SERVICES)
    return f"{before}{begin}\n{tables}\n{end}{after}"


def _table(service: str) -> str:
    """A line for each statement of the service's policy."""
    lines = ["| what for | may | on | only |", "|---|---|---|---|"]
    lines += [_line(statement) for statement in read_statements(service)]
    return "\n".join(lines) + "\n"


def _line(statement: Statement) -> str:
    actions = ", ".join(f"`{action}`" for action in statement.actions)
    resources = ", ".join(_resource(arn) for arn in statement.resources)
    only = [_condition(key, values) for operator, key, values in statement.conditions
            if operator != "Null"]  # fmt: skip
    return f"| {statement.sid} | {actions} | {resources} | {', '.join(only)} |"


def _resource(arn: str) -> str:
    name = arn.split(":", 5)[-1]
    for long, short in _SHORT.items():
        if name.startswith(long):
            rest = name.removeprefix(long).removesuffix("/*")
            return f"{short}`{rest}`" if rest else short
    raise ValueError(f"no short name for {arn}")


def _condition(key: str, values: tuple[str, ...]) -> str:
    if key == "ssm:Overwrite":
        return _KEYS[key]
    names = ", ".join(f"`{value.removesuffix('*').removesuffix('/')}`" for value in values)
    return _KEYS[key] + names


if __name__ == "__main__":
    DOCUMENT.write_text(with_tables(DOCUMENT.read_text()))
