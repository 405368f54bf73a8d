"""The caller's API keys."""

from fastapi import APIRouter

from agenticai_api.deps import Admin, KeyId, ServicesDep
from agenticai_api.errors import documented
from agenticai_api.schemas.keys import CreatedKeyAnswer, CreateKey, KeyAnswer, KeysAnswer, KeyView
from agenticai_core import auth

router = APIRouter(prefix="/api/keys", tags=["keys"])


@router.post(
    "",
    status_code=201,
    summary="Create an API key",
    responses=documented(400, 413, 415),
)
def create_key(body: CreateKey, owner_id: Admin, services: ServicesDep) -> CreatedKeyAnswer:
    """The secret is in this answer and nowhere else."""
    scopes = tuple(dict.fromkeys(body.scopes))
    key, secret = auth.create_api_key(services.store, owner_id, body.name, scopes)
    return CreatedKeyAnswer(key=KeyView.of(key), secret=secret)


@router.get("", summary="List your API keys")
def list_keys(owner_id: Admin, services: ServicesDep) -> KeysAnswer:
    found = auth.list_api_keys(services.store, owner_id)
    return KeysAnswer(keys=[KeyView.of(key) for key in found])


@router.delete("/{key_id}", summary="Revoke an API key for good", responses=documented(404))
def revoke_key(key_id: KeyId, owner_id: Admin, services: ServicesDep) -> KeyAnswer:
    return KeyAnswer(key=KeyView.of(auth.revoke_api_key(services.store, owner_id, key_id)))
