"""What lies in the bucket: followed by the client, without its key."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.responses import Response

from agenticai_client.download import fetch_link
from agenticai_client.errors import ApiError, ClientError, ConnectionFailed


@dataclass
class Bucket:
    """Another address, which remembers what it was asked and answers by script."""

    url: str = ""
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    def redirect(self) -> Response:
        return Response(status_code=307, headers={"Location": f"{self.url}/key?X-Amz-Signature=s3"})


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    fake = Bucket()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fake.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            status, body = fake.answers.pop(0) if fake.answers else (200, b"content")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", fake.url + "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_port}"
    yield fake
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_the_key_stays_behind(system, bucket):
    system.answers += [bucket.redirect(), bucket.redirect()]
    with system.client() as client:
        assert client.archive("proj_1") == b"content"
        assert client.read_file("proj_1", "large.bin") == b"content"
    assert [request.headers["x-api-key"] for request in system.seen] == ["agk_test"] * 2
    for path, headers in bucket.seen:
        assert path == "/key?X-Amz-Signature=s3"
        assert not {"x-api-key", "authorization", "cookie"} & set(headers)
        assert "agk_" not in str(headers)


def test_other_calls_follow_nothing(system, bucket):
    system.answers += [bucket.redirect(), bucket.redirect()]
    with system.client() as client:
        with pytest.raises(ApiError):
            client.get_project("proj_1")
        with pytest.raises(ApiError):
            client.docs("proj_1")
    assert bucket.seen == []


def test_a_passing_fault_of_the_bucket_is_tried_again(system, bucket):
    system.answers.append(bucket.redirect())
    bucket.answers += [(503, b""), (500 + 4, b"")]
    with system.client() as client:
        assert client.archive("proj_1") == b"content"
    assert len(bucket.seen) == 3
    assert len(system.seen) == 1


@pytest.mark.parametrize("status", [403, 404, 302])
def test_a_refusal_is_told_without_the_link(system, bucket, status):
    system.answers.append(bucket.redirect())
    bucket.answers.append((status, b"<Error>"))
    with system.client() as client, pytest.raises(ApiError) as caught:
        client.archive("proj_1")
    assert (caught.value.code, caught.value.status) == ("DOWNLOAD_FAILED", status)
    assert "X-Amz" not in caught.value.message
    assert len(bucket.seen) == 1


def test_a_bucket_that_is_not_there_is_told(system, unused_port):
    link = f"http://127.0.0.1:{unused_port}/key?X-Amz-Signature=s3"
    system.answers.append(Response(status_code=307, headers={"Location": link}))
    with system.client() as client, pytest.raises(ConnectionFailed) as caught:
        client.archive("proj_1")
    assert "X-Amz" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("asked", "link"),
    [
        ("https://api.test/x", "http://bucket.test/x"),
        ("https://api.test/x", "file:///etc/passwd"),
        ("http://api.test/x", "memory://bucket/x"),
        ("http://api.test/x", "ftp://bucket.test/x"),
    ],
)
def test_a_link_that_is_not_safe_is_not_followed(asked, link):
    response = httpx.Response(307, headers={"Location": link}, request=httpx.Request("GET", asked))
    with pytest.raises(ClientError, match="not safe"):
        fetch_link(response, 1)
