"""`agenticai doctor`: what stands between this machine and a working system, one check a line."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import typer
from rich.text import Text
from websockets.exceptions import ConnectionClosed, WebSocketException

from agenticai_client.errors import ApiError, ClientError
from agenticai_client.find import Target
from agenticai_client.live import SUBPROTOCOL, open_socket
from agenticai_client.rest import Rest
from agenticai_client.session import ExitCode, Session, session_of
from agenticai_client.wording import one_line

OLDEST_PYTHON = (3, 11)
MAX_SKEW = 60.0  # seconds; signed requests are refused at 300
_TIMEOUT = 5.0


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str
    hint: str | None = None


def doctor(context: typer.Context) -> None:
    """Look for what keeps you from working, and say what to do about it.

    Example: agenticai doctor --api-url http://localhost:8000
    """
    session = session_of(context)
    checks = []
    for check in examine(session):
        checks.append(check)
        if not session.json:
            _print(session, check)
    fine = all(check.ok for check in checks)
    if session.json:
        session.emit({"ok": fine, "checks": [vars(check) for check in checks]})
    raise typer.Exit(ExitCode.OK if fine else ExitCode.FAILED)


def examine(session: Session) -> Iterator[Check]:
    """The checks, as they are done; what depends on a failed one is left out."""
    yield _check_python()
    try:
        target = session.target
    except ClientError as error:
        yield Check("configuration", False, error.message, error.hint)
        return
    yield Check("configuration", True, f"{target.api_url} (from {target.source})")
    rest = Rest(target.api_url, target.api_key, timeout=_TIMEOUT, attempts=1)
    try:
        yield from _check_api(rest)
    finally:
        rest.close()
    yield _check_socket(target)


def _check_python() -> Check:
    running = ".".join(map(str, sys.version_info[:3]))
    oldest = ".".join(map(str, OLDEST_PYTHON))
    ok = sys.version_info >= OLDEST_PYTHON
    return Check("Python", ok, running, None if ok else f"Install Python {oldest} or newer.")


def _check_api(rest: Rest) -> Iterator[Check]:
    began = time.monotonic()
    try:
        response = rest.call("GET", "/health")
        version = response.json()["version"]
    except ClientError as error:
        yield Check("API", False, error.message, error.hint)
        return
    except (ValueError, KeyError, TypeError):
        hint = "Is this the address of an agenticai API?"
        yield Check("API", False, f"{rest.api_url}/health gives something else", hint)
        return
    spent = (time.monotonic() - began) * 1000
    yield Check("API", True, f"version {version}, answered in {spent:.0f} ms")
    yield _check_clock(response.headers.get("Date"))
    yield _attempt("parts", lambda: _parts(rest))
    yield _attempt("API key", lambda: _key(rest))


def _check_clock(date: str | None) -> Check:
    try:
        skew = time.time() - parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return Check("clock", True, "the API tells no time to compare with")
    if abs(skew) <= MAX_SKEW:
        return Check("clock", True, "agrees with the API's")
    ahead = "ahead of" if skew > 0 else "behind"
    hint = "Set this machine's clock, or the server's: requests to AWS fail with a wrong one."
    return Check("clock", False, f"{abs(skew):.0f} s {ahead} the API's", hint)


def _parts(rest: Rest) -> str:
    checks = rest.json("GET", "/health/ready").get("checks") or {}
    return ", ".join(f"{name} {answer}" for name, answer in sorted(checks.items())) or "ready"


def _key(rest: Rest) -> str:
    rest.json("GET", "/api/projects", params={"limit": 1})
    return "accepted"


def _attempt(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except ApiError as error:
        failed = error.details.get("failed")
        more = f" ({', '.join(map(str, failed))})" if failed else ""
        return Check(
            name, False, error.message + ("" if more[2:-1] in error.message else more), error.hint
        )
    except ClientError as error:
        return Check(name, False, error.message, error.hint)


def _check_socket(target: Target) -> Check:
    """Connect, and wait for the gateway's welcome: it comes once the key has been accepted."""
    hint = f"Is the gateway running at {target.websocket_url}? AGENTICAI_WEBSOCKET_URL says where."
    try:
        with open_socket(target.websocket_url, target.api_key, _TIMEOUT) as socket:
            if socket.subprotocol != SUBPROTOCOL:
                return Check("WebSocket", False, f"does not speak {SUBPROTOCOL}", hint)
            frame = json.loads(socket.recv(timeout=_TIMEOUT))
    except ConnectionClosed as closed:
        code = closed.rcvd.code if closed.rcvd else 1006
        return Check("WebSocket", False, f"closed with {code}", "Is the API key accepted there?")
    except (OSError, ValueError, WebSocketException) as error:
        reason = one_line(error) or type(error).__name__
        return Check("WebSocket", False, f"{target.websocket_url}: {reason}", hint)
    if not isinstance(frame, dict) or frame.get("type") != "welcome":
        return Check("WebSocket", False, "did not say welcome", "Is the API key accepted there?")
    return Check("WebSocket", True, f"{target.websocket_url}, {SUBPROTOCOL}")


def _print(session: Session, check: Check) -> None:
    mark, style = ("✓", "green") if check.ok else ("✗", "red")
    session.out.print(
        Text.assemble((mark, style), f" {check.name}: {one_line(check.detail)}"), soft_wrap=True
    )
    if check.hint and not check.ok:
        session.out.print(Text(f"  {one_line(check.hint)}", style="yellow"), soft_wrap=True)
