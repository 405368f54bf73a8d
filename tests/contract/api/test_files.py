"""A project's files over REST."""

import hashlib
import io
import zipfile

import pytest


def test_files_are_an_object_by_path(api, built_id):
    files = api.get(f"/api/projects/{built_id}/files").json()["files"]

    assert "main.py" in files
    assert set(files) == {"main.py", "README.md", "static/logo.bin", "docs/index.html"}
    assert files["main.py"]["size"] == 15
    assert files["main.py"]["sha256"] == hashlib.sha256(b"print('hello')\n").hexdigest()
    assert files["main.py"]["last_modified"].endswith("Z")


def test_a_project_without_a_revision_has_no_files(api, project_id):
    answer = api.get(f"/api/projects/{project_id}/files")

    assert (answer.status_code, answer.json()) == (200, {"files": {}})


@pytest.mark.parametrize(
    ("path", "content", "media_type"),
    [
        ("main.py", b"print('hello')\n", "text/plain; charset=utf-8"),
        ("static/logo.bin", b"\x89PNG\xff\x00", "application/octet-stream"),
        ("docs/index.html", b"<script>alert(1)</script>", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_comes_as_it_is_and_never_as_a_page(api, built_id, path, content, media_type):
    answer = api.get(f"/api/projects/{built_id}/files/{path}")

    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["Content-Type"] == media_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_file_that_is_not_there_is_not_found(api, built_id):
    assert api.get(f"/api/projects/{built_id}/files/other.py").status_code == 404


@pytest.mark.parametrize("path", ["..%2f..%2fmain.py", "%2fetc%2fpasswd", "a%00b", "..%5cmain.py"])
def test_an_unsafe_path_gets_no_file(api, built_id, path):
    answer = api.get(f"/api/projects/{built_id}/files/{path}")

    assert answer.status_code in (404, 422)
    assert answer.json()["success"] is False


def test_the_archive_holds_every_file(api, built_id):
    answer = api.get(f"/api/projects/{built_id}/archive")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    disposition = answer.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="bike-workshop-r1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert any(name.endswith("main.py") for name in contents)
    assert b"print('hello')\n" in contents.values()
    assert len(contents) == 4


def test_the_docs_are_markdown(api, built_id):
    answer = api.get(f"/api/projects/{built_id}/docs")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert "Bike workshop" in answer.text


@pytest.mark.parametrize("what", ["archive", "files/main.py"])
def test_what_is_not_built_yet_is_refused_in_words(api, project_id, what):
    answer = api.get(f"/api/projects/{project_id}/{what}")

    assert answer.status_code in (404, 409)
    assert answer.json()["error"]["message"]
