"""Who may come in: API keys, tokens exchanged from them, tickets for sockets."""

from agenticai_core.auth.authentication import authenticate, recheck, refresh
from agenticai_core.auth.callers import ApiKeyRequired, Caller, Scope
from agenticai_core.auth.issuing import NewKey, RotatedKey, issue_api_key, rotate_api_key
from agenticai_core.auth.keys import PREFIX, create_api_key, hash_key, list_api_keys
from agenticai_core.auth.revoking import LastAdminKey, revoke_api_key
from agenticai_core.auth.tickets import Ticket, issue_ticket, redeem_ticket
from agenticai_core.auth.tokens import Token, exchange

__all__ = [
    "PREFIX",
    "ApiKeyRequired",
    "Caller",
    "LastAdminKey",
    "NewKey",
    "RotatedKey",
    "Scope",
    "Ticket",
    "Token",
    "authenticate",
    "create_api_key",
    "exchange",
    "hash_key",
    "issue_api_key",
    "issue_ticket",
    "list_api_keys",
    "recheck",
    "redeem_ticket",
    "refresh",
    "revoke_api_key",
    "rotate_api_key",
]
