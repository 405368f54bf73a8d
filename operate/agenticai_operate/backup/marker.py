"""The item by which a restore knows its own unfinished work in a table."""

from collections.abc import Mapping
from typing import Any

KEY = {"PK": {"S": "RESTORE#unfinished"}, "SK": {"S": "METADATA"}}


def is_marker(item: Mapping[str, Any]) -> bool:
    return {name: item.get(name) for name in KEY} == KEY
