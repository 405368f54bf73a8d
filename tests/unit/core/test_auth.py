"""Keys are made once, shown once, and found by their hash."""

from collections.abc import Callable

import pytest

from agenticai_core import auth
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAuthenticated, NotFound
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.store import keys
from agenticai_core.store.memory import MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def services(store: MemoryStore) -> Services:
    return Services(store, MemoryFiles(), MemoryQueue())


def test_a_key_is_known_by_its_secret(services: Services, store: MemoryStore) -> None:
    key, secret = auth.create_api_key(store, "me", "laptop", ["read"])

    assert auth.authenticate(services, secret).key == key
    assert (key.owner_id, key.name, key.scopes) == ("me", "laptop", ("read",))
    assert secret.startswith(auth.PREFIX)
    assert len(secret) > 40


def test_the_secret_is_stored_nowhere(store: MemoryStore) -> None:
    key, secret = auth.create_api_key(store, "me", "laptop")

    row = store.get(keys.api_key(auth.hash_key(secret)))
    assert secret not in str(row)
    assert secret.removeprefix(auth.PREFIX) not in str(row)
    assert key.hash == auth.hash_key(secret)


def test_no_two_keys_are_alike(store: MemoryStore) -> None:
    assert len({auth.create_api_key(store, "me", "n")[1] for _ in range(50)}) == 50


@pytest.mark.parametrize("change", [str.upper, lambda s: s[:-1], lambda s: s + "x", lambda _: ""])
def test_any_other_secret_is_refused(
    services: Services, store: MemoryStore, change: Callable[[str], str]
) -> None:
    _, secret = auth.create_api_key(store, "me", "laptop")

    with pytest.raises(NotAuthenticated):
        auth.authenticate(services, change(secret))


def test_the_hash_is_no_secret(services: Services, store: MemoryStore) -> None:
    key, _ = auth.create_api_key(store, "me", "laptop")

    with pytest.raises(NotAuthenticated):
        auth.authenticate(services, key.hash)


def test_a_revoked_key_is_refused_for_good(services: Services, store: MemoryStore) -> None:
    key, secret = auth.create_api_key(store, "me", "laptop")

    revoked = auth.revoke_api_key(services, "me", key.id)
    again = auth.revoke_api_key(services, "me", key.id)

    assert revoked.revoked_at is not None
    assert again.revoked_at == revoked.revoked_at
    with pytest.raises(NotAuthenticated, match="revoked"):
        auth.authenticate(services, secret)


def test_nobody_revokes_anothers_key(services: Services, store: MemoryStore) -> None:
    key, secret = auth.create_api_key(store, "me", "laptop")

    with pytest.raises(NotFound):
        auth.revoke_api_key(services, "you", key.id)
    assert auth.authenticate(services, secret)


def test_an_owner_sees_all_of_their_keys_and_no_others(
    services: Services, store: MemoryStore
) -> None:
    made = [auth.create_api_key(store, "me", f"n{n}")[0] for n in range(120)]
    auth.create_api_key(store, "you", "other")

    listed = auth.list_api_keys(store, "me")

    assert sorted(key.id for key in listed) == sorted(key.id for key in made)
    assert [key.created_at for key in listed] == sorted(key.created_at for key in made)
    auth.revoke_api_key(services, "me", made[-1].id)
