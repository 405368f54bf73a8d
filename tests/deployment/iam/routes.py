"""Whether every route of the API was asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import httpx

_METHODS = frozenset({"get", "post", "put", "delete", "patch"})


@contextmanager
def asking_all_routes(api_url: str) -> Iterator[None]:
    """Note this process' requests. Raises `AssertionError` when they leave out an operation of the
    API's own OpenAPI document."""
    asked: set[tuple[str, str]] = set()
    send = httpx.Client.send

    def note(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        asked.add((request.method, request.url.path))
        return send(client, request, **options)

    with mock.patch.object(httpx.Client, "send", note):
        yield
        document = httpx.get(f"{api_url}/openapi.json", trust_env=False).json()
    left_out = [
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations.keys() & _METHODS
        if not _was_asked(asked, method.upper(), path)
    ]
    assert not left_out, f"left out: {left_out}"


def _was_asked(asked: set[tuple[str, str]], method: str, path: str) -> bool:
    """A path in a project may have slashes; identities have none."""
    pattern = re.sub(r"\{\w+\}", "[^/]+", path.replace("{path}", ".+"))
    return any(one == method and re.fullmatch(pattern, other) for one, other in asked)
