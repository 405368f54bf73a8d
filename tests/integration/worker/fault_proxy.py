"""A proxy in front of the emulator that breaks on command. Only for 127.0.0.1."""

import http.client
import socket
import threading
import time
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


class FaultProxy:
    """``fault`` is None, a key of `ANSWERS`, "hang" or "cut"; `refuse` closes the port."""

    def __init__(self, target: str) -> None:
        self.fault: str | None = None
        self.times: dict[str, list[float]] = {}  # action -> when it was asked for
        self._target = urlsplit(target).netloc
        self._server: ThreadingHTTPServer | None = None
        self._open: set[socket.socket] = set()
        self._released = threading.Event()
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

    def polls(self, seconds: float) -> int:
        """How many polls came within the last ``seconds``."""
        since = time.monotonic() - seconds
        return sum(at > since for at in list(self.times.get("ReceiveMessage", [])))

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        action = (handler.headers.get("X-Amz-Target") or "").rpartition(".")[2]
        self.times.setdefault(action, []).append(time.monotonic())
        fault = self.fault
        if fault == "hang":
            self._released.wait(60)
        if fault in ("hang", "cut"):
            handler.close_connection = True
            return
        status, answer = ANSWERS[fault] if fault else self._ask(handler, body)
        handler.send_response(status)
        handler.send_header("Content-Type", "application/x-amz-json-1.0")
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def _ask(self, handler: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self._target, timeout=30)
        try:
            connection.request("POST", handler.path, body, dict(handler.headers))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
