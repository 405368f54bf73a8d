"""A server on this machine that speaks Gemini's REST wire format, faults included.

It answers `streamGenerateContent` (a JSON array, or server-sent events with ``alt=sse``),
`generateContent` and `countTokens` from the text of the prompt alone, as the service does.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlparse

Fault = Literal[
    "malformed",  # an answer that is not what was asked for
    "truncated",  # half an answer, and finishReason MAX_TOKENS
    "blocked",  # promptFeedback with a blockReason, no candidate
    "unsafe",  # finishReason SAFETY
    "broken",  # the connection ends in the middle of the answer
    "unfinished",  # a complete JSON answer without a finishReason
    "hang",  # nothing comes for a second
    "slow",  # each piece comes in time, all of them take a second
    "html",  # a proxy's page with status 200
    "gateway",  # a proxy's page with status 502
    "schema",  # 400: the response schema has too many states
    "429",
    "500",
    "503",
    "400",
    "403",
    "404",
]
_STATUS = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
           429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE"}  # fmt: skip
_METHOD = re.compile(r"^/v1beta/models/(?P<model>[^/:]+):(?P<method>\w+)$")
_SCHEMA_KEYS = {"type", "format", "description", "nullable", "enum", "items", "properties"}
_SCHEMA_KEYS |= {"required", "minItems", "maxItems"}
_PIECES = 5


@dataclass
class Call:
    """One request for an answer, as it arrived."""

    model: str
    method: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    fault: Fault | None = None

    @property
    def prompt(self) -> str:
        return str(self.body["contents"][0]["parts"][0]["text"])

    @property
    def config(self) -> Mapping[str, Any]:
        config: Mapping[str, Any] = self.body.get("generationConfig", {})
        return config


@dataclass
class Hold:
    """Keeps the answer to one call back until it is released; ``port`` is its caller's."""

    wanted: Callable[[str], bool]
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    port: int = 0


@dataclass
class FakeGemini:
    """``answer`` makes a reply from the prompt's text; ``faults`` are by number of call, from 1."""

    answer: Callable[[str], str]
    faults: Mapping[int, Fault] = field(default_factory=dict)
    key: str = "test-key"
    calls: list[Call] = field(default_factory=list)
    counted: int = 0
    tokens: int = 0  # that all answers together said they cost
    retry_delay: str = "7s"  # what a 429 asks for
    url: str = ""
    holds: list[Hold] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, call: Call) -> Call:
        with self.lock:
            self.calls.append(call)
            call.fault = self.faults.get(len(self.calls))
        return call

    def hold(self, wanted: Callable[[str], bool]) -> Hold:
        """Hold the next call whose prompt is ``wanted``; the calls after it go through."""
        hold = Hold(wanted)
        self.holds.append(hold)
        return hold

    def wait(self, call: Call, port: int) -> None:
        with self.lock:
            hold = next((one for one in self.holds if one.wanted(call.prompt)), None)
            if hold is not None:
                self.holds.remove(hold)
        if hold is not None:
            hold.port = port
            hold.reached.set()
            hold.released.wait(60)


