"""Google's Gemini through google-generativeai, over REST.

The library has been at its end of life since November 2025: it is imported when a client is
made, by nobody else, and its retries are off, because the runner owns every retry.
"""

import os
import threading
import time
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from typing import Any, TypeVar

import requests
import urllib3.exceptions
from pydantic import BaseModel

from agenticai_core.models import Usage
from agenticai_worker.llm.base import (
    Generation,
    MalformedReply,
    ModelError,
    PermanentModelError,
    Prompt,
    TransientModelError,
)
from agenticai_worker.llm.reply import read_json
from agenticai_worker.prompts import (
    Rendered,
    estimate_schema_tokens,
    estimate_tokens,
    render,
)
from agenticai_worker.prompts.schemas import flat_schema

T = TypeVar("T", bound=BaseModel)

_COUNT_TIMEOUT = 10.0
_MAX_TOKENS = 2  # of Candidate.FinishReason
_REFUSED = {
    3: "safety",
    4: "recitation",
    6: "language",
    7: "blocklist",
    8: "prohibited content",
    9: "personal data",
}
_HINTS = {
    400: "Check GEMINI_API_KEY and the model's name in AGENTICAI_MODEL.",
    401: "Check GEMINI_API_KEY.",
    403: "This key may not use the model: check GEMINI_API_KEY and the project it belongs to.",
    404: "Check the model's name in AGENTICAI_MODEL, e.g. gemini:gemini-2.5-flash.",
}
_TRANSIENT = frozenset({408, 429, 499, 500, 502, 503, 504})
_NOT_BEGUN = frozenset({429, 500, 503})  # the service's own refusals, which it does not charge for
_client_lock = threading.Lock()  # the library configures its clients by a global


class GeminiModel:
    """One Gemini model; safe to share between threads and to carry over a fork."""

    llm = True

    def __init__(self, model: str, api_key: str, endpoint: str | None = None) -> None:
        self.name = f"gemini:{model}"
        self._model = model if "/" in model else f"models/{model}"
        self._api_key = api_key
        self._endpoint = endpoint
        self._client: Any = None
        self._client_pid = 0

    def generate(
        self,
        prompt: Prompt,
        schema: type[T] | None = None,
        on_text: Callable[[str], None] | None = None,
        timeout: float = 120.0,
    ) -> Generation[T]:
        """One call, streamed; see the port.

        A schema that the service finds too complex is left out in a second try: the prompt
        states it as well.
        """
        rendered = render(prompt)
        config: dict[str, Any] = {"max_output_tokens": prompt.max_output_tokens}
        if schema is not None:
            config["response_mime_type"] = "application/json"
            config["response_schema"] = _gemini_schema(flat_schema(schema))
        deadline = time.monotonic() + timeout
        try:
            reply = self._stream(rendered, config, on_text, deadline)
        except PermanentModelError as error:
            if schema is None or not _is_about_schema(error):
                raise
            del config["response_schema"]
            reply = self._stream(rendered, config, on_text, deadline)
        return reply.read(schema)

    def count_tokens(self, prompt: Prompt) -> int:
        """As the service counts; if it does not answer, the bytes of the text, which are more."""
        protos, client = self._connect()
        counting = protos.CountTokensRequest(
            model=self._model, generate_content_request=self._request(render(prompt), {})
        )
        try:
            counted = client.count_tokens(counting, timeout=_COUNT_TIMEOUT, retry=None)
        except (ModelError, requests.RequestException, ValueError):
            return estimate_tokens(prompt)
        return int(counted.total_tokens) + estimate_schema_tokens(prompt)

    def close(self) -> None:
        """Close the connections that are kept open; the next call opens new ones."""
        with _client_lock:
            if self._client is not None and self._client_pid == os.getpid():
                self._client.transport.close()
            self._client = None

    def _stream(
        self,
        rendered: Rendered,
        config: Mapping[str, Any],
        on_text: Callable[[str], None] | None,
        deadline: float,
    ) -> "_Reply":
        reply = _Reply()
        with closing(self._chunks(rendered, config, deadline, reply)) as chunks:
            for chunk in chunks:
                text = reply.take(chunk)
                if text and on_text:
                    on_text(text)
        reply.check()
        return reply

    def _chunks(
        self, rendered: Rendered, config: Mapping[str, Any], deadline: float, reply: "_Reply"
    ) -> Generator[Any, None, None]:
        """The pieces of the reply; every fault of the transport as a `ModelError`."""
        _, client = self._connect()
        left = max(deadline - time.monotonic(), 0.1)
        stream = None
        try:
            request = self._request(rendered, config)
            stream = client.stream_generate_content(request, timeout=left, retry=None)
            for chunk in stream:
                yield chunk
                if time.monotonic() > deadline:  # the library's time-out is that of one read
                    raise TransientModelError("Gemini did not finish its answer in time.")
        except requests.RequestException as error:
            message = f"Gemini cannot be reached: {_name(error)}."
            raise TransientModelError(message, refused=_never_sent(error)) from error
        except (ValueError, IndexError) as error:
            # The library raises these where the stream of JSON breaks off or holds no JSON.
            if not reply.finished:
                raise TransientModelError("Gemini's answer broke off.") from error
        finally:
            if stream is not None:
                stream.cancel()  # closes the connection of an answer that was not read to its end

    def _request(self, rendered: Rendered, config: Mapping[str, Any]) -> Any:
        protos, _ = self._connect()
        return protos.GenerateContentRequest(
            model=self._model,
            system_instruction={"parts": [{"text": rendered.system}]},
            contents=[{"role": "user", "parts": [{"text": rendered.user}]}],
            generation_config=dict(config),
        )

    def _connect(self) -> tuple[Any, Any]:
        """The library's message types, and a client that belongs to this process."""
        with _client_lock:
            protos, library = _import_library()
            if self._client is None or self._client_pid != os.getpid():
                options = {"api_endpoint": self._endpoint} if self._endpoint else {}
                library.configure(api_key=self._api_key, transport="rest", client_options=options)
                self._client = library.get_default_generative_client()
                # The library cannot read the errors of a stream, which come as a list.
                self._client.transport._session.hooks["response"].append(_raise_for_status)
                self._client_pid = os.getpid()
            return protos, self._client


