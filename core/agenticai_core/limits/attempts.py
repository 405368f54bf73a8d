"""Failed authentications: few per address, so that keys cannot be guessed at the table's cost."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address

from agenticai_core.auth import hash_key
from agenticai_core.errors import NotAuthenticated
from agenticai_core.limits.bucket import CAPACITY, Buckets
from agenticai_core.limits.verdict import TooManyFailures


class Attempts:
    """Lets an address try credentials, while its failures are within ``buckets``.

    A token is taken before the credential is looked at and put back unless that fails, so that
    many tries at once are no way around. A credential that was good lately needs none: whoever
    guesses behind the same address locks nobody out who is known. Safe under threads.
    """

    def __init__(self, buckets: Buckets, *, capacity: int = CAPACITY) -> None:
        self._buckets = buckets
        self._capacity = capacity
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    @contextmanager
    def attempt(self, address: str, credential: str) -> Iterator[None]:
        """Around one authentication; raises `TooManyFailures` before it begins."""
        name, digest = _network(address), hash_key(credential)
        known = self._is_known(digest)
        if not known:
            self._take(name)
        failed = False
        try:
            yield
            self._remember(digest)
        except NotAuthenticated:
            failed = True
            self._forget(digest)
            raise
        finally:
            if not known and not failed:
                self._buckets.put_back(name)

    def _take(self, name: str) -> None:
        verdict = self._buckets.take(name)
        if not verdict.allowed:
            raise TooManyFailures(verdict)

    def _is_known(self, digest: str) -> bool:
        with self._lock:
            return digest in self._known

    def _remember(self, digest: str) -> None:
        with self._lock:
            self._known[digest] = None
            self._known.move_to_end(digest)
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)

    def _forget(self, digest: str) -> None:
        with self._lock:
            self._known.pop(digest, None)


def _network(address: str) -> str:
    """The address; of IPv6 its /64, which is what one subscriber has; what is neither, as it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{int(parsed) >> 64:x}::/64"
