"""Links to the bucket, followed for real: by whoever has one, with no key, for a while."""

import dataclasses
import io
import threading
import urllib.error
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from email.message import Message
from pathlib import Path

import httpx
import pytest
from tests.contract.api.conftest import Api
from tests.fakes.promoted import promote
from tests.fakes.serving import server_of, serving

from agenticai_api.main import create_app
from agenticai_client.sdk import Client
from agenticai_core import archive, auth, content, housekeeping, runs
from agenticai_core.bootstrap import Services, connect
from agenticai_core.settings import Settings
from agenticai_local.download import save_archive

TREE = {"main.py": b"print(1)\n", "café menu.txt": b"x" * (1024 * 1024 + 1), "empty": b""}


@pytest.fixture
def services(emulator_settings: Settings) -> Services:
    return connect(emulator_settings)


@pytest.fixture
def project_id(services: Services) -> str:
    new = runs.NewProject.model_validate({"name": "Salon", "type": "api", "description": "d"})
    made = runs.create_project(services, "alice", new)
    promote(services, made.id, TREE)
    return made.id


def fetch(url: str) -> tuple[bytes, Message]:
    """By a client that has nothing but the link."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read(), answer.headers


@pytest.fixture
def api(services: Services, emulator_settings: Settings) -> Api:
    _, secret = auth.create_api_key(services.store, "alice", "test", ("read", "write"))
    return Api(create_app(services, emulator_settings), secret)


def test_the_archive_is_fetched_from_the_bucket(api: Api, project_id: str) -> None:
    answer = api.get(f"/api/projects/{project_id}/archive")
    assert answer.status_code == 307

    packed, headers = fetch(answer.headers["Location"])

    assert headers["Content-Type"] == "application/zip"
    assert headers["Content-Disposition"].startswith('attachment; filename="salon-r1.zip"')
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert {name: opened.read(name) for name in opened.namelist()} == TREE


def test_a_large_file_is_fetched_from_the_bucket(api: Api, project_id: str) -> None:
    answer = api.get(f"/api/projects/{project_id}/files/café menu.txt")
    assert answer.status_code == 307

    body, headers = fetch(answer.headers["Location"])

    assert body == TREE["café menu.txt"]
    assert headers["Content-Type"] == "application/octet-stream"
    assert "filename*=UTF-8''caf%C3%A9%20menu.txt" in headers["Content-Disposition"]


def test_the_clients_get_files_and_archives_by_links(
    services: Services, project_id: str, emulator_settings: Settings, tmp_path: Path
) -> None:
    _, secret = auth.create_api_key(services.store, "alice", "test", ("read", "write"))
    with (
        serving(server_of(create_app(services, emulator_settings))) as port,
        Client(f"http://127.0.0.1:{port}", secret) as client,
    ):
        assert client.read_file(project_id, "café menu.txt") == TREE["café menu.txt"]
        assert client.read_file(project_id, "main.py") == TREE["main.py"]
        folder = save_archive(client.archive(project_id), tmp_path, "Salon")
    assert {path: (folder / path).read_bytes() for path in TREE} == TREE


def test_first_requests_at_once_get_one_archive(services: Services, project_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        links = list(
            pool.map(lambda _: archive.link_archive(services, "alice", project_id), range(8))
        )
    assert len({fetch(link)[0] for link in links}) == 1
    assert len(list(services.files.list(f"archives/{project_id}/"))) == 1


def test_an_archive_that_has_expired_is_built_again(services: Services, project_id: str) -> None:
    before, _ = fetch(archive.link_archive(services, "alice", project_id))
    services.files.delete_prefix(f"archives/{project_id}/")
    assert fetch(archive.link_archive(services, "alice", project_id))[0] == before
    runs.delete_project(services, "alice", project_id)
    housekeeping.remove_project(services, project_id)
    assert list(services.files.list(f"archives/{project_id}/")) == []


def test_a_link_that_was_changed_opens_nothing(services: Services, project_id: str) -> None:
    link = archive.link_archive(services, "alice", project_id)
    content.put_object(services.files, "proj_other", b"not yours")
    assert "X-Amz-Expires=300&" in link
    for changed in (
        link.replace("X-Amz-Expires=300", "X-Amz-Expires=3000"),
        link.replace(f"archives/{project_id}", "objects/proj_other"),
        link.replace("attachment", "inline"),
        link.replace("X-Amz-Signature=", "X-Amz-Signature=0"),
    ):
        assert changed != link
        with pytest.raises(urllib.error.HTTPError) as refused:
            fetch(changed)
        assert refused.value.code == 403
        refused.value.close()


def test_links_name_the_address_that_is_seen_from_outside(
    services: Services, project_id: str, emulator_settings: Settings
) -> None:
    """The services reach the bucket inside; a forwarder stands for the way from outside."""
    inside = emulator_settings.endpoint_url or ""
    with Forwarder(inside) as outside:
        seen = emulator_settings.model_copy(update={"s3_public_url": outside})
        outer = dataclasses.replace(services, files=connect(seen).files)
        link = archive.link_archive(outer, "alice", project_id)
        assert link.startswith(f"{outside}/{emulator_settings.bucket}/archives/")
        assert fetch(link)[0].startswith(b"PK")
    assert archive.link_archive(services, "alice", project_id).startswith(inside)


class Forwarder:
    """Passes GETs on to another address."""

    def __init__(self, target: str) -> None:
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = httpx.get(target + self.path, headers={"Host": self.headers["Host"]})
                self.send_response(answer.status_code)
                self.send_header("Content-Length", str(len(answer.content)))
                self.end_headers()
                self.wfile.write(answer.content)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