class _Reply:
    """What has come so far."""

    def __init__(self) -> None:
        self.text = ""
        self.usage = Usage()
        self._reason = 0
        self._blocked = 0

    @property
    def finished(self) -> bool:
        return bool(self._reason or self._blocked)

    @property
    def truncated(self) -> bool:
        return self._reason == _MAX_TOKENS

    def take(self, chunk: Any) -> str:
        """Add one piece; returns its text."""
        self._blocked = self._blocked or int(chunk.prompt_feedback.block_reason)
        counted = chunk.usage_metadata
        if counted.prompt_token_count or counted.total_token_count:
            prompt = counted.prompt_token_count
            # The total also holds the model's thoughts, which are paid for as output.
            output = max(counted.total_token_count - prompt, counted.candidates_token_count)
            self.usage = Usage(input_tokens=prompt, output_tokens=output)
        if not chunk.candidates:
            return ""
        candidate = chunk.candidates[0]
        self._reason = int(candidate.finish_reason) or self._reason
        text = "".join(part.text for part in candidate.content.parts)
        self.text += text
        return text

    def check(self) -> None:
        """Raise unless the model answered to its end or to its limit."""
        if self._blocked:
            raise _refusal("the request", self.usage)
        if self._reason in _REFUSED:
            raise _refusal(f"to answer ({_REFUSED[self._reason]})", self.usage)
        if not self.finished:
            raise TransientModelError("Gemini's answer broke off.")

    def read(self, schema: type[T] | None) -> Generation[T]:
        """The whole reply as what was asked for; raises `MalformedReply`."""
        if schema is None:
            return Generation(None, self.text, self.usage, self.truncated)
        if self.truncated:
            raise MalformedReply("the answer was cut off", self.text, self.usage, truncated=True)
        return Generation(read_json(self.text, schema, self.usage), self.text, self.usage)


def _import_library() -> tuple[Any, Any]:
    """google-generativeai's message types and client, without its notice of end of life."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", r"\s*All support for the `google.generativeai` package", FutureWarning
        )
        from google.generativeai import client, protos
    return protos, client


def _gemini_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A flat schema in the spelling of the library's Schema message."""
    renamed: dict[str, Any] = {}
    for key, value in schema.items():
        match key:
            case "type":
                renamed["type_"] = value.upper()
            case "enum":
                renamed |= {"enum": value, "format_": "enum"}
            case "items":
                renamed["items"] = _gemini_schema(value)
            case "properties":
                renamed[key] = {name: _gemini_schema(child) for name, child in value.items()}
            case _:
                renamed[key] = value
    return renamed


def _raise_for_status(response: requests.Response, *_: Any, **__: Any) -> None:
    """A hook of the HTTP session: every answer from 400 up becomes a `ModelError`."""
    status = response.status_code
    if status < 400:
        return
    error = _error_body(response)
    response.close()
    message = f"Gemini answered {status}: {str(error.get('message', response.reason))[:300]}"
    if status in _TRANSIENT or status >= 500:
        refused = status in _NOT_BEGUN
        raise TransientModelError(message, _retry_after(response, error), refused=refused)
    raise PermanentModelError(message, hint=_HINTS.get(status, ""))


def _error_body(response: requests.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except (ValueError, requests.RequestException):
        return {}
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _retry_after(response: requests.Response, error: Mapping[str, Any]) -> float | None:
    """Seconds, from the header or from google.rpc.RetryInfo ("7s") in the body."""
    details = error.get("details")
    delays = [
        str(detail["retryDelay"]).removesuffix("s")
        for detail in (details if isinstance(details, list) else [])
        if isinstance(detail, dict) and "retryDelay" in detail
    ]
    for text in (response.headers.get("Retry-After"), *delays):
        try:
            return max(float(text or ""), 0.0)
        except ValueError:
            continue
    return None


def _is_about_schema(error: PermanentModelError) -> bool:
    text = str(error).lower()
    return "answered 400" in text and ("schema" in text or "too many states" in text)


def _refusal(what: str, usage: Usage) -> PermanentModelError:
    return PermanentModelError(
        f"Gemini refused {what}.",
        usage=usage,
        hint="Describe the project in other words; the service refuses some topics.",
    )


def _never_sent(error: requests.RequestException) -> bool:
    """Whether there was no connection on which the service could have been asked."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    unmade = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
    return isinstance(reason, unmade)


def _name(error: Exception) -> str:
    return type(error).__name__
