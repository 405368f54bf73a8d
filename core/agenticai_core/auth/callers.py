"""Who asks, and what they may: an API key, or what was exchanged from one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from agenticai_core.errors import NotAllowed
from agenticai_core.models import ApiKey

Scope = Literal["read", "write", "admin"]


class ApiKeyRequired(NotAllowed):
    """This is for the API key itself, not for a token that was exchanged from it."""

    code = "API_KEY_REQUIRED"


@dataclass(frozen=True)
class Caller:
    """An authenticated caller. ``scopes`` are those of the key, or fewer.

    ``expires_at`` is the end of what was presented, when that is not the key's own;
    ``project_id`` the only project that it opens, None: all of the owner's.
    """

    key: ApiKey
    scopes: tuple[Scope, ...]
    means: Literal["key", "token", "ticket"] = "key"
    expires_at: str | None = None
    project_id: str | None = None

    @property
    def id(self) -> str:
        """Of the key: all that comes from one key shares its limits."""
        return self.key.id

    @property
    def owner_id(self) -> str:
        return self.key.owner_id

    def require_key(self) -> None:
        """Raises `ApiKeyRequired`, so that what a token lets one do ends with it."""
        if self.means != "key":
            raise ApiKeyRequired("A token cannot do this", hint="Use the API key itself")

    def require_scopes(self, scopes: Iterable[Scope]) -> None:
        """Nobody hands on what they do not have. Raises `NotAllowed`."""
        missing = [scope for scope in scopes if scope not in self.scopes]
        if missing:
            raise NotAllowed(
                f"You cannot give the scope '{missing[0]}', because you lack it",
                hint=f"Use a key with the scope '{missing[0]}'",
                details={"required_scope": missing[0], "scopes": list(self.scopes)},
            )
