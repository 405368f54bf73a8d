"""A revision as a zip: safe entries, equal bytes, built once and rebuilt when it has expired."""

import io
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.promoted import promote

from agenticai_core import archive, housekeeping, runs
from agenticai_core.bootstrap import Services
from agenticai_core.errors import NotFound, Unavailable, UnsafePath, WrongState
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Project
from agenticai_core.paths import safe_path

from .test_housekeeping import FIRST, remaining

Create = Callable[..., Project]


@pytest.fixture
def project_id(services: Services, create: Create) -> str:
    made = create(name="Bob's Bike Shop!").id
    promote(services, made, FIRST)
    return made


def fetch(services: Services, url: str) -> tuple[str, bytes]:
    """What a link gives: the name to save it under, and the bytes."""
    parts = urlsplit(url)
    told = parse_qs(parts.query)
    assert told["content_type"] == ["application/zip"]
    return told["filename"][0], services.files.get(unquote(parts.path).lstrip("/"))


def archives(services: Services, project_id: str) -> list[str]:
    return list(services.files.list(f"archives/{project_id}/"))


def test_it_holds_the_revision(services: Services, project_id: str) -> None:
    name, packed = fetch(services, archive.link_archive(services, "me", project_id))

    assert name == "bob-s-bike-shop-r1.zip"
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == sorted(FIRST)
        assert {path: opened.read(path) for path in opened.namelist()} == FIRST
        assert {info.external_attr >> 16 for info in opened.infolist()} == {0o644}


def test_it_is_built_once_for_each_tree(
    services: Services, project_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = archive.link_archive(services, "me", project_id)
    promote(services, project_id, {"other": b"x"})
    archive.link_archive(services, "me", project_id)
    promote(services, project_id, FIRST)  # as after a rollback

    monkeypatch.setattr(archive, "pack", None)
    again = archive.link_archive(services, "me", project_id)
    archive.link_archive(services, "me", project_id, 2)

    assert urlsplit(again).path == urlsplit(first).path
    assert fetch(services, again)[0] == "bob-s-bike-shop-r3.zip"
    assert len(archives(services, project_id)) == 2


def test_one_that_has_expired_is_built_again(services: Services, project_id: str) -> None:
    before = fetch(services, archive.link_archive(services, "me", project_id))
    services.files.delete_prefix("archives/")
    assert fetch(services, archive.link_archive(services, "me", project_id)) == before


def test_first_requests_at_once_do_no_harm(services: Services, project_id: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        links = list(
            pool.map(lambda _: archive.link_archive(services, "me", project_id), range(16))
        )
    assert len({fetch(services, link)[1] for link in links}) == 1
    assert len(archives(services, project_id)) == 1


def test_equal_trees_give_equal_bytes() -> None:
    assert archive.pack(FIRST) == archive.pack(dict(reversed(FIRST.items())))


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "C:/x", "a\\b", ".git/hooks/pre-commit", ""]
)
def test_no_entry_leaves_the_folder(path: str) -> None:
    with pytest.raises(UnsafePath):
        archive.pack({"main.py": b"", path: b"evil"})


@given(
    path=st.one_of(st.text(max_size=20), st.lists(st.sampled_from(["..", "a", ""])).map("/".join))
)
def test_what_is_packed_has_a_safe_name(path: str) -> None:
    try:
        packed = archive.pack({path: b"1"})
    except (UnsafePath, UnicodeEncodeError):
        return
    with zipfile.ZipFile(io.BytesIO(packed)) as opened:
        (name,) = opened.namelist()
    assert safe_path(name) == name == safe_path(path)


@pytest.mark.parametrize(("name", "slug"), [("日本", "project"), ("../../x", "x"), ('a"b', "a-b")])
def test_its_name_is_safe(services: Services, create: Create, name: str, slug: str) -> None:
    made = create(name=name).id
    promote(services, made, FIRST)
    assert fetch(services, archive.link_archive(services, "me", made))[0] == f"{slug}-r1.zip"


def test_without_a_revision_there_is_none(services: Services, create: Create) -> None:
    made = create().id
    with pytest.raises(WrongState):
        archive.link_archive(services, "me", made)
    with pytest.raises(NotFound):
        archive.link_archive(services, "me", made, 1)


def test_it_goes_with_the_project(services: Services, project_id: str) -> None:
    archive.link_archive(services, "me", project_id)
    runs.delete_project(services, "me", project_id)
    housekeeping.remove_project(services, project_id)
    assert remaining(services, project_id) == []


@pytest.mark.parametrize("removed", [False, True])
def test_beside_a_deletion_none_is_left(
    services: Services, project_id: str, monkeypatch: pytest.MonkeyPatch, removed: bool
) -> None:
    put = MemoryFiles.put

    def delete_first(files: MemoryFiles, key: str, *args: object) -> None:
        runs.delete_project(services, "me", project_id)
        if removed:
            housekeeping.remove_project(services, project_id)
        put(files, key, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryFiles, "put", delete_first)
    with pytest.raises(NotFound):
        archive.link_archive(services, "me", project_id)
    assert archives(services, project_id) == []


def test_only_a_few_are_built_at_once(
    services: Services, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [create().id for _ in range(archive.BUILDS_AT_ONCE + 1)]
    for made in ids:
        promote(services, made, FIRST)
    begun, go_on = Semaphore(0), Event()
    pack = archive.pack

    def pack_slowly(files: Mapping[str, bytes]) -> bytes:
        begun.release()
        assert go_on.wait(10)
        return pack(files)

    monkeypatch.setattr(archive, "pack", pack_slowly)
    monkeypatch.setattr(archive, "_PATIENCE", 0.1)
    with ThreadPoolExecutor() as pool:
        links = [pool.submit(archive.link_archive, services, "me", made) for made in ids[:-1]]
        for _ in links:
            assert begun.acquire(timeout=10)
        with pytest.raises(Unavailable, match="Many archives"):
            archive.link_archive(services, "me", ids[-1])
        go_on.set()
        assert all(link.result() for link in links)
    assert archive.link_archive(services, "me", ids[-1])
