"""A proxy before the emulator that notes which permissions its one service needs."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.counting_proxy import CountingProxy
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from tests.deployment.iam import calls


@dataclass
class Held:
    """One request that came and goes no further until ``released``."""

    method: str
    part: str  # of its path
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class RecordingProxy(CountingProxy):
    """``calls`` is what was needed; ``problems`` tells what was not understood."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.calls: set[calls.Call] = set()
        self.problems: list[str] = []
        self._held: list[Held] = []

    @contextmanager
    def holding(self, method: str, part: str) -> Iterator[Held]:
        """Hold the next request of this kind; those after it go through."""
        held = Held(method, part)
        self._held.append(held)
        try:
            yield held
        finally:
            held.released.set()

    def _serve(self) -> None:
        async def serve() -> None:
            async with self._client:
                await self._server.serve()

        asyncio.run(serve())

    async def _forward(self, request: HttpRequest) -> Response:
        await self._wait(request)
        answer = await super()._forward(request)
        seen = calls.Request(
            method=request.method,
            path=request.scope["raw_path"].decode(),
            query=request.url.query,
            target=request.headers.get("x-amz-target", ""),
            body=await request.body(),
            status=answer.status_code,
        )
        try:
            self.calls |= calls.read_calls(seen)
        except (LookupError, ValueError) as error:
            self.problems.append(f"{request.method} {request.url} {seen.target}: {error!r}")
        return answer

    async def _wait(self, request: HttpRequest) -> None:
        for held in self._held:
            if held.method == request.method and held.part in request.url.path:
                self._held.remove(held)
                held.reached.set()
                await asyncio.to_thread(held.released.wait, 30)
                return
