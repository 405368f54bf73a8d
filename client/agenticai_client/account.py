"""Who you are and what you used; keys, tokens and tickets."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from agenticai_client.calls import Calls, Json


class Account(Calls):
    def me(self) -> Json:
        """``{"owner_id", "credential", "limits"}``."""
        return self._rest.json("GET", "/api/me")

    def usage(self, month: str | None = None) -> Json:
        """Requests, tokens and cost of a month (``2026-11``; left out: this one), by project."""
        return self._rest.json("GET", "/api/usage", params={"month": month})

    def audit(self, limit: int | None = None) -> Iterator[Json]:
        """What was done that cannot be undone, newest first."""
        return self._pages("/api/audit", "entries", limit)

    def create_key(
        self, name: str, scopes: Sequence[str] = ("read", "write"), **options: Any
    ) -> Json:
        """``{"key": {…}, "secret": …}``: the secret is shown this once and never again."""
        return self._create_all("/api/keys", {"name": name, "scopes": list(scopes), **options})

    def list_keys(self) -> list[Json]:
        """Your keys, without their secrets; revoked ones have ``revoked_at``."""
        keys: list[Json] = self._rest.json("GET", "/api/keys")["keys"]
        return keys

    def rotate_key(self, key_id: str, overlap_seconds: int | None = None, **options: Any) -> Json:
        """A new key in the place of this one, as `create_key` gives it; the old one goes on for
        ``overlap_seconds`` (left out: a day)."""
        overlap = {} if overlap_seconds is None else {"overlap_seconds": overlap_seconds}
        path = f"/api/keys/{quote(key_id, safe='')}/rotate"
        return self._create_all(path, overlap | options)

    def revoke_key(self, key_id: str) -> Json:
        return self._rest.json("DELETE", f"/api/keys/{quote(key_id, safe='')}")

    def create_token(
        self, scopes: Sequence[str] | None = None, ttl_seconds: int | None = None
    ) -> Json:
        """``{"token", "expires_at", "scopes"}``: a short-lived stand-in for the key."""
        given = {"scopes": scopes and list(scopes), "ttl_seconds": ttl_seconds}
        body = {name: value for name, value in given.items() if value is not None}
        return self._rest.json("POST", "/api/tokens", body=body)

    def create_ticket(self, project_id: str | None = None) -> Json:
        """``{"ticket", "expires_at"}``: lets a browser open one WebSocket within 30 s."""
        body = {"project_id": project_id} if project_id else {}
        return self._rest.json("POST", "/api/ws-tickets", body=body)