@contextmanager
def serve(fake: FakeGemini) -> Iterator[FakeGemini]:
    """Serve on a free port of 127.0.0.1; ``fake.url`` is the endpoint."""
    handler = type("Handler", (_Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    fake: FakeGemini
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_POST(self) -> None:
        with suppress(ConnectionError):  # a client may leave in the middle of its answer
            self._respond()

    def _respond(self) -> None:
        url = urlparse(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match = _METHOD.match(url.path)
        if match is None:
            self._refuse(404, "no such method", listed=False)
            return
        listed = match["method"] == "streamGenerateContent"
        if self.headers.get("x-goog-api-key") != self.fake.key:
            self._refuse(400, "API key not valid. Please pass a valid API key.", listed=listed)
        elif match["method"] == "countTokens":
            self.fake.counted += 1
            self._send({"totalTokens": _tokens(json.dumps(body))})
        else:
            call = Call(match["model"], match["method"], body, dict(self.headers))
            self.fake.take(call)
            self.fake.wait(call, self.client_address[1])
            self._answer(call, sse=parse_qs(url.query).get("alt") == ["sse"])

    def _answer(self, call: Call, *, sse: bool) -> None:
        listed = call.method == "streamGenerateContent"
        schema = call.config.get("responseSchema")
        problem = _schema_problem(schema) if schema else None
        if problem:
            self._refuse(400, problem, listed=listed)
        elif call.fault == "schema" and schema:
            self._refuse(400, "The specified schema has too many states.", listed=listed)
        elif call.fault and call.fault.isdigit():
            self._refuse(int(call.fault), "as the test wants it", listed=listed)
        elif call.fault in ("html", "gateway"):
            page, status = b"<html>Welcome!</html>", 200 if call.fault == "html" else 502
            self._raw(page, "text/html; charset=UTF-8", status)
        else:
            if call.fault == "hang":
                time.sleep(1)
            self._send_chunks(call, list(self._chunks(call)), listed=listed, sse=sse)

    def _chunks(self, call: Call) -> Iterator[dict[str, Any]]:
        prompt_tokens = _tokens(json.dumps(call.body))
        if call.fault == "blocked":
            yield {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
            return
        text = self.fake.answer(call.prompt)
        if call.fault == "malformed":
            text = 'Sure! Here you are: {"files": ['
        elif call.fault in ("truncated", "broken"):
            text = text[: len(text) // 2]
        size = max(1, len(text) // _PIECES)
        yield _chunk("", 0, prompt_tokens, 0)  # models that think begin with an empty piece
        for start in range(0, len(text), size):
            yield _chunk(text[start : start + size], 0, prompt_tokens, start + size)
        reason = {"truncated": "MAX_TOKENS", "unsafe": "SAFETY"}.get(call.fault or "", "STOP")
        if call.fault not in ("broken", "unfinished"):
            yield _chunk("", reason, prompt_tokens, len(text))

    def _send_chunks(
        self, call: Call, chunks: list[dict[str, Any]], *, listed: bool, sse: bool
    ) -> None:
        with self.fake.lock:
            self.fake.tokens += chunks[-1].get("usageMetadata", {}).get("totalTokenCount", 0)
        if not listed:
            parts = [part for chunk in chunks for part in _parts(chunk)]
            last = chunks[-1]
            if "candidates" in last:
                last["candidates"][0]["content"]["parts"] = parts
            self._send(last)
            return
        self.send_response(200)
        kind = "text/event-stream" if sse else "application/json; charset=UTF-8"
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number, chunk in enumerate(chunks):
            text = json.dumps(chunk, ensure_ascii=False)
            time.sleep(0.15 if call.fault == "slow" else 0)
            self._piece(f"data: {text}\r\n\r\n" if sse else ("," if number else "[") + text)
        if call.fault == "broken":
            self.close_connection = True
            return
        self._piece("" if sse else "]")
        self.wfile.write(b"0\r\n\r\n")

    def _piece(self, text: str) -> None:
        if data := text.encode():
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()

    def _refuse(self, status: int, message: str, *, listed: bool) -> None:
        error: dict[str, Any] = {
            "error": {"code": status, "message": message, "status": _STATUS[status]}
        }
        if status == 429:
            retry = {
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": self.fake.retry_delay,
            }
            error["error"]["details"] = [retry]
        self._send([error] if listed else error, status)

    def _send(self, body: Any, status: int = 200) -> None:
        self._raw(json.dumps(body).encode(), "application/json; charset=UTF-8", status)

    def _raw(self, data: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _chunk(text: str, reason: str | int, prompt_tokens: int, characters: int) -> dict[str, Any]:
    parts = [{"text": text}] if text else []
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    tokens, thoughts = -(-characters // 4), 11
    usage = {"promptTokenCount": prompt_tokens, "candidatesTokenCount": tokens,
             "thoughtsTokenCount": thoughts,
             "totalTokenCount": prompt_tokens + tokens + thoughts}  # fmt: skip
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "fake"}


def _parts(chunk: Mapping[str, Any]) -> list[Any]:
    return [
        part for candidate in chunk.get("candidates", []) for part in candidate["content"]["parts"]
    ]


def _tokens(text: str) -> int:
    return -(-len(text) // 4)


def _schema_problem(schema: Mapping[str, Any]) -> str | None:
    """What the service says to a schema that it does not understand."""
    unknown = schema.keys() - _SCHEMA_KEYS
    if unknown:
        return f'Invalid JSON payload received. Unknown name "{sorted(unknown)[0]}" at schema'
    properties = schema.get("properties", {})
    if schema.get("type") in ("OBJECT", 6) and not properties:
        return "schema.properties: should be non-empty for OBJECT type"
    children = [*properties.values(), *([schema["items"]] if "items" in schema else [])]
    return next((problem for child in children if (problem := _schema_problem(child))), None)
