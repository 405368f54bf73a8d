"""A backup and its way back, between two environments of the emulator."""

import gzip
import json
import shutil
import tarfile

import pytest
from structlog.testing import capture_logs
from tests.fakes.promoted import promote
from tests.fakes.serving import server_of, serving

from agenticai_api.main import create_app
from agenticai_client.sdk import Client
from agenticai_core import auth, runs
from agenticai_core.environment import unseal
from agenticai_core.models import ProjectType
from agenticai_core.rows import load
from agenticai_core.settings import Settings
from agenticai_core.store import keys
from agenticai_core.store.base import Delete, Key, Put, Update
from agenticai_operate.backup.export import export
from agenticai_operate.backup.layout import item_line, read_items
from agenticai_operate.backup.marker import KEY
from agenticai_operate.backup.restore import restore
from agenticai_operate.errors import BadBackup, TargetInUse

TREES = (
    {"main.py": b"print(1)\n", "docs/read me.md": "Für Hunde\n".encode()},
    {"main.py": b"print(2)\n", "logo.png": b"\xff\xd8\x00"},
)


@pytest.fixture
def source(new_environment):
    """An environment with a key and a project of two revisions; then the project's id and key."""
    environment = new_environment()
    services = environment.services
    _, secret = auth.create_api_key(services.store, "me", "test", ("read", "write", "admin"))
    new = runs.NewProject(
        name="Salon",
        type=ProjectType.API,
        description="Dogs",
        environment_vars={"STRIPE_KEY": "sk-hidden-value", "MODE": "live"},
    )
    project_id = runs.create_project(services, "me", new).id
    for number, tree in enumerate(TREES, start=1):
        promote(services, project_id, tree, summary=f"Summary {number}")
    services.files.put(f"archives/{project_id}/abc.zip", b"built again when asked for")
    return environment, project_id, secret


def seen_by_api(environment, project_id, secret):
    """All that a user can read of the project."""
    api = server_of(create_app(environment.services, Settings(log_level="CRITICAL")))
    with capture_logs(), serving(api) as port, Client(f"http://127.0.0.1:{port}", secret) as client:
        return {
            "project": client.get_project(project_id),
            "revisions": list(client.list_revisions(project_id)),
            "events": client.events(project_id, 0)["events"],
            "trees": [
                {
                    path: client.read_file(project_id, path, revision=number)
                    for path in client.revision_files(project_id, number)
                }
                for number in (1, 2)
            ],
        }


def rows(environment):
    pages = environment.place.dynamo.get_paginator("scan").paginate(
        TableName=environment.place.table
    )
    return sorted(item_line(dict(sorted(row.items()))) for page in pages for row in page["Items"])


def objects(environment):
    files = environment.services.files
    return {key: files.get(key) for key in files.list("")}


@pytest.mark.parametrize("name", ["copy", "copy.tar.gz"])
def test_what_comes_back_is_what_was_there(source, new_environment, tmp_path, name):
    old, project_id, secret = source
    before = seen_by_api(old, project_id, secret)
    told = old.read("backup", str(tmp_path / name))
    assert told["items"] == len(rows(old))
    new = new_environment()
    done = new.read("restore", str(tmp_path / name), "--yes")
    assert (done["written_items"], done["written_objects"]) == (told["items"], told["objects"])
    assert not done["taken_up"]
    assert rows(new) == rows(old)
    assert objects(new) == {
        key: content for key, content in objects(old).items() if not key.startswith("archives/")
    }
    assert seen_by_api(new, project_id, secret) == before
    assert before["trees"] == [dict(tree) for tree in TREES]
    assert [path.name for path in tmp_path.iterdir()] == [name]  # nothing is left beside it
    assert (tmp_path / name).stat().st_mode & 0o077 == 0  # and nobody else may read it


