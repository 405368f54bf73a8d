"""API keys that replace others, are shown again, end, and the admin key that always stays."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from agenticai_core import audit, auth, clock
from agenticai_core.auth.issuing import MAX_OVERLAP
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAllowed, NotAuthenticated, NotFound, WrongState
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.idempotency import IdempotencyKeyReused, Once
from agenticai_core.key_cache import KeyCache
from agenticai_core.models import ApiKey
from agenticai_core.queues import MemoryQueue
from agenticai_core.server_secret import NAME, ServerSecret
from agenticai_core.store import keys
from agenticai_core.store.base import Item, Key, StoreUnavailable, Update, Write
from agenticai_core.store.memory import MemoryStore

ALL: tuple[auth.Scope, ...] = ("read", "write", "admin")


@pytest.fixture
def services() -> Services:
    return Services(MemoryStore(), MemoryFiles(), MemoryQueue())


def admin_of(services: Services, *scopes: auth.Scope, owner: str = "alice") -> auth.Caller:
    _, secret = auth.create_api_key(services.store, owner, "admin", scopes or ALL)
    return auth.authenticate(services, secret)


def once(name: str, fingerprint: str = "f", owner: str = "alice") -> Once:
    return Once(owner_id=owner, route="POST /api/keys", key=name, fingerprint=fingerprint)


def now_is(monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    monkeypatch.setattr("agenticai_core.auth.authentication.now", lambda: clock.parse(moment))
    monkeypatch.setattr("agenticai_core.auth.keys.now", lambda: clock.parse(moment))


# ---- making -------------------------------------------------------------------------------------


def test_a_key_makes_another_with_no_more_than_its_own_scopes(services: Services) -> None:
    caller = admin_of(services, "read", "admin")

    new = auth.issue_api_key(services, caller, "reader", ["read", "read"])

    assert auth.authenticate(services, new.secret).key == new.key
    assert (new.key.scopes, new.key.owner_id) == (("read",), "alice")
    with pytest.raises(NotAllowed, match="write"):
        auth.issue_api_key(services, caller, "writer", ["read", "write"])
    assert len(auth.list_api_keys(services.store, "alice")) == 2


def test_a_token_makes_none(services: Services) -> None:
    token = auth.exchange(services, admin_of(services))
    caller = auth.authenticate(services, token.text)

    with pytest.raises(auth.ApiKeyRequired):
        auth.issue_api_key(services, caller, "n", ["read"])
    with pytest.raises(auth.ApiKeyRequired):
        auth.rotate_api_key(services, caller, caller.id)


def test_without_a_name_two_requests_make_two_keys(services: Services) -> None:
    caller = admin_of(services)

    made = [auth.issue_api_key(services, caller, "n", ["read"]) for _ in range(2)]

    assert made[0].key.id != made[1].key.id
    assert made[0].secret != made[1].secret


def test_the_same_request_shows_the_same_secret_again(services: Services) -> None:
    caller = admin_of(services)

    made = [auth.issue_api_key(services, caller, "n", ["read"], once("a")) for _ in range(3)]

    assert len(set(made)) == 1
    assert auth.authenticate(services, made[0].secret).key == made[0].key
    assert len(auth.list_api_keys(services.store, "alice")) == 2
    with pytest.raises(IdempotencyKeyReused):
        auth.issue_api_key(services, caller, "n", ["read"], once("a", "another"))


def test_fifty_at_once_make_one_key(services: Services) -> None:
    caller = admin_of(services)

    def make(_: int) -> auth.NewKey:
        return auth.issue_api_key(services, caller, "n", ["read"], once("a"))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(make, range(50)))) == 1
    assert len(auth.list_api_keys(services.store, "alice")) == 2


def test_secrets_and_what_they_are_made_of_are_not_in_the_table(services: Services) -> None:
    new = auth.issue_api_key(services, admin_of(services), "n", ["read"], once("a"))

    store = services.store
    assert isinstance(store, MemoryStore)
    kept = json.dumps(list(store._items.values()))
    assert new.secret not in kept
    assert new.secret.removeprefix(auth.PREFIX) not in kept
    assert (services.secrets.get(NAME) or "?") not in kept


def test_derived_secrets_are_as_long_as_others_and_all_different(services: Services) -> None:
    caller = admin_of(services)

    made = [auth.issue_api_key(services, caller, "n", ["read"], once(f"{n}")) for n in range(20)]

    assert len({new.secret for new in made}) == 20
    assert {len(new.secret) for new in made} == {len(auth.PREFIX) + 43}


def test_another_server_secret_shows_no_wrong_secret(services: Services) -> None:
    caller = admin_of(services)
    auth.issue_api_key(services, caller, "n", ["read"], once("a"))
    changed = replace(services, server_secret=ServerSecret("n" * 32))

    with pytest.raises(WrongState, match="cannot be shown"):
        auth.issue_api_key(changed, caller, "n", ["read"], once("a"))


def test_a_replay_shows_nothing_to_whom_could_not_have_asked(services: Services) -> None:
    able, less = admin_of(services), admin_of(services, "admin")
    made = auth.issue_api_key(services, able, "n", ["write"], once("a"))
    auth.rotate_api_key(services, able, made.key.id, 60, once("b"))

    with pytest.raises(NotAllowed):
        auth.issue_api_key(services, less, "n", ["write"], once("a"))
    with pytest.raises(NotAllowed):
        auth.rotate_api_key(services, less, made.key.id, 60, once("b"))


def test_a_key_that_was_revoked_elsewhere_makes_none_though_it_is_still_remembered(
    services: Services,
) -> None:
    caller, other = admin_of(services), admin_of(services)
    elsewhere = replace(services, key_cache=KeyCache())
    auth.revoke_api_key(elsewhere, "alice", caller.id)
    assert auth.recheck(services, caller)  # for a moment

    with pytest.raises(NotAuthenticated):
        auth.issue_api_key(services, caller, "n", ["read"])
    with pytest.raises(NotAuthenticated):
        auth.rotate_api_key(services, caller, other.id)

    assert len(auth.list_api_keys(services.store, "alice")) == 2
    with pytest.raises(NotAuthenticated):  # and is remembered no more
        auth.recheck(services, caller)


@pytest.mark.parametrize("deed", ["issue", "rotate"])
def test_nor_when_it_is_revoked_in_the_middle(services: Services, deed: str) -> None:
    caller, other = admin_of(services), admin_of(services)
    store = services.store

    class Meanwhile(MemoryStore):
        """Revokes the caller's key between the look at it and the transaction."""

        def write(self, *writes: Write, token: str | None = None) -> None:
            gone = {"revoked_at": clock.stamp(clock.now())}
            store.write(Update(keys.api_key(caller.key.hash), set=gone))
            store.write(*writes, token=token)

    meanwhile = Meanwhile()
    assert isinstance(store, MemoryStore)
    meanwhile._items = store._items
    there = replace(services, store=meanwhile)

    with pytest.raises(NotAuthenticated):
        if deed == "issue":
            auth.issue_api_key(there, caller, "n", ["read"])
        else:
            auth.rotate_api_key(there, caller, other.id)
    assert len(auth.list_api_keys(store, "alice")) == 2


