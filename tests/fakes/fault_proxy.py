"""A proxy in front of the emulator that breaks on command. Only for 127.0.0.1."""

import http.client
import socket
import threading
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_THROTTLED = b'{"__type":"com.amazonaws.sqs#RequestThrottled","message":"Rate exceeded"}'
# What it answers instead of the emulator: status and body.
ANSWERS = {
    "500": (500, b"<html>oops</html>"),
    "503": (503, b""),
    "400": (400, b'{"__type":"com.amazonaws.sqs#InvalidParameterValue","message":"no"}'),
    "403": (403, _THROTTLED),
    "garbage": (200, b"\x00\xffthis is no JSON"),
    "an odd answer": (200, b'{"Messages":[null,7,{"Body":"x"},{"Body":{}}]}'),
}


Answer = tuple[int, list[tuple[str, str]], bytes]
# Headers that belong to one connection or one server, and are not passed on.
_OWN = ("transfer-encoding", "connection", "content-length", "keep-alive", "server", "date")


@dataclass
class Held:
    """One call that came and goes no further: ``reached`` once it is there, lost when released."""

    action: str
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


class FaultProxy:
    """``fault`` is None, a key of `ANSWERS`, "hang" or "cut"; `refuse` closes the port.

    ``only`` limits it to some actions ("SendMessage"; of the bucket, the HTTP method).
    """

    def __init__(self, target: str) -> None:
        self.fault: str | None = None
        self.only: Collection[str] | None = None
        self.times: dict[str, list[float]] = {}  # action -> when it was asked for
        self._target = urlsplit(target).netloc
        self._server: ThreadingHTTPServer | None = None
        self._open: set[socket.socket] = set()
        self._released = threading.Event()
        self._held: list[Held] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.accept()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def accept(self) -> None:
        """Listen, again after `refuse`."""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                proxy._open.add(self.request)
                super().setup()

            def finish(self) -> None:
                proxy._open.discard(self.request)
                super().finish()

            def do_POST(self) -> None:
                proxy._serve(self)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_: object) -> None:
                pass  # a caller that went away

        self._released.clear()
        self._server = Server(("127.0.0.1", self._port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def refuse(self) -> None:
        """Stop listening and cut every connection: the next one is refused."""
        if self._server is None:
            return
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._server = None
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def hold(self, action: str) -> Held:
        """Keep the next call of this action for good: its caller waits, it is never passed on."""
        held = Held(action)
        self._held.append(held)
        return held

    def polls(self, seconds: float) -> int:
        """How many polls came within the last ``seconds``."""
        since = time.monotonic() - seconds
        return sum(at > since for at in list(self.times.get("ReceiveMessage", [])))

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        target = handler.headers.get("X-Amz-Target") or handler.command
        action = target.rpartition(".")[2]
        self.times.setdefault(action, []).append(time.monotonic())
        fault = self.fault if self.only is None or action in self.only else None
        if self._wait(action, fault) or fault == "cut":
            handler.close_connection = True
            return
        status, headers, answer = _broken(fault) if fault else self._ask(handler, body)
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(answer)

    def _wait(self, action: str, fault: str | None) -> bool:
        """Whether the call was kept until nobody needed its answer any more."""
        held = next((one for one in self._held if one.action == action), None)
        if held is not None:
            self._held.remove(held)
            held.reached.set()
            held.released.wait(60)
        if fault == "hang":
            self._released.wait(60)
        return held is not None or fault == "hang"

    def _ask(self, handler: BaseHTTPRequestHandler, body: bytes) -> Answer:
        connection = http.client.HTTPConnection(self._target, timeout=30)
        sent = {k: v for k, v in handler.headers.items() if k.lower() not in ("expect", *_OWN)}
        try:
            connection.request(handler.command, handler.path, body, sent)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        length = answer.headers.get("Content-Length") if handler.command == "HEAD" else None
        kept = [(k, v) for k, v in answer.headers.items() if k.lower() not in _OWN]
        return answer.status, [*kept, ("Content-Length", length or str(len(content)))], content


def _broken(fault: str) -> Answer:
    status, body = ANSWERS[fault]
    headers = {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(body))}
    return status, list(headers.items()), body