def test_values_of_variables_are_not_in_a_backup_and_their_names_are_told(
    source, new_environment, tmp_path
):
    old, project_id, _ = source
    old.run("backup", str(tmp_path / "copy"))
    text = "".join(path.read_text() for path in tmp_path.rglob("*.json*"))
    assert "STRIPE_KEY" in text
    assert "sk-hidden-value" not in text
    new = new_environment()
    result = new.run("restore", str(tmp_path / "copy"), "--yes")
    wanted = f"Set again: the values of MODE, STRIPE_KEY of Salon ({project_id})"
    assert wanted in result.stderr
    services = new.services
    assert unseal(services, load(services.store, project_id).project) == {}


def test_a_table_that_holds_something_is_refused(source, tmp_path):
    old, _, _ = source
    old.run("backup", str(tmp_path / "copy"))
    before = rows(old)
    result = old.run("restore", str(tmp_path / "copy"), "--yes", code=1)
    assert "is not empty" in result.stderr
    assert "--overwrite" in result.stderr
    assert rows(old) == before


def test_overwriting_brings_back_what_was_changed_and_leaves_the_rest(source, tmp_path):
    old, project_id, _ = source
    old.run("backup", str(tmp_path / "copy"))
    before = rows(old)
    services = old.services
    services.files.delete_prefix("objects/")
    later = runs.create_project(
        services, "me", runs.NewProject(name="Later", type=ProjectType.API, description="Cats")
    )
    promote(services, project_id, {"main.py": b"print(3)\n"})
    old.run("restore", str(tmp_path / "copy"), "--yes", "--overwrite")
    assert set(before) < set(rows(old))
    assert load(services.store, project_id).project.revision == 2
    assert load(services.store, later.id).project.name == "Later"


def test_nothing_is_restored_without_a_yes(source, new_environment, tmp_path):
    old, _, _ = source
    old.run("backup", str(tmp_path / "copy"))
    new = new_environment()
    new.run("restore", str(tmp_path / "copy"), code=1, input="n\n")
    assert (rows(new), objects(new)) == ([], {})


def spoil_item(folder):
    path = folder / "table" / "000001.jsonl"
    path.write_text(path.read_text().replace("Salon", "Solan", 1))


def spoil_object(folder):
    next((folder / "objects").iterdir()).write_bytes(b"something else")


def lose_object(folder):
    next((folder / "objects").iterdir()).unlink()


def lose_manifest(folder):
    (folder / "manifest.json").unlink()


def change_manifest(folder, **fields):
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def claim_more(folder):
    change_manifest(folder, items=99)


def claim_a_later_format(folder):
    change_manifest(folder, format=2)


def name_a_file_elsewhere(folder):
    files = json.loads((folder / "manifest.json").read_text())["files"]
    change_manifest(folder, files=files | {"../secret": {"sha256": "0" * 64, "size": 0}})


def name_an_object_elsewhere(folder):
    path = folder / "objects.jsonl"
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | {"sha256": "../x"}), *rest]))


SPOILED = (
    spoil_item,
    spoil_object,
    lose_object,
    lose_manifest,
    claim_more,
    claim_a_later_format,
    name_a_file_elsewhere,
    name_an_object_elsewhere,
)


def test_a_backup_that_was_changed_is_refused_before_anything_is_written(
    source, new_environment, tmp_path
):
    old, _, _ = source
    old.run("backup", str(tmp_path / "copy"))
    new = new_environment()
    place = new.place
    for spoil in SPOILED:
        folder = tmp_path / spoil.__name__
        shutil.copytree(tmp_path / "copy", folder)
        spoil(folder)
        with pytest.raises(BadBackup):
            restore(place, folder)
    assert (rows(new), objects(new)) == ([], {})