# ---- rotating -----------------------------------------------------------------------------------


def test_both_are_good_until_the_overlap_ends(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = admin_of(services)
    old = auth.issue_api_key(services, caller, "server", ["read"])

    new = auth.rotate_api_key(services, caller, old.key.id, 3600)

    assert (new.key.name, new.key.scopes, new.key.expires_at) == ("server", ("read",), None)
    assert new.key.id != old.key.id
    assert auth.authenticate(services, old.secret).key == new.replaced
    assert auth.authenticate(services, new.secret).key == new.key
    ends = new.replaced.expires_at
    assert ends is not None
    assert timedelta(seconds=3590) < clock.parse(ends) - clock.now() < timedelta(seconds=3601)

    now_is(monkeypatch, ends)

    assert auth.authenticate(services, new.secret)
    with pytest.raises(NotAuthenticated, match="expired"):
        auth.authenticate(services, old.secret)


def test_without_an_overlap_the_old_one_ends_at_once(services: Services) -> None:
    caller = admin_of(services)
    old = auth.issue_api_key(services, caller, "server", ["read"])
    assert auth.authenticate(services, old.secret)

    auth.rotate_api_key(services, caller, old.key.id, 0)

    with pytest.raises(NotAuthenticated, match="expired"):
        auth.authenticate(services, old.secret)


def test_rotated_again_the_old_one_lasts_no_longer(services: Services) -> None:
    caller = admin_of(services)
    old = auth.issue_api_key(services, caller, "server", ["read"])
    first = auth.rotate_api_key(services, caller, old.key.id, 60)

    second = auth.rotate_api_key(services, caller, old.key.id, MAX_OVERLAP)
    third = auth.rotate_api_key(services, caller, old.key.id, 1)

    assert second.replaced.expires_at == first.replaced.expires_at
    assert (third.replaced.expires_at or "") < (first.replaced.expires_at or "")


def test_what_has_ended_is_not_rotated(services: Services) -> None:
    caller = admin_of(services)
    revoked, expired = (auth.issue_api_key(services, caller, "n", ["read"]).key for _ in range(2))
    auth.revoke_api_key(services, "alice", revoked.id)
    auth.rotate_api_key(services, caller, expired.id, 0)

    for key in (revoked, expired):
        with pytest.raises(WrongState):
            auth.rotate_api_key(services, caller, key.id)


def test_nobody_rotates_anothers_key_or_one_that_can_do_more(services: Services) -> None:
    strong = admin_of(services)

    with pytest.raises(NotFound):
        auth.rotate_api_key(services, admin_of(services, owner="bob"), strong.id)
    with pytest.raises(NotAllowed):
        auth.rotate_api_key(services, admin_of(services, "admin"), strong.id)


def test_a_rotation_that_comes_again_shows_the_same(services: Services) -> None:
    caller = admin_of(services)

    answers = [auth.rotate_api_key(services, caller, caller.id, 60, once("a")) for _ in range(2)]

    assert answers[0] == answers[1]
    assert len(auth.list_api_keys(services.store, "alice")) == 2


def test_a_key_rotates_itself_and_the_new_one_is_admin(services: Services) -> None:
    caller = admin_of(services)

    new = auth.rotate_api_key(services, caller, caller.id, 0)

    assert auth.authenticate(services, new.secret).scopes == ALL


def test_all_or_nothing_is_written(services: Services) -> None:
    caller = admin_of(services)

    class Down(MemoryStore):
        def write(self, *writes: Write, token: str | None = None) -> None:
            raise StoreUnavailable("away")

    down = Down()
    assert isinstance(services.store, MemoryStore)
    down._items = services.store._items

    with pytest.raises(StoreUnavailable):
        auth.rotate_api_key(replace(services, store=down), caller, caller.id, 0)
    assert auth.recheck(services, caller)
    assert len(auth.list_api_keys(services.store, "alice")) == 1


def test_a_key_of_before_expiry_was_known_is_rotated_too(services: Services) -> None:
    caller = admin_of(services)
    services.store.write(Update(keys.api_key(caller.key.hash), remove=["expires_at"]))
    services.key_cache.drop(caller.key.hash)
    assert auth.recheck(services, caller).key.expires_at is None

    assert auth.rotate_api_key(services, caller, caller.id, 60).replaced.expires_at


# ---- the admin key that stays -------------------------------------------------------------------


def test_the_last_admin_key_is_not_revoked(services: Services) -> None:
    caller = admin_of(services)
    auth.issue_api_key(services, caller, "n", ["read", "write"])

    with pytest.raises(auth.LastAdminKey) as caught:
        auth.revoke_api_key(services, "alice", caller.id)

    assert (caught.value.status, caught.value.code) == (409, "LAST_ADMIN_KEY")
    assert caught.value.hint
    assert auth.recheck(services, caller)


def test_another_owners_admin_key_does_not_count(services: Services) -> None:
    caller = admin_of(services)
    admin_of(services, owner="bob")

    with pytest.raises(auth.LastAdminKey):
        auth.revoke_api_key(services, "alice", caller.id)


def test_one_that_expires_does_not_count(services: Services) -> None:
    caller = admin_of(services)
    new = auth.rotate_api_key(services, caller, caller.id, MAX_OVERLAP)

    with pytest.raises(auth.LastAdminKey):
        auth.revoke_api_key(services, "alice", new.key.id)
    assert auth.revoke_api_key(services, "alice", caller.id).revoked_at


def test_two_that_revoke_each_other_leave_one(services: Services) -> None:
    for _ in range(20):
        first, second = admin_of(services), admin_of(services)
        for other in auth.list_api_keys(services.store, "alice"):
            if other.id not in (first.id, second.id) and not other.revoked_at:
                auth.revoke_api_key(services, "alice", other.id)

        def revoke(key_id: str) -> bool:
            try:
                return bool(auth.revoke_api_key(services, "alice", key_id))
            except auth.LastAdminKey:
                return False

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(revoke, [first.id, second.id])) == [False, True]


