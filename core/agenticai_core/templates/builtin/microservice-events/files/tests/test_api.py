import pytest
from fastapi.testclient import TestClient

from .conftest import ORDER

DEPLETED = {
    "id": "stock-1",
    "type": "stock.depleted",
    "source": "stock",
    "at": "2025-03-01T12:00:00Z",
    "data": {"sku": "tea-250"},
}


def waiting(client: TestClient) -> int:
    number: int = client.get("/health/ready").json()["events_waiting"]
    return number


def test_an_order_is_stored_with_its_event(client: TestClient) -> None:
    answer = client.post("/orders", json=ORDER)

    assert answer.status_code == 201
    assert answer.json().items() >= (ORDER | {"id": 1, "cancelled": False}).items()
    assert waiting(client) == 1


@pytest.mark.parametrize(
    "change",
    [{"quantity": 0}, {"quantity": 1001}, {"sku": "TEA"}, {"customer": "  "}, {"price": 1}],
)
def test_a_bad_order_leaves_nothing_behind(client: TestClient, change: dict[str, object]) -> None:
    assert client.post("/orders", json=ORDER | change).status_code == 422
    assert client.get("/orders").json() == []
    assert waiting(client) == 0


def test_orders_come_in_pages(client: TestClient) -> None:
    for _ in range(3):
        client.post("/orders", json=ORDER)

    first = client.get("/orders", params={"limit": 2}).json()
    second = client.get("/orders", params={"limit": 2, "after": first[-1]["id"]}).json()

    assert [order["id"] for order in first + second] == [1, 2, 3]


def test_an_event_has_its_effect_once(client: TestClient) -> None:
    client.post("/orders", json=ORDER)

    assert client.post("/events", json=DEPLETED).json() == {"new": True}
    client.post("/orders", json=ORDER)
    assert client.post("/events", json=DEPLETED).json() == {"new": False}

    assert [order["cancelled"] for order in client.get("/orders").json()] == [True, False]
    assert waiting(client) == 3


def test_an_unknown_kind_of_event_is_taken(client: TestClient) -> None:
    answer = client.post("/events", json=DEPLETED | {"type": "weather.changed"})

    assert answer.json() == {"new": True}


def test_a_refused_event_may_come_again(client: TestClient) -> None:
    bad = DEPLETED | {"data": {}}

    assert client.post("/events", json=bad).status_code == 422
    assert client.post("/events", json=DEPLETED).json() == {"new": True}


@pytest.mark.parametrize("missing", list(DEPLETED))
def test_an_event_has_all_its_fields(client: TestClient, missing: str) -> None:
    partial = {name: value for name, value in DEPLETED.items() if name != missing}

    assert client.post("/events", json=partial).status_code == 422


def test_it_says_that_it_lives(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}