def test_an_archive_that_was_cut_off_is_refused(source, new_environment, tmp_path):
    old, _, _ = source
    whole = tmp_path / "copy.tar.gz"
    old.run("backup", str(whole))
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole.read_bytes()[:-200])
    linked = tmp_path / "linked.tar.gz"
    with tarfile.open(linked, "w:gz") as tar:
        link = tarfile.TarInfo("manifest.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    text = tmp_path / "text.tar.gz"
    text.write_bytes(gzip.compress(b"no archive"))
    new = new_environment()
    for bad in (cut, linked, text, tmp_path / "absent.tar.gz", tmp_path / "absent"):
        result = new.run("restore", str(bad), "--yes", code=2)
        assert "Error: " in result.stderr
    assert (rows(new), objects(new)) == ([], {})


def test_a_restore_that_was_interrupted_goes_on(source, new_environment, tmp_path, monkeypatch):
    old, project_id, secret = source
    before = seen_by_api(old, project_id, secret)
    old.run("backup", str(tmp_path / "copy"))
    new = new_environment()
    place, count = new.place, iter(range(100))
    put = place.dynamo.put_item

    def put_some(**request):
        if next(count) > 4:
            raise KeyboardInterrupt
        return put(**request)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(place.dynamo, "put_item", put_some)
        restore(place, tmp_path / "copy")
    partly = len(rows(new))
    assert 0 < partly < len(rows(old))
    done = new.read("restore", str(tmp_path / "copy"), "--yes")
    assert done["taken_up"]
    assert done["written_objects"] == 0  # they had all been written
    assert done["written_items"] == len(rows(old)) - (partly - 1)  # the marker is one
    assert rows(new) == rows(old)
    assert seen_by_api(new, project_id, secret) == before


def test_half_of_one_backup_is_not_finished_with_another(source, new_environment, tmp_path):
    old, _, _ = source
    export(old.place, tmp_path / "copy")
    new = new_environment()
    place = new.place
    place.dynamo.put_item(TableName=place.table, Item=KEY | {"backup": {"S": "another"}})
    with pytest.raises(TargetInUse):
        restore(place, tmp_path / "copy")
    assert objects(new) == {}


def test_an_unfinished_restore_is_not_copied(source, tmp_path):
    old, _, _ = source
    place = old.place
    place.dynamo.put_item(TableName=place.table, Item=KEY | {"backup": {"S": "another"}})
    manifest = export(place, tmp_path / "copy")
    assert manifest.items == len(rows(old)) - 1
    assert KEY["PK"] not in [item["PK"] for item in read_items(tmp_path / "copy", manifest)]


def test_a_backup_goes_where_nothing_is(source, tmp_path):
    old, _, _ = source
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").touch()
    (tmp_path / "used.tar.gz").touch()
    for name in ("used", "used.tar.gz"):
        old.run("backup", str(tmp_path / name), code=1)
    assert (tmp_path / "used.tar.gz").stat().st_size == 0


def test_what_is_deleted_while_it_is_copied_is_told(source, tmp_path, monkeypatch):
    old, _, _ = source
    place = old.place
    get, files = place.s3.get_object, old.services.files
    doomed = next(iter(files.list("objects/")))

    def delete_first(**request):
        if request["Key"] == doomed:
            files.delete_prefix(doomed)
        return get(**request)

    monkeypatch.setattr(place.s3, "get_object", delete_first)
    manifest = export(place, tmp_path / "copy")
    assert manifest.vanished == 1
    assert manifest.objects == len([key for key in objects(old) if "archives/" not in key])


def test_binary_values_come_back(environment, new_environment, tmp_path):
    item = {
        "PK": {"S": "X"},
        "SK": {"S": "Y"},
        "one": {"B": b"\x00\xff"},
        "some": {"BS": [b"a", b"b"]},
        "deep": {"L": [{"M": {"B": {"S": "no bytes"}, "b": {"B": b"\x01"}}}, {"NULL": True}]},
        "number": {"N": "1.5"},
    }
    place = environment.place
    place.dynamo.put_item(TableName=place.table, Item=item)
    manifest = export(place, tmp_path / "copy")
    assert list(read_items(tmp_path / "copy", manifest)) == [item]
    target = new_environment().place
    restore(target, tmp_path / "copy")
    found = target.dynamo.get_item(
        TableName=target.table, Key={"PK": item["PK"], "SK": item["SK"]}
    )["Item"]
    assert found["deep"] == item["deep"]
    assert sorted(found["some"]["BS"]) == [b"a", b"b"]


def events_of(folder, manifest, project_id):
    rows = [row for row in read_items(folder, manifest) if project_id in row["PK"]["S"]]
    return sorted(int(row["seq"]["N"]) for row in rows if row["SK"]["S"].startswith("EVENT#"))


def written_to(services, project_id, seq):
    """The log with one event more, as a use case writes it."""
    one = services.store.get(keys.event(project_id, 1))
    services.store.write(
        Put(one | {"SK": keys.event_sk(seq), "seq": seq}),
        Update(keys.head(project_id), set={"seq": seq}),
        Update(keys.project(project_id), add={"version": 1}),
    )


def test_a_project_that_is_written_to_meanwhile_is_read_again(source, tmp_path, monkeypatch):
    old, project_id, _ = source
    place, services = old.place, old.services
    other = runs.create_project(
        services, "me", runs.NewProject(name="Calm", type=ProjectType.API, description="Cats")
    )
    missing = [row for row in rows(old) if f"{project_id}" in row and "EVENT#" in row]
    assert len(missing) == 1
    paginator = place.dynamo.get_paginator

    def moving(operation):
        """The event is written after its place was read, the head before that was."""
        pages = paginator(operation)
        if operation != "scan":
            return pages
        paginate = pages.paginate

        def read(**request):
            for page in paginate(**request):
                items = [
                    row
                    for row in page["Items"]
                    if item_line(dict(sorted(row.items()))) not in missing
                ]
                yield {"Items": items}

        monkeypatch.setattr(pages, "paginate", read)
        return pages

    monkeypatch.setattr(place.dynamo, "get_paginator", moving)
    manifest = export(place, tmp_path / "copy")
    assert (manifest.torn, manifest.items) == (0, len(rows(old)))
    assert events_of(tmp_path / "copy", manifest, project_id) == [1]
    assert events_of(tmp_path / "copy", manifest, other.id) == [1]
    copied = sorted(
        item_line(dict(sorted(row.items()))) for row in read_items(tmp_path / "copy", manifest)
    )
    assert copied == rows(old)
    assert [one.project_id for one in manifest.without_values] == [project_id]


def test_a_project_that_never_rests_is_told(source, tmp_path, monkeypatch):
    old, project_id, _ = source
    place, services = old.place, old.services
    batch_get, seqs = place.store.batch_get, iter(range(2, 100))

    def restless(wanted):
        written_to(services, project_id, next(seqs))
        return batch_get(wanted)

    monkeypatch.setattr(place.store, "batch_get", restless)
    manifest = export(place, tmp_path / "copy")
    assert manifest.torn == 1
    seen = events_of(tmp_path / "copy", manifest, project_id)
    assert seen == list(range(1, len(seen) + 1))
    assert len(seen) > 5


def test_a_project_that_is_deleted_meanwhile_is_left_out(source, tmp_path, monkeypatch):
    old, project_id, _ = source
    place, services = old.place, old.services
    batch_get = place.store.batch_get

    def delete_first(wanted):
        for row in services.store.query(keys.project_pk(project_id), limit=1000).items:
            services.store.write(Delete(Key(row["PK"], row["SK"])))
        return batch_get(wanted)

    monkeypatch.setattr(place.store, "batch_get", delete_first)
    manifest = export(place, tmp_path / "copy")
    assert (manifest.items, manifest.torn) == (len(rows(old)), 0)
    assert manifest.without_values == ()
    assert not any(project_id in row["PK"]["S"] for row in read_items(tmp_path / "copy", manifest))


def test_many_items_are_in_several_files(source, new_environment, tmp_path, monkeypatch):
    old, _, _ = source
    monkeypatch.setattr("agenticai_operate.backup.export.ITEMS_PER_FILE", 3)
    told = []
    manifest = export(old.place, tmp_path / "copy", lambda what, count: told.append((what, count)))
    assert sorted(manifest.files)[0] == "objects.jsonl"
    assert len(manifest.files) == 1 + -(-len(rows(old)) // 3)
    assert ("items", 3) in told
    new = new_environment()
    restore(new.place, tmp_path / "copy")
    assert rows(new) == rows(old)