class AdminKeys(RuleBasedStateMachine):
    """Whatever is done, in whatever order: who has an admin key that stays, keeps one."""

    made = Bundle("made")

    def __init__(self) -> None:
        super().__init__()
        self.services = Services(MemoryStore(), MemoryFiles(), MemoryQueue())
        self.first = admin_of(self.services)

    def _caller(self) -> auth.Caller:
        alive = [
            key
            for key in auth.list_api_keys(self.services.store, "alice")
            if "admin" in key.scopes and not key.revoked_at and not key.expires_at
        ]
        return auth.Caller(alive[0], ALL)

    @rule(target=made)
    def begin(self) -> str:
        return self.first.id

    @rule(target=made, scopes=st.sets(st.sampled_from(ALL), min_size=1))
    def issue(self, scopes: set[auth.Scope]) -> str:
        return auth.issue_api_key(self.services, self._caller(), "n", sorted(scopes)).key.id

    @rule(target=made, key_id=made, overlap=st.sampled_from([0, 60]))
    def rotate(self, key_id: str, overlap: int) -> str:
        try:
            return auth.rotate_api_key(self.services, self._caller(), key_id, overlap).key.id
        except WrongState:
            return key_id

    @rule(key_id=made)
    def revoke(self, key_id: str) -> None:
        try:
            auth.revoke_api_key(self.services, "alice", key_id)
        except auth.LastAdminKey:
            assert self._caller().id == key_id

    @invariant()
    def one_stays(self) -> None:
        assert self._caller()

    @invariant()
    def every_deed_was_written_down(self) -> None:
        entries, _ = audit.list_entries(self.services, "alice", limit=1000)
        known = {key.id: key for key in auth.list_api_keys(self.services.store, "alice")}
        assert _subjects(entries, "key_revoked") == {
            i for i, key in known.items() if key.revoked_at
        }
        assert _subjects(entries, "key_rotated") == {
            i for i, key in known.items() if key.expires_at
        }


