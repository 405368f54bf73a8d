"""Items: every route, rule and filter."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests import samples


def test_what_is_created_can_be_read(client: TestClient) -> None:
    values = samples.item(client)
    answer = client.post("/items", json=values)
    assert answer.status_code == 201, answer.text
    created = answer.json()
    assert {name: created[name] for name in values} == values
    assert created["status"] == "draft"
    assert client.get(f"/items/{created['id']}").json() == created


def test_a_list_comes_in_pages(client: TestClient) -> None:
    ids = [samples.create_item(client)["id"] for _ in range(3)]
    page = client.get("/items", params={"limit": 2, "sort": "-id"}).json()
    assert (page["total"], page["limit"], page["offset"]) == (3, 2, 0)
    assert [row["id"] for row in page["items"]] == [ids[2], ids[1]]
    rest = client.get("/items", params={"limit": 2, "offset": 2, "sort": "-id"}).json()
    assert [row["id"] for row in rest["items"]] == [ids[0]]


@pytest.mark.parametrize(
    "query", [{"sort": "nothing"}, {"limit": 0}, {"offset": -1}, {"unknown": 1}]
)
def test_a_list_refuses_bad_parameters(client: TestClient, query: dict[str, Any]) -> None:
    answer = client.get("/items", params=query)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "INVALID"


def test_what_does_not_exist_is_not_found(client: TestClient) -> None:
    assert client.get("/items/999").status_code == 404
    assert client.patch("/items/999", json={}).status_code == 404
    assert client.put("/items/999", json=samples.item(client)).status_code == 404
    assert client.delete("/items/999").status_code == 404
    assert client.post("/items/999/publish").status_code == 404
    assert client.post("/items/999/archive").status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("no_such_field", 1),
        ("name", ""),
        ("name", "x" * 201),
        ("price", "many"),
        ("price", -1),
        ("description", ""),
        ("description", "x" * 10001),
    ],
)
def test_wrong_values_are_refused(client: TestClient, field: str, value: Any) -> None:
    answer = client.post("/items", json=samples.item(client) | {field: value})
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["code"] == "INVALID"
    assert client.get("/items").json()["total"] == 0


@pytest.mark.parametrize("field", ["name"])
def test_required_values_must_be_there(client: TestClient, field: str) -> None:
    values = samples.item(client)
    del values[field]
    assert client.post("/items", json=values).status_code == 422


def test_optional_values_may_be_left_out(client: TestClient) -> None:
    values = samples.item(client)
    for name in ["price", "description"]:
        values.pop(name, None)
    assert client.post("/items", json=values).status_code == 201


def test_all_values_can_be_replaced(client: TestClient) -> None:
    created = samples.create_item(client)
    values = samples.item(client)
    answer = client.put(f"/items/{created['id']}", json=values)
    assert answer.status_code == 200, answer.text
    assert {name: answer.json()[name] for name in values} == values


def test_one_value_can_be_changed(client: TestClient) -> None:
    created = samples.create_item(client)
    value = samples.item(client)["name"]
    answer = client.patch(f"/items/{created['id']}", json={"name": value})
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    assert changed["name"] == value
    assert {**changed, "name": 0, "updated_at": 0} == {**created, "name": 0, "updated_at": 0}


@pytest.mark.parametrize("field", ["name"])
def test_a_required_value_cannot_be_emptied(client: TestClient, field: str) -> None:
    created = samples.create_item(client)
    answer = client.patch(f"/items/{created['id']}", json={field: None})
    assert answer.status_code == 422
    assert client.get(f"/items/{created['id']}").json() == created


def test_it_can_be_deleted(client: TestClient) -> None:
    created = samples.create_item(client)
    assert client.delete(f"/items/{created['id']}").status_code == 204
    assert client.get(f"/items/{created['id']}").status_code == 404


def test_name_is_unique(client: TestClient) -> None:
    first = samples.create_item(client)
    again = samples.item(client, name=first["name"])
    answer = client.post("/items", json=again)
    assert answer.status_code == 409
    assert "name" in answer.json()["error"]["message"]


def test_filter_by_status(client: TestClient) -> None:
    row = samples.create_item(client)
    found = client.get("/items", params={"status": row["status"]}).json()
    assert [item["id"] for item in found["items"]] == [row["id"]]
    other = client.get("/items", params={"status": "published"}).json()
    assert other["items"] == []


def test_search_looks_into_name(client: TestClient) -> None:
    row = samples.create_item(client)
    wanted = row["name"].upper()
    found = client.get("/items", params={"q": wanted}).json()
    assert row["id"] in [item["id"] for item in found["items"]]
    assert client.get("/items", params={"q": "nothing like it"}).json()["total"] == 0


def test_search_looks_into_description(client: TestClient) -> None:
    row = samples.create_item(client)
    wanted = row["description"].upper()
    found = client.get("/items", params={"q": wanted}).json()
    assert row["id"] in [item["id"] for item in found["items"]]
    assert client.get("/items", params={"q": "nothing like it"}).json()["total"] == 0


def test_publish(client: TestClient) -> None:
    path = f"/items/{samples.create_item(client)['id']}"
    answer = client.post(f"{path}/publish")
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "published"
    assert client.get(path).json() == answer.json()


def test_publish_is_refused(client: TestClient) -> None:
    path = f"/items/{samples.create_item(client)['id']}"
    assert client.post(f"{path}/publish").status_code == 200
    answer = client.post(f"{path}/publish")
    assert answer.status_code == 409
    assert client.get(path).json()["status"] == "published"


def test_archive(client: TestClient) -> None:
    path = f"/items/{samples.create_item(client)['id']}"
    assert client.post(f"{path}/publish").status_code == 200
    answer = client.post(f"{path}/archive")
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "archived"
    assert client.get(path).json() == answer.json()


def test_archive_is_refused(client: TestClient) -> None:
    path = f"/items/{samples.create_item(client)['id']}"
    answer = client.post(f"{path}/archive")
    assert answer.status_code == 409
    assert client.get(path).json()["status"] == "draft"
