"""A reverse proxy on this machine that counts AWS calls by operation."""

import asyncio
import threading
from collections import Counter
from types import TracebackType
from typing import Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_HOP = {"connection", "transfer-encoding", "content-length", "content-encoding", "keep-alive"}
_S3 = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
_METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD"]


class CountingProxy:
    """Forwards to ``upstream``; `counts` maps "dynamodb GetItem" and the like to calls."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.counts: Counter[str] = Counter()
        self.upstream = ""
        app = Starlette(routes=[Route("/{path:path}", self._forward, methods=_METHODS)])
        self._client = httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=None))
        config = uvicorn.Config(app, port=port, log_level="critical", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)

    def take(self) -> Counter[str]:
        """The counts so far; counting starts again."""
        counted, self.counts = self.counts, Counter()
        return counted

    def _serve(self) -> None:
        asyncio.run(self._server.serve())

    async def _forward(self, request: Request) -> Response:
        self.counts[_operation(request)] += 1
        answer = await self._client.request(
            request.method,
            # The raw path: signatures and keys with %-escapes must arrive as they were sent.
            self.upstream + request.scope["raw_path"].decode() + _query(request),
            headers=[(k, v) for k, v in request.headers.items() if k not in ("connection",)],
            content=await request.body(),
        )
        headers = {k: v for k, v in answer.headers.items() if k.lower() not in _HOP}
        return Response(answer.content, answer.status_code, headers)


def _query(request: Request) -> str:
    return f"?{request.url.query}" if request.url.query else ""


def _operation(request: Request) -> str:
    target = request.headers.get("x-amz-target", "")
    if target:
        service, _, name = target.partition(".")
        return f"{service.partition('_')[0].lower().removeprefix('amazon')} {name}"
    if request.method == "GET" and (
        "list-type" in request.url.query or "versions" in request.url.query
    ):
        return "s3 List"
    return f"s3 {_S3.get(request.method, 'DeleteObjects')}"
