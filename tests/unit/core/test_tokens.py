"""Tokens: who gets which, and everything that makes one no good."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenticai_core import auth, clock
from agenticai_core.auth import tokens
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotAllowed, NotAuthenticated
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.queues import MemoryQueue
from agenticai_core.server_secret import ServerSecret
from agenticai_core.store import keys
from agenticai_core.store.base import Update
from agenticai_core.store.memory import MemoryStore

SECRET = "a secret that is long enough for HMAC-SHA256"


def services_of(issuer: str = "agenticai/local", secret: str = SECRET) -> Services:
    return Services(
        MemoryStore(),
        MemoryFiles(),
        MemoryQueue(),
        server_secret=ServerSecret(secret),
        issuer=issuer,
    )


@pytest.fixture
def services() -> Services:
    return services_of()


def caller_of(services: Services, *scopes: auth.Scope) -> auth.Caller:
    _, secret = auth.create_api_key(services.store, "alice", "laptop", scopes or ("read", "write"))
    return auth.authenticate(services, secret)


def claims_of(token: auth.Token) -> dict[str, Any]:
    return jwt.decode(token.text, options={"verify_signature": False})


def test_a_token_says_who_and_what_and_no_more(services: Services) -> None:
    caller = caller_of(services, "read", "write", "admin")

    token = auth.exchange(services, caller, ["read"], 60)

    told = claims_of(token)
    assert jwt.get_unverified_header(token.text) == {"alg": "HS256", "typ": "JWT"}
    assert set(told) == {"iss", "aud", "sub", "jti", "iat", "exp", "key", "scope"}
    assert (told["iss"], told["aud"]) == ("agenticai/local", "agenticai/local/api")
    assert (told["sub"], told["scope"], told["key"]) == ("alice", "read", caller.key.hash)
    assert told["exp"] - told["iat"] == 60
    assert clock.parse(token.expires_at).timestamp() == told["exp"]


def test_it_is_as_good_as_its_key_but_for_its_scopes(services: Services) -> None:
    caller = caller_of(services, "read", "write")

    again = auth.authenticate(services, auth.exchange(services, caller, ["read"]).text)

    assert (again.key, again.owner_id, again.id) == (caller.key, "alice", caller.id)
    assert (again.scopes, again.means) == (("read",), "token")


def test_without_scopes_it_has_those_of_the_key(services: Services) -> None:
    caller = caller_of(services, "admin", "read")

    assert auth.exchange(services, caller).scopes == ("admin", "read")


def test_nobody_gets_a_scope_that_the_key_lacks(services: Services) -> None:
    with pytest.raises(NotAllowed, match="admin"):
        auth.exchange(services, caller_of(services, "read"), ["read", "admin"])


def test_a_token_is_not_exchanged_for_another(services: Services) -> None:
    token = auth.exchange(services, caller_of(services))

    with pytest.raises(auth.ApiKeyRequired):
        auth.exchange(services, auth.authenticate(services, token.text))


def test_it_ends_with_the_key_that_expires_first(services: Services) -> None:
    caller = caller_of(services)
    ends = clock.stamp_in(100)
    services.store.write(Update(keys.api_key(caller.key.hash), set={"expires_at": ends}))
    auth.refresh(services, [caller])
    caller = auth.recheck(services, caller)

    assert auth.exchange(services, caller, None, 900).expires_at <= ends


def test_no_two_are_alike(services: Services) -> None:
    caller = caller_of(services)

    assert len({auth.exchange(services, caller).text for _ in range(20)}) == 20


# ---- what makes one no good ---------------------------------------------------------------------


def sign(services: Services, secret: Any = SECRET, alg: str = "HS256", **changes: Any) -> str:
    """A token that is right but for what is told here; None takes a claim away."""
    told = claims_of(auth.exchange(services, caller_of(services))) | changes
    left = {name: value for name, value in told.items() if value is not None}
    return jwt.encode(left, secret, alg)


def confused(services: Services) -> str:
    """As if an RS256 public key were taken for the secret: the header says RS256, HMAC signs."""
    told = claims_of(auth.exchange(services, caller_of(services)))
    header = {"alg": "RS256", "typ": "JWT"}
    body = ".".join(_encode(json.dumps(part).encode()) for part in (header, told))
    return f"{body}.{_encode(hmac.digest(SECRET.encode(), body.encode(), hashlib.sha256))}"


def tampered(services: Services) -> str:
    header, _, signature = sign(services).split(".")
    payload = claims_of(auth.exchange(services, caller_of(services))) | {"sub": "bob"}
    return f"{header}.{_encode(json.dumps(payload).encode())}.{signature}"


def deep(_: Services) -> str:
    return f"{_encode(b'[' * 1400)}.e30.e30"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


NO_ALGORITHM = _encode(b'{"alg":"none"}')
PAST = int((clock.now() - timedelta(seconds=tokens.LEEWAY + 1)).timestamp())
REFUSED: dict[str, Callable[[Services], str]] = {
    "expired": lambda s: sign(s, exp=PAST),
    "alg none": lambda s: sign(s, None, "none"),
    "alg none with our signature": lambda s: ".".join([NO_ALGORITHM, *sign(s).split(".")[1:]]),
    "HS512": lambda s: sign(s, SECRET * 2, "HS512"),
    "HS384 with our secret": lambda s: sign(s, alg="HS384"),
    "RS256 over HMAC": confused,
    "tampered": tampered,
    "another secret": lambda s: sign(s, "x" * 40),
    "an empty secret": lambda s: sign(s, "\0" * 32),
    "another audience": lambda s: sign(s, aud="agenticai/prod/api"),
    "one audience of many": lambda s: sign(s, aud=["agenticai/local/api", "other"]),
    "another issuer": lambda s: sign(s, iss="agenticai/prod"),
    "from the future": lambda s: sign(s, iat=PAST + 3600),
    "not yet": lambda s: sign(s, nbf=PAST + 3600),
    "another owner": lambda s: sign(s, sub="bob"),
    "an unknown key": lambda s: sign(s, key="0" * 64),
    "no hash": lambda s: sign(s, key="METADATA"),
    "scopes of another form": lambda s: sign(s, scope=["read"]),
    "no signature": lambda s: sign(s).rsplit(".", 1)[0] + ".",
    "two parts": lambda s: sign(s).rsplit(".", 1)[0],
    "four parts": lambda s: sign(s) + ".e30",
    "too long": lambda s: sign(s, more="x" * 3000),
    "nested deep": deep,
    **{
        f"without {name}": lambda s, name=name: sign(s, **{name: None})  # type: ignore[misc]
        for name in ("iss", "aud", "exp", "iat", "jti", "sub", "key", "scope")
    },
}


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("make", REFUSED.values(), ids=list(REFUSED))
def test_it_is_refused(services: Services, make: Callable[[Services], str]) -> None:
    with pytest.raises(NotAuthenticated):
        auth.authenticate(services, make(services))


def test_what_these_are_made_from_is_good(services: Services) -> None:
    assert auth.authenticate(services, sign(services)).owner_id == "alice"
    late = int(clock.now().timestamp()) - 1  # clocks differ a little
    assert auth.authenticate(services, sign(services, exp=late)).owner_id == "alice"


def test_a_scope_that_the_key_lost_is_lost(services: Services) -> None:
    assert auth.authenticate(services, sign(services, scope="read admin root")).scopes == ("read",)


def test_another_environment_has_another_audience_even_with_the_same_secret(
    services: Services,
) -> None:
    caller = caller_of(services)
    token = auth.exchange(services, caller).text
    elsewhere = services_of(issuer="agenticai/prod")
    row = services.store.get(keys.api_key(caller.key.hash)) or {}
    elsewhere.store.write(Update(keys.api_key(caller.key.hash), set=_without_keys(row)))
    assert auth.recheck(elsewhere, caller)  # the key itself is known there

    with pytest.raises(NotAuthenticated):
        auth.authenticate(elsewhere, token)


def _without_keys(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("PK", "SK")}


def test_it_ends_with_its_key(services: Services) -> None:
    caller = caller_of(services)
    token = auth.exchange(services, caller).text
    assert auth.authenticate(services, token)

    auth.revoke_api_key(services, "alice", caller.id)

    with pytest.raises(NotAuthenticated, match="revoked"):
        auth.authenticate(services, token)


def test_who_stays_connected_leaves_when_the_token_ends(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = auth.authenticate(
        services, auth.exchange(services, caller_of(services), None, 60).text
    )
    assert auth.recheck(services, caller)
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr("agenticai_core.auth.authentication.now", lambda: later)

    with pytest.raises(NotAuthenticated, match="expired"):
        auth.recheck(services, caller)


@given(st.text())
def test_whatever_is_sent_is_refused_and_nothing_else_happens(text: str) -> None:
    for credential in (text, f"{text}.{text}.{text}", f"eyJhbGciOiJIUzI1NiJ9.{text}.{text}"):
        with pytest.raises(NotAuthenticated):
            auth.authenticate(services_of(), credential)


@given(st.integers(0, 10_000), st.integers(0, 4))
def test_no_changed_character_is_overlooked(position: int, choice: int) -> None:
    services = services_of()
    text = auth.exchange(services, caller_of(services)).text
    at = position % (len(text) - 1)  # the last one has bits that mean nothing
    other = [one for one in "Aa0_-." if one != text[at]][choice]

    with pytest.raises(NotAuthenticated):
        auth.authenticate(services, text[:at] + other + text[at + 1 :])
