"""HTTP with the system's conventions: key, error format, and which failures are tried again."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from time import time
from typing import Any

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from agenticai_client.download import fetch_link
from agenticai_client.errors import ApiError, ClientError, ConnectionFailed
from agenticai_client.find import is_loopback

MAX_WAIT = 30.0  # seconds that a Retry-After may ask for; beyond that the caller decides
HINTS = {
    401: "Check the API key: --api-key, AGENTICAI_API_KEY, or the local file.",
    403: "This key may not do that; ask for one with the right scope.",
    404: None,
    429: "Too many requests: wait a moment and try again.",
}


class Rest:
    """Sends one request and gives its answer, or raises `ApiError` or `ConnectionFailed`.

    Tried again, with backoff and jitter: everything that was answered with 429, everything that
    could not connect, and what does no harm twice (all but a POST without an ``Idempotency-Key``)
    when it was cut off or met a passing 502, 503 or 504. A ``Retry-After`` is respected.
    """

    def __init__(
        self, api_url: str, api_key: str, *, timeout: float, attempts: int = 4, backoff: float = 0.3
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self._timeout = timeout
        self._attempts = attempts
        self._backoff = wait_random_exponential(multiplier=backoff, max=5)
        self._http = httpx.Client(
            headers={"X-API-Key": api_key, "User-Agent": f"agenticai/{version('agenticai')}"},
            timeout=timeout,
            trust_env=not is_loopback(api_url),  # a proxy cannot reach this machine for us
        )

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        attempts: int | None = None,
        redirects: bool = False,
    ) -> httpx.Response:
        """``path`` starts with a slash; parameters that are None are left out.

        A redirect is an error, unless ``redirects``: then it is the answer, and not followed.
        Raises `ClientError` for a path that leads elsewhere than it says.
        """
        _must_stay(path)
        request = self._http.build_request(
            method,
            self.api_url + path,
            params={k: v for k, v in (params or {}).items() if v is not None},
            json=body,
            content=content,
            headers=headers,
        )
        retrying = self._retrying(attempts, repeatable=_is_repeatable(request))
        unknown: list[ClientError] = []
        return retrying(self._attempt, request, unknown, redirects=redirects)

    def content(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """The bytes of an answer to GET, wherever it redirects to: there without the key."""
        response = self.call("GET", path, params=params, redirects=True)
        if response.is_success:
            return response.content
        return self._retrying(repeatable=True)(fetch_link, response, self._timeout)

    def json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        """As `call`, for answers that are a JSON object."""
        response = self.call(method, path, **options)
        try:
            answer = response.json()
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise not_ours(response)
        return answer

    def _retrying(self, attempts: int | None = None, *, repeatable: bool) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(attempts or self._attempts),
            wait=self._wait,
            retry=retry_if_exception(lambda error: _may_repeat(error, repeatable=repeatable)),
            reraise=True,
        )

    def _attempt(
        self, request: httpx.Request, unknown: list[ClientError], *, redirects: bool
    ) -> httpx.Response:
        """Send it; ``unknown``: how earlier attempts ended that may have been carried out."""
        try:
            return self._send(request, redirects=redirects)
        except ClientError as error:
            if unknown and _may_be_its_own_doing(request, error):
                error.hint = "An earlier attempt got no answer and may have been carried out: look."
            if _is_unknown(error):
                unknown.append(error)
            raise

    def _send(self, request: httpx.Request, *, redirects: bool) -> httpx.Response:
        try:
            response = self._http.send(request)
        except httpx.HTTPError as error:
            raise _unreachable(self.api_url, error) from error
        if response.is_success or (redirects and response.has_redirect_location):
            return response
        raise read_error(response)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, ApiError) and error.retry_after is not None:
            return error.retry_after
        return self._backoff(state)


def read_error(response: httpx.Response) -> ApiError:
    """The error in an answer: the system's own format, or what a proxy in between said."""
    try:
        error = response.json()["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, KeyError, TypeError):
        return not_ours(response)
    return ApiError(
        code,
        message,
        status=response.status_code,
        hint=error.get("hint") or HINTS.get(response.status_code),
        details=error.get("details"),
        request_id=response.headers.get("X-Request-ID") or response.json().get("request_id"),
        retry_after=_retry_after(response),
    )


def not_ours(response: httpx.Response) -> ApiError:
    return ApiError(
        f"HTTP_{response.status_code}",
        f"Unexpected answer from {response.request.url}: "
        f"{response.status_code} {response.reason_phrase}",
        status=response.status_code,
        hint=HINTS.get(response.status_code) or "Is this the address of an agenticai API?",
        request_id=response.headers.get("X-Request-ID"),
        retry_after=_retry_after(response),
    )


def _must_stay(path: str) -> None:
    """Dots are resolved on the way: to delete the file ``..`` would be to delete its project."""
    if not {".", ".."}.isdisjoint(path.split("/")):
        raise ClientError(
            f"{path} leads to another address: '.' and '..' are no names.",
            hint="Name the file as the list of files does.",
        )


def _is_repeatable(request: httpx.Request) -> bool:
    """Whether sending it twice does no more than sending it once."""
    return request.method != "POST" or "Idempotency-Key" in request.headers


def _may_repeat(error: BaseException, *, repeatable: bool) -> bool:
    if isinstance(error, ApiError):
        soon = (error.retry_after or 0) <= MAX_WAIT
        return soon and (error.status == 429 or (error.transient and repeatable))
    return isinstance(error, ConnectionFailed) and (repeatable or not error.sent)


def _is_unknown(error: ClientError) -> bool:
    if isinstance(error, ApiError):
        return error.status in (502, 503, 504)
    return isinstance(error, ConnectionFailed) and error.sent


def _may_be_its_own_doing(request: httpx.Request, error: ClientError) -> bool:
    """Whether the refusal may come of what the request itself has changed before.

    A POST is given the first answer again, by its key.
    """
    refused = isinstance(error, ApiError) and error.status in (404, 409, 412)
    return refused and request.method in ("PUT", "DELETE")


def _unreachable(api_url: str, error: httpx.HTTPError) -> ClientError:
    connecting = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    what = "cannot be reached" if connecting else "did not answer"
    return ConnectionFailed(
        f"{api_url} {what} ({str(error) or type(error).__name__}).",
        hint="Is it running? `make up` starts a local one, `agenticai doctor` looks further.",
        sent=not connecting,
    )


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from either form that HTTP allows; None when absent or unreadable."""
    value = response.headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except ValueError:
        return None
