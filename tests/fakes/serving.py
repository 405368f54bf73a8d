"""Services of our own on a port of their own, in a thread, for as long as a test wants them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

WAIT = 20.0  # s


def server_of(app: Any, **options: Any) -> uvicorn.Server:
    """A server that says nothing and takes any free port."""
    return uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="critical", lifespan="off", **options)
    )


@contextmanager
def serving(server: uvicorn.Server) -> Iterator[int]:
    """The port on which it listens; it must stop in time at the end."""
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.005)
            assert thread.is_alive(), "the server does not start"
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(WAIT)
    assert not thread.is_alive()
