"""The caller's API keys."""

from fastapi import APIRouter

from agenticai_api.deps import Admin, CallerDep, KeyId, OnceDep, ServicesDep
from agenticai_api.errors import documented
from agenticai_api.schemas.keys import (
    CreatedKeyAnswer,
    CreateKey,
    KeyAnswer,
    KeysAnswer,
    KeyView,
    RotatedKeyAnswer,
    RotateKey,
)
from agenticai_core import auth

router = APIRouter(prefix="/api/keys", tags=["keys"])


@router.post(
    "",
    status_code=201,
    summary="Create an API key",
    responses=documented(400, 409, 413, 415),
)
def create_key(
    *, body: CreateKey, _admin: Admin, caller: CallerDep, services: ServicesDep, once: OnceDep
) -> CreatedKeyAnswer:
    """The secret is in this answer and nowhere else. A token cannot create keys."""
    new = auth.issue_api_key(services, caller, body.name, body.scopes, once)
    return CreatedKeyAnswer(key=KeyView.of(new.key), secret=new.secret)


@router.get("", summary="List your API keys")
def list_keys(owner_id: Admin, services: ServicesDep) -> KeysAnswer:
    """Oldest first, with those that were revoked or have expired."""
    found = auth.list_api_keys(services.store, owner_id)
    return KeysAnswer(keys=[KeyView.of(key) for key in found])


@router.post(
    "/{key_id}/rotate",
    status_code=201,
    summary="Replace an API key by a new one, with an overlap",
    responses=documented(400, 404, 409, 413, 415),
)
def rotate_key(
    *,
    key_id: KeyId,
    _admin: Admin,
    caller: CallerDep,
    services: ServicesDep,
    once: OnceDep,
    body: RotateKey | None = None,
) -> RotatedKeyAnswer:
    """A new key of the same name and scopes; the old one expires after the overlap (24 h if you do
    not say). A token cannot rotate keys."""
    overlap = (body or RotateKey()).overlap_seconds
    new = auth.rotate_api_key(services, caller, key_id, overlap, once)
    return RotatedKeyAnswer(
        key=KeyView.of(new.key), secret=new.secret, replaced=KeyView.of(new.replaced)
    )


@router.delete("/{key_id}", summary="Revoke an API key for good", responses=documented(404, 409))
def revoke_key(
    key_id: KeyId, owner_id: Admin, caller: CallerDep, services: ServicesDep
) -> KeyAnswer:
    """At once here, within five seconds everywhere, open sockets and streams included. Your last
    key with the scope `admin` stays."""
    key = auth.revoke_api_key(services, owner_id, key_id, by=caller.id)
    return KeyAnswer(key=KeyView.of(key))
