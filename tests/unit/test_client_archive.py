"""Extracting archives: what must not be written, and what must not be overwritten."""

import io
import stat
import warnings
import zipfile

import pytest

from agenticai_client import archive
from agenticai_client.archive import MARKER, unpack
from agenticai_client.errors import FolderInUse, UnsafeArchive


def pack(*entries):
    """A zip of (name or ZipInfo, content), as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that appear twice are the point of a test
        for name, content in entries:
            packed.writestr(name, content)
    return buffer.getvalue()


def test_files_are_written_with_their_folders(tmp_path):
    data = pack(("main.py", "1"), ("app/", ""), ("app/models.py", "2"), ("leer/ü.txt", "3"))
    pulled = unpack(data, tmp_path / "new" / "place", "p1")
    assert pulled.written == ["app/models.py", "leer/ü.txt", "main.py"]
    assert (tmp_path / "new" / "place" / "app" / "models.py").read_text() == "2"


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../outside.txt",
        "app/../../outside.txt",
        "C:\\windows.txt",
        "c:file.txt",
        "a\\b.txt",
        "a//b.txt",
        "./a.txt",
        "app/..",
        "bell\x07.txt",
        MARKER,
    ],
)
def test_paths_that_leave_the_folder_or_mislead_are_refused(tmp_path, name):
    target = tmp_path / "target"
    with pytest.raises(UnsafeArchive):
        unpack(pack(("fine.txt", "1"), (name, "2")), target, "p1")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_hides_behind_a_nul_is_refused(tmp_path):
    data = pack(("evilX.txt", "1")).replace(b"evilX.txt", b"evil\x00.txt")
    with pytest.raises(UnsafeArchive):
        unpack(data, tmp_path / "target", "p1")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path, kind):
    entry = zipfile.ZipInfo("link")
    entry.external_attr = (kind | 0o777) << 16
    with pytest.raises(UnsafeArchive):
        unpack(pack((entry, "/etc/passwd")), tmp_path / "target", "p1")


def test_two_entries_for_one_file_are_refused(tmp_path):
    with pytest.raises(UnsafeArchive, match="twice"):
        unpack(pack(("A.txt", "1"), ("a.txt", "2")), tmp_path / "target", "p1")


def test_what_grows_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_BYTES", 10)
    with pytest.raises(UnsafeArchive, match="too large"):
        unpack(pack(("a.txt", "x" * 11)), tmp_path / "target", "p1")


@pytest.mark.parametrize(
    "data", [b"", b"PK nonsense", pack(("a", "b"))[:-10]], ids=["empty", "nonsense", "cut off"]
)
def test_what_is_no_archive_is_refused(tmp_path, data):
    with pytest.raises(UnsafeArchive, match="cannot be read"):
        unpack(data, tmp_path / "target", "p1")


def test_a_damaged_entry_is_refused(tmp_path):
    data = pack(("a.txt", "good content")).replace(b"good content", b"evil content")
    with pytest.raises(UnsafeArchive):
        unpack(data, tmp_path / "target", "p1")


def test_a_link_in_the_folder_is_not_written_through(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    target = tmp_path / "target"
    target.mkdir()
    (target / "app").symlink_to(outside)
    with pytest.raises(FolderInUse, match="link"):
        unpack(pack(("app/x.py", "1")), target, "p1", force=True)
    assert list(outside.iterdir()) == []


def test_a_folder_with_other_files_needs_force(tmp_path):
    (tmp_path / "thesis.txt").write_text("work")
    with pytest.raises(FolderInUse, match="not empty"):
        unpack(pack(("main.py", "1")), tmp_path, "p1")
    unpack(pack(("main.py", "1")), tmp_path, "p1", force=True)
    assert (tmp_path / "thesis.txt").read_text() == "work"


def test_a_file_in_the_folder_s_place_is_left_alone(tmp_path):
    target = tmp_path / "file"
    target.write_text("work")
    with pytest.raises(FolderInUse, match="not a folder"):
        unpack(pack(("main.py", "1")), target, "p1")


def test_the_next_pull_updates_and_removes_what_it_wrote_itself(tmp_path):
    unpack(pack(("main.py", "1"), ("old.py", "1"), ("changed.py", "1")), tmp_path, "p1")
    (tmp_path / "changed.py").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine too")
    pulled = unpack(pack(("main.py", "2")), tmp_path, "p1")
    assert pulled.removed == ["old.py"]
    assert (tmp_path / "main.py").read_text() == "2"
    assert (tmp_path / "changed.py").read_text() == "mine"
    assert (tmp_path / "notes.txt").read_text() == "mine too"


def test_the_next_pull_does_not_overwrite_the_user_s_changes(tmp_path):
    unpack(pack(("main.py", "1")), tmp_path, "p1")
    (tmp_path / "main.py").write_text("mine")
    with pytest.raises(FolderInUse, match=r"main\.py"):
        unpack(pack(("main.py", "2")), tmp_path, "p1")
    assert (tmp_path / "main.py").read_text() == "mine"
    unpack(pack(("main.py", "2")), tmp_path, "p1", force=True)
    assert (tmp_path / "main.py").read_text() == "2"


def test_another_project_s_folder_is_a_foreign_one(tmp_path):
    unpack(pack(("main.py", "1")), tmp_path, "p1")
    with pytest.raises(FolderInUse):
        unpack(pack(("main.py", "2")), tmp_path, "p2")


def test_a_marker_cannot_make_a_pull_delete_elsewhere(tmp_path):
    victim = tmp_path / "victim.txt"
    victim.write_text("")
    target = tmp_path / "target"
    target.mkdir()
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for name in ("../victim.txt", str(victim)):
        (target / MARKER).write_text(f'{{"project_id": "p1", "files": {{"{name}": "{empty}"}}}}')
        unpack(pack(("main.py", "1")), target, "p1", force=True)
        assert victim.exists()