def _subjects(entries: list[audit.AuditEntry], action: str) -> set[str]:
    return {entry.subject for entry in entries if entry.action == action}


TestAdminKeys = AdminKeys.TestCase
TestAdminKeys.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


# ---- what instances see -------------------------------------------------------------------------


def test_another_instance_hears_of_it_when_its_memory_is_too_old(services: Services) -> None:
    caller = admin_of(services)
    new = auth.issue_api_key(services, caller, "n", ["read"])
    seconds = [1000.0]
    there = replace(services, key_cache=KeyCache(clock=lambda: seconds[0]))
    assert auth.authenticate(there, new.secret)

    auth.revoke_api_key(services, "alice", new.key.id)

    assert auth.authenticate(there, new.secret)  # not yet
    seconds[0] += 3
    with pytest.raises(NotAuthenticated):
        auth.authenticate(there, new.secret)


def test_a_good_key_costs_one_read_in_a_while(services: Services) -> None:
    class Counting(MemoryStore):
        reads = 0

        def get(self, key: Key) -> Item | None:
            self.reads += 1
            return super().get(key)

    store = Counting()
    counted = replace(services, store=store)
    caller = admin_of(counted)
    token = auth.exchange(counted, caller).text
    store.reads = 0

    for _ in range(100):
        auth.authenticate(counted, token)
        auth.recheck(counted, caller)

    assert store.reads == 0


def test_unknown_keys_are_not_remembered(services: Services) -> None:
    for number in range(50):
        with pytest.raises(NotAuthenticated):
            auth.authenticate(services, f"agk_{number}")

    assert len(services.key_cache) == 0


def test_a_hundred_and_more_are_looked_at_together(services: Services) -> None:
    callers = [admin_of(services) for _ in range(120)]
    auth.revoke_api_key(services, "alice", callers[7].id)

    auth.refresh(services, callers)

    assert [caller.id for caller in callers if not _good(services, caller)] == [callers[7].id]


def _good(services: Services, caller: auth.Caller) -> ApiKey | None:
    try:
        return auth.recheck(services, caller).key
    except NotAuthenticated:
        return None
