"""What every part of the SDK calls the API with."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from agenticai_client.rest import Rest

Json = dict[str, Any]


class Calls:
    """Objects, lists and creations over one `Rest`."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def _object(
        self,
        method: str,
        path: str,
        name: str,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        answer: Json = self._rest.json(method, path, body=body, headers=headers)[name]
        return answer

    def _create(self, path: str, name: str, body: Json) -> Json:
        """The object that a POST makes, once; ``idempotency_key`` may be among the body."""
        answer: Json = self._create_all(path, body)[name]
        return answer

    def _create_all(self, path: str, body: Json) -> Json:
        given = dict(body)
        named = {"Idempotency-Key": given.pop("idempotency_key", None) or str(uuid4())}
        return self._rest.json("POST", path, body=given or None, headers=named)

    def _pages(self, path: str, name: str, limit: int | None, **params: Any) -> Iterator[Json]:
        left = limit
        cursor: str | None = None
        while left is None or left > 0:
            size = 100 if left is None else min(left, 100)
            page = self._rest.json("GET", path, params={**params, "limit": size, "cursor": cursor})
            yield from page[name][:left]
            left = None if left is None else left - len(page[name])
            cursor = page.get("next_cursor")
            if not cursor:
                return


def project_path(project_id: str, *parts: str) -> str:
    path = "/".join(quote(part) for part in (quote(project_id, safe=""), *parts))
    return f"/api/projects/{path}"


def if_match(version: int | None) -> dict[str, str] | None:
    """The header that lets a change be made upon this version alone."""
    return None if version is None else {"If-Match": f'"{version}"'}
