"""What every file storage does: the same suite for the memory and the S3 adapter."""

import uuid

import pytest

from agenticai_core import content
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound, UnsafePath
from agenticai_core.files.base import Files


@pytest.fixture
def files(services: Services) -> Files:
    return services.files


@pytest.fixture
def prefix() -> str:
    return f"test/{uuid.uuid4().hex}/"


def test_gives_back_what_was_put(files: Files, prefix: str) -> None:
    body = bytes(range(256)) * 10
    files.put(prefix + "a b/ü.bin", body)
    assert files.get(prefix + "a b/ü.bin") == body
    files.put(prefix + "a b/ü.bin", b"")
    assert files.get(prefix + "a b/ü.bin") == b""


def test_absent_is_not_found(files: Files, prefix: str) -> None:
    assert not files.exists(prefix + "x")
    with pytest.raises(NotFound):
        files.get(prefix + "x")


def test_lists_by_prefix_in_order(files: Files, prefix: str) -> None:
    for name in ("b", "a/2", "a/1"):
        files.put(prefix + name, b"1")
    assert list(files.list(prefix)) == [prefix + "a/1", prefix + "a/2", prefix + "b"]
    assert list(files.list(prefix + "nothing")) == []


def test_deletes_below_a_prefix_with_every_version(files: Files, prefix: str) -> None:
    for _ in range(2):
        files.put(prefix + "a/1", b"1")
    files.put(prefix + "a/2", b"1")
    files.put(prefix + "b", b"1")
    assert files.delete_prefix(prefix + "a/") == 2
    assert list(files.list(prefix)) == [prefix + "b"]
    assert files.delete_prefix(prefix + "a/") == 0


def test_a_tree_comes_back_whole(files: Files) -> None:
    project = f"proj_{uuid.uuid4().hex}"
    tree = {"main.py": b"print()\n", "app/empty.py": b"", "same.py": b"print()\n"}
    key = content.put_tree(files, project, tree)
    manifest = content.read_manifest(files, key)
    assert content.read_tree(files, project, manifest) == tree
    assert manifest.files["main.py"] == manifest.files["same.py"]
    assert content.put_tree(files, project, dict(reversed(tree.items()))) == key


def test_a_tree_refuses_unsafe_and_colliding_paths(files: Files) -> None:
    for tree in ({"../x": b""}, {"A.py": b"", "a.py": b""}, {"a": b"", "a/b": b""}):
        with pytest.raises(UnsafePath):
            content.put_tree(files, "proj_x", tree)
