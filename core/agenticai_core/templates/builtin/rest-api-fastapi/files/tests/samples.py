"""Valid values for everything, different at each call, and ways to store them."""

import datetime as dt
import itertools
from typing import Any

from fastapi.testclient import TestClient

numbers = itertools.count(1)
FIRST_DAY = dt.datetime(2031, 1, 1, 9, tzinfo=dt.UTC)


def day(n: int, plus: int = 0) -> str:
    return (FIRST_DAY + dt.timedelta(days=10 * n + plus)).date().isoformat()


def moment(n: int, plus: int = 0) -> str:
    text = (FIRST_DAY + dt.timedelta(days=10 * n, hours=plus)).isoformat()
    return text.replace("+00:00", "Z")


def clock(n: int, plus: int = 0) -> str:
    return f"{8 + plus:02d}:{n % 60:02d}:00"


def item(client: TestClient, **changes: Any) -> dict[str, Any]:
    """The values of an item; what it must refer to is created."""
    n = next(numbers)
    values: dict[str, Any] = {
        "name": f"Name {n}",
        "price": "2.00",
        "description": f"Description {n}",
    }
    return values | changes


def create_item(client: TestClient, **changes: Any) -> dict[str, Any]:
    answer = client.post("/items", json=item(client, **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()
