"""Where the system is: options, then the environment, then the file a local system leaves behind.

``.agenticai/local.json`` holds ``{"api_url", "websocket_url", "api_key"}``. It is looked for in
the current folder, in the folders above it, and in the home folder.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from agenticai_client.errors import NotConfigured

LOCAL_FILE = Path(".agenticai") / "local.json"
HINT = "Start one with `make up`, or give --api-url and --api-key (or AGENTICAI_API_URL and _KEY)."


@dataclass(frozen=True)
class Target:
    """One system to talk to, and where its address came from (for `agenticai doctor`)."""

    api_url: str
    api_key: str
    websocket_url: str
    source: str


def find_target(
    api_url: str | None = None,
    api_key: str | None = None,
    *,
    env: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Target:
    """The system to talk to; raises `NotConfigured` when address or key cannot be found.

    A key from the environment goes to an address from a file only on this machine: a file that
    came with somebody's folder must not be able to send it elsewhere.
    """
    env = os.environ if env is None else env
    path, stored = read_local_file(folder)
    url, source = _first_url(api_url, env, path, stored)
    key = api_key or _key_for(url, source, env, stored)
    if not key:
        raise NotConfigured(f"No API key for {url}.", hint="Give --api-key or AGENTICAI_API_KEY.")
    return Target(url, key, find_websocket_url(url, env=env, stored=stored), source)


def find_websocket_url(
    api_url: str,
    *,
    env: Mapping[str, str] | None = None,
    stored: Mapping[str, Any] | None = None,
    folder: Path | None = None,
) -> str:
    """The gateway that belongs to ``api_url``: environment, local file, or derived from it."""
    env = os.environ if env is None else env
    if stored is None:
        stored = read_local_file(folder)[1]
    url = env.get("AGENTICAI_WEBSOCKET_URL")
    if not url and _same(stored.get("api_url"), api_url):
        url = stored.get("websocket_url")
    return socket_address(str(url)) if url else derive_websocket_url(api_url)


def derive_websocket_url(api_url: str) -> str:
    """Behind one load balancer: the same host under ``/ws``; locally port 8080 beside 8000."""
    parts = urlsplit(api_url)
    host = parts.netloc
    if is_loopback(api_url) and parts.port == 8000:
        host = host.removesuffix(":8000") + ":8080"
    return socket_address(urlunsplit((parts.scheme, host, parts.path.rstrip("/") + "/ws", "", "")))


def socket_address(url: str) -> str:
    """``url`` with a ``ws`` scheme, and with the path ``/ws`` where it names none."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path if parts.path.strip("/") else "/ws"
    return urlunsplit((scheme, parts.netloc, path, "", ""))


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def read_local_file(folder: Path | None = None) -> tuple[Path | None, dict[str, Any]]:
    """The nearest local file and its content; ``(None, {})`` when there is none."""
    start = (folder or Path.cwd()).resolve()
    for place in (start, *start.parents, Path.home()):
        path = place / LOCAL_FILE
        if path.is_file():
            return path, _load(path)
    return None, {}


def _load(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotConfigured(f"{path} cannot be read: {error}", hint=HINT) from error
    if not isinstance(content, dict):
        raise NotConfigured(f"{path} does not hold a JSON object.", hint=HINT)
    return content


def _first_url(
    given: str | None, env: Mapping[str, str], path: Path | None, stored: Mapping[str, Any]
) -> tuple[str, str]:
    candidates = (
        (given, "--api-url"),
        (env.get("AGENTICAI_API_URL"), "AGENTICAI_API_URL"),
        (stored.get("api_url"), str(path)),
    )
    for url, source in candidates:
        if url:
            return _checked(str(url), source), source
    raise NotConfigured("No running system found.", hint=HINT)


def _checked(url: str, source: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured(
            f"{source} is not a web address: {url!r}", hint="Write it like http://localhost:8000."
        )
    return url.rstrip("/")


def _key_for(
    url: str, source: str, env: Mapping[str, str], stored: Mapping[str, Any]
) -> str | None:
    from_env = env.get("AGENTICAI_API_KEY")
    if from_env and (source in ("--api-url", "AGENTICAI_API_URL") or is_loopback(url)):
        return from_env
    if _same(stored.get("api_url"), url):
        return stored.get("api_key")
    return None


def _same(one: object, other: str) -> bool:
    return isinstance(one, str) and one.rstrip("/") == other.rstrip("/")
