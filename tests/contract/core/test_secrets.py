"""Both adapters of the secrets port do the same."""

import uuid

import pytest

from agenticai_core.bootstrap import Services
from agenticai_core.secrets.base import Secrets


@pytest.fixture
def secrets(services: Services) -> Secrets:
    return services.secrets


@pytest.fixture
def name() -> str:
    return f"tests/{uuid.uuid4().hex}"


def test_what_is_not_there(secrets: Secrets, name: str) -> None:
    assert secrets.get(name) is None
    assert secrets.get(name, 1) is None
    secrets.delete(name)


def test_every_version_can_be_read(secrets: Secrets, name: str) -> None:
    assert [secrets.put(name, value) for value in ("one", "two", "three")] == [1, 2, 3]
    assert secrets.get(name) == "three"
    assert [secrets.get(name, version) for version in (1, 2, 3)] == ["one", "two", "three"]
    assert secrets.get(name, 4) is None


def test_the_first_to_create_wins(secrets: Secrets, name: str) -> None:
    assert secrets.create(name, "mine") == "mine"
    assert secrets.create(name, "theirs") == "mine"
    assert secrets.get(name) == "mine"


def test_deleted_with_all_versions(secrets: Secrets, name: str) -> None:
    secrets.put(name, "one")
    secrets.put(name, "two")
    secrets.delete(name)
    assert secrets.get(name) is None
    assert secrets.get(name, 1) is None
    assert secrets.put(name, "again") == 1


def test_any_text_comes_back_as_it_was(secrets: Secrets, name: str) -> None:
    value = '{"A": "ä ✓ \\n \\"quoted\\" #{}"}' + "x" * 3000
    secrets.put(name, value)
    assert secrets.get(name) == value
