"""What authentication asks of the table and of the secret store, in memory and for real."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from agenticai_core import audit, auth, pages, usage
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAuthenticated
from agenticai_core.idempotency import Once
from agenticai_core.models import Usage
from agenticai_core.server_secret import CURSOR_NAME, ServerSecret
from agenticai_core.store import keys
from agenticai_core.store.base import Update

ALL: tuple[auth.Scope, ...] = ("read", "write", "admin")


@pytest.fixture
def owner() -> str:
    return f"owner-{uuid.uuid4().hex}"  # whose rows are nobody else's


def admin_of(services: Services, owner: str) -> auth.Caller:
    _, secret = auth.create_api_key(services.store, owner, "admin", ALL)
    return auth.authenticate(services, secret)


def test_a_ticket_is_good_for_one_of_many(services: Services, owner: str) -> None:
    caller = admin_of(services, owner)
    ticket = auth.issue_ticket(services, caller).secret

    def redeem(_: int) -> bool:
        try:
            return auth.redeem_ticket(services, ticket).id == caller.id
        except NotAuthenticated:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(redeem, range(16))) == 1


def test_two_admin_keys_that_revoke_each_other_leave_one(services: Services, owner: str) -> None:
    first, second = admin_of(services, owner), admin_of(services, owner)

    def revoke(key_id: str) -> bool:
        try:
            return bool(auth.revoke_api_key(services, owner, key_id))
        except auth.LastAdminKey:
            return False

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(revoke, [first.id, second.id])) == [False, True]
    left = [key for key in auth.list_api_keys(services.store, owner) if not key.revoked_at]
    assert len(left) == 1


def test_a_rotation_is_written_whole_and_once(services: Services, owner: str) -> None:
    caller = admin_of(services, owner)
    once = Once(owner_id=owner, route="POST rotate", key="a", fingerprint="f")

    def rotate(_: int) -> auth.RotatedKey:
        return auth.rotate_api_key(services, caller, caller.id, 60, once)

    with ThreadPoolExecutor(4) as pool:
        (rotated,) = set(pool.map(rotate, range(8)))

    assert auth.authenticate(services, rotated.secret).key == rotated.key
    assert auth.recheck(services, caller).key == rotated.replaced
    entries, _ = audit.list_entries(services, owner)
    assert [entry.action for entry in entries] == ["key_rotated", "key_created"]


def test_a_key_of_before_expiry_was_known_ends_as_others_do(services: Services, owner: str) -> None:
    first, second = admin_of(services, owner), admin_of(services, owner)
    for caller in (first, second):
        row = keys.api_key(caller.key.hash)
        services.store.write(Update(row, remove=["expires_at"]))

    assert auth.revoke_api_key(services, owner, first.id).revoked_at
    assert auth.rotate_api_key(services, second, second.id, 60).replaced.expires_at


def test_instances_sign_with_the_same_secret(services: Services, owner: str) -> None:
    caller = admin_of(services, owner)
    token = auth.exchange(services, caller).text

    with ThreadPoolExecutor(4) as pool:
        values = set(pool.map(lambda _: ServerSecret().value(services.secrets), range(8)))

    assert values == {services.server_secret.value(services.secrets)}
    assert auth.authenticate(services, token).owner_id == owner


def test_instances_take_each_others_cursors_and_the_table_has_no_secret(
    services: Services, owner: str
) -> None:
    start = {"PK": f"OWNER#{owner}", "SK": "AUDIT#1"}
    cursor = pages.encode(services, start, owner)
    other = replace(services, cursor_secret=ServerSecret(name=CURSOR_NAME))

    assert pages.decode(other, cursor, owner) == start
    assert services.secrets.get(CURSOR_NAME)
    assert services.store.query("SECRET#cursor").items == []


def test_months_and_their_projects(services: Services, owner: str) -> None:
    call = Usage(input_tokens=3, output_tokens=2, cost_microusd=1)
    for month in ("2025-01", "2024-12", "2025-01"):
        services.store.write(usage.usage_write(owner, "proj_a", call, month))

    assert usage.list_months(services.store, owner) == ["2025-01", "2024-12"]
    assert usage.read_month(services.store, owner, "2025-01").total == call + call
