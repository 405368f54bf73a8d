"""A cursor serves the list that it was made for, and nobody can make one."""

import base64
import dataclasses
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.secrets import CountedSecrets

from agenticai_core import pages
from agenticai_core.bootstrap import Services
from agenticai_core.errors import Unavailable
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.pages import LIFETIME, CursorExpired, InvalidCursor
from agenticai_core.queues import MemoryQueue
from agenticai_core.server_secret import CURSOR_NAME, ServerSecret
from agenticai_core.store.memory import MemoryStore

START = {"PK": "PROJECT#1", "SK": "MOD#1"}


def test_a_cursor_comes_back_as_it_was(services: Services) -> None:
    cursor = pages.encode(services, START, "list")

    assert cursor is not None
    assert pages.decode(services, cursor, "list") == START
    assert "PROJECT" not in cursor
    assert cursor.replace("-", "").replace("_", "").isalnum()  # fit for a URL


def test_the_end_has_no_cursor(services: Services) -> None:
    assert pages.encode(services, None, "list") is None
    assert pages.decode(services, None, "list") is None


def test_another_lists_cursor_is_refused(services: Services) -> None:
    cursor = pages.encode(services, START, "projects/me")

    for scope in ("projects/you", "projects/m", "projects/me ", ""):
        with pytest.raises(InvalidCursor):
            pages.decode(services, cursor, scope)


@given(st.text(max_size=80))
def test_made_up_cursors_are_refused(text: str) -> None:
    services = Services(MemoryStore(), MemoryFiles(), MemoryQueue())
    with pytest.raises(InvalidCursor):
        pages.decode(services, text, "list")


def test_every_change_is_noticed(services: Services) -> None:
    cursor = pages.encode(services, START, "list") or ""
    signed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    for at in range(len(signed)):
        changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        with pytest.raises(InvalidCursor):
            pages.decode(services, base64.urlsafe_b64encode(changed).decode(), "list")


@pytest.mark.parametrize("secret", ["", "list"])
def test_who_knows_the_list_alone_cannot_sign(services: Services, secret: str) -> None:
    body = json.dumps(START).encode()
    scope = b"list"
    for text in (body, scope + body, len(scope).to_bytes(4) + scope + body):
        tag = hmac.digest(secret.encode(), text, hashlib.sha256)[:16]
        with pytest.raises(InvalidCursor):
            pages.decode(services, base64.urlsafe_b64encode(tag + body).decode(), "list")


@pytest.mark.parametrize("start", [{"PK": "a", "owner": "b"}, {"PK": 1}, {"PK": ["a"]}])
def test_odd_keys_are_refused_whoever_signed_them(
    services: Services, start: "dict[str, str]"
) -> None:
    cursor = pages.encode(services, start, "list")

    with pytest.raises(InvalidCursor):
        pages.decode(services, cursor, "list")


def kept() -> ServerSecret:
    """What a process that has just started knows of the secret."""
    return ServerSecret(name=CURSOR_NAME)


def test_instances_with_one_secret_store_take_each_others_cursors(services: Services) -> None:
    other = dataclasses.replace(services, cursor_secret=kept())
    cursor = pages.encode(services, START, "list")

    assert pages.decode(other, cursor, "list") == START
    foreign = Services(MemoryStore(), MemoryFiles(), MemoryQueue())
    with pytest.raises(InvalidCursor):
        pages.decode(foreign, cursor, "list")


def test_a_cursor_ends_after_a_day(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    monkeypatch.setattr(pages, "now", lambda: made)
    cursor = pages.encode(services, START, "list")

    monkeypatch.setattr(pages, "now", lambda: made + timedelta(seconds=LIFETIME - 1))
    assert pages.decode(services, cursor, "list") == START
    monkeypatch.setattr(pages, "now", lambda: made + timedelta(seconds=LIFETIME))
    with pytest.raises(CursorExpired):
        pages.decode(services, cursor, "list")
    with pytest.raises(InvalidCursor):  # of whose list it was, an old cursor does not tell
        pages.decode(services, cursor, "another")


def owned_list(owner: str, kind: str) -> str:
    return f"{kind}/{owner}"


@given(
    mine=st.text(max_size=12),
    theirs=st.text(max_size=12),
    start=st.dictionaries(st.sampled_from(["PK", "SK", "GSI1PK", "GSI1SK"]), st.text(max_size=20)),
)
def test_a_cursor_never_crosses_to_another_owner(
    mine: str, theirs: str, start: dict[str, str]
) -> None:
    services = Services(
        MemoryStore(), MemoryFiles(), MemoryQueue(), cursor_secret=ServerSecret("s")
    )
    cursor = pages.encode(services, start, owned_list(mine, "projects"))

    assert pages.decode(services, cursor, owned_list(mine, "projects")) == start
    if theirs != mine:
        with pytest.raises(InvalidCursor):
            pages.decode(services, cursor, owned_list(theirs, "projects"))
    with pytest.raises(InvalidCursor):
        pages.decode(services, cursor, owned_list(mine, "modifications"))


def test_a_given_secret_is_used_and_not_stored(services: Services) -> None:
    store = CountedSecrets()
    given_one = dataclasses.replace(services, secrets=store, cursor_secret=ServerSecret("s3cret"))
    other_table = Services(
        MemoryStore(), MemoryFiles(), MemoryQueue(), cursor_secret=ServerSecret("s3cret")
    )

    cursor = pages.encode(given_one, START, "list")

    assert pages.decode(other_table, cursor, "list") == START
    with pytest.raises(InvalidCursor):
        pages.decode(services, cursor, "list")
    assert "s3cret" not in repr(given_one)
    assert store.looks == 0


def test_a_list_costs_no_look_at_the_secret_nor_at_the_table(services: Services) -> None:
    store = CountedSecrets()
    services = dataclasses.replace(services, secrets=store, cursor_secret=kept())
    for _ in range(10):
        cursor = pages.encode(services, START, "list")
        pages.decode(services, cursor, "list")

    assert store.looks == 1
    assert store.get(CURSOR_NAME)
    assert services.store.query("SECRET#cursor").items == []


def test_an_outage_of_the_secret_store_is_told_and_leaves_no_cursor_unsigned(
    services: Services,
) -> None:
    store = CountedSecrets()
    services = dataclasses.replace(services, secrets=store, cursor_secret=kept())
    store.away = True
    with pytest.raises(Unavailable):
        pages.encode(services, START, "list")
    forged = base64.urlsafe_b64encode(b"x" * 40).decode()
    with pytest.raises(Unavailable):
        pages.decode(services, forged, "list")

    store.away = False

    assert pages.decode(services, pages.encode(services, START, "list"), "list") == START


def test_tokens_and_cursors_have_secrets_of_their_own(services: Services) -> None:
    cursor = pages.encode(services, START, "list")
    tokens = services.server_secret.value(services.secrets)

    assert tokens != services.cursor_secret.value(services.secrets)
    with pytest.raises(InvalidCursor):
        other = dataclasses.replace(services, cursor_secret=services.server_secret)
        pages.decode(other, cursor, "list")
