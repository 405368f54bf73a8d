"""Fetching what the API redirects to: a link to the bucket, which is a credential by itself.

The API key stays behind. The link's address has nothing to do with the API's, and a store of
objects refuses a request that carries two credentials.
"""

from importlib.metadata import version

import httpx

from agenticai_client.errors import ApiError, ClientError, ConnectionFailed
from agenticai_client.find import is_loopback


def fetch_link(response: httpx.Response, timeout: float) -> bytes:
    """What lies where ``response`` redirects to. Raises `ApiError`, `ConnectionFailed`, and
    `ClientError` for a link that is not to be followed; none of them names the whole link.
    """
    link = response.url.join(response.headers["Location"])
    if link.scheme not in ("http", "https") or (response.url.scheme, link.scheme) == (
        "https",
        "http",
    ):
        raise ClientError(f"The API redirects to {link.scheme}://{link.host}, which is not safe.")
    headers = {"User-Agent": f"agenticai/{version('agenticai')}"}
    # A client of its own: nothing of what the other one sends by default goes along.
    with httpx.Client(
        headers=headers, timeout=timeout, trust_env=not is_loopback(str(link))
    ) as http:
        try:
            answer = http.get(link)
        except httpx.HTTPError as error:
            raise ConnectionFailed(
                f"{link.host} did not give the file ({type(error).__name__}).",
                hint="The API gives links to its bucket: can this machine reach it?",
                sent=True,
            ) from error
    if not answer.is_success:
        raise ApiError(
            "DOWNLOAD_FAILED",
            f"{link.host} refused the file: {answer.status_code} {answer.reason_phrase}",
            status=answer.status_code,
            hint="Ask again: a link is good for a few minutes",
        )
    return answer.content
