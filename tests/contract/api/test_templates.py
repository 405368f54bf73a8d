"""Templates over HTTP: whose they are, what is wrong with them, and projects made from them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agenticai_api import seeding
from agenticai_core import content
from agenticai_core.bootstrap import Services
from agenticai_core.models import Action
from agenticai_core.rows import load
from agenticai_core.store.base import Store, StoreUnavailable, Write
from agenticai_core.templates import builtin, library
from agenticai_core.templates.models import MAX_FILE, MAX_FILES, TemplateSnapshot

NEW: dict[str, Any] = {
    "name": "Greeter",
    "description": "A program that greets.",
    "category": "cli",
    "type": "api",
    "variables": [
        {"name": "project_name"},
        {"name": "greeting", "required": False, "default": "Hello", "pattern": "[A-Z][a-z]+"},
        {"name": "tone", "choices": ["kind", "short"]},
    ],
    "tags": ["python", "small"],
    "files": [
        {"path": "{{ project_name | slug }}.py", "content": "print({{ greeting | quoted }})\n"},
        {"path": "README.md", "content": "{{ verbatim }}\n", "is_template": False},
    ],
}


def file(path: str, text: str = "", **more: Any) -> dict[str, Any]:
    return {"path": path, "content": text, **more}


def create(api: Any, **changes: Any) -> str:
    answer = api.post("/api/templates", json=NEW | changes)
    assert answer.status_code == 201, answer.text
    identity: str = answer.json()["template"]["id"]
    return identity


def errors_of(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {one["field"]: one["message"] for one in answer.json()["error"]["details"]["errors"]}


# ---- one template -------------------------------------------------------------------------------


def test_a_template_comes_back_as_it_was_given(api):
    made = api.post("/api/templates", json=NEW)
    template = made.json()["template"]
    read = api.get(made.headers["Location"])

    assert (
        template.items()
        >= {
            "name": "Greeter",
            "builtin": False,
            "required_vars": ["project_name", "tone"],
            "optional_vars": ["greeting"],
            "version": 1,
            "tags": ["python", "small"],
        }.items()
    )
    shown = read.json()["template"]
    assert sorted(shown.pop("files"), key=lambda one: one["path"]) == [
        NEW["files"][1],
        NEW["files"][0] | {"is_template": True},
    ]
    assert shown == template
    assert made.headers["ETag"] == read.headers["ETag"] == '"1"'


def test_another_owners_template_is_nowhere(api, stranger):
    identity = create(api)
    path = f"/api/templates/{identity}"
    start = {"template_id": identity, "project_name": "P", "variables": {"tone": "kind"}}

    answers = [
        stranger.get(path),
        stranger.put(path, json=NEW),
        stranger.put(path, json=NEW, headers={"If-Match": '"7"'}),
        stranger.delete(path),
        stranger.post("/api/projects/from-template", json=start),
    ]

    assert [answer.status_code for answer in answers] == [404] * 5
    assert stranger.get("/api/templates").json()["templates"] == []
    assert api.get(path).json()["template"]["version"] == 1


def test_an_update_replaces_everything_and_counts_the_version(api):
    identity = create(api)
    changed = NEW | {"name": "Other", "variables": [], "files": [file("a.txt", "{{ 1 + 1 }}")]}
    answer = api.put(f"/api/templates/{identity}", json=changed, headers={"If-Match": '"1"'})

    assert answer.headers["ETag"] == '"2"'
    template = api.get(f"/api/templates/{identity}").json()["template"]
    assert (template["name"], template["version"], template["variables"]) == ("Other", 2, [])
    assert [one["path"] for one in template["files"]] == ["a.txt"]


def test_an_update_of_an_older_version_is_refused(api):
    identity = create(api)
    path = f"/api/templates/{identity}"
    api.put(path, json=NEW | {"name": "Second"})
    answer = api.put(path, json=NEW | {"name": "Third"}, headers={"If-Match": '"1"'})

    assert answer.status_code == 412
    assert answer.json()["error"]["details"] == {"current": 2}
    assert api.get(path).json()["template"]["name"] == "Second"


def test_of_updates_of_the_same_version_one_takes_effect(api):
    identity = create(api)

    def update(number: int) -> int:
        body = NEW | {"files": [file(f"{number}-{one}.txt") for one in range(5)], "variables": []}
        path, headers = f"/api/templates/{identity}", {"If-Match": '"1"'}
        status: int = api.put(path, json=body, headers=headers).status_code
        return status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(update, range(8)))

    assert sorted(statuses) == [200] + [412] * 7
    files = api.get(f"/api/templates/{identity}").json()["template"]["files"]
    assert len({one["path"].split("-")[0] for one in files}) == 1
    assert len(files) == 5


def test_a_deleted_template_is_gone_and_leaves_no_rows(api, services):
    identity = create(api)

    assert api.delete(f"/api/templates/{identity}").status_code == 200
    assert api.get(f"/api/templates/{identity}").status_code == 404
    assert library.read_files(services.store, identity) == ()
    assert api.delete(f"/api/templates/{identity}").status_code == 404


def test_too_many_changed_files_at_once_are_refused_whole(api):
    many = [file(f"a{number}") for number in range(MAX_FILES)]
    identity = create(api, files=many, variables=[])
    other = NEW | {"files": [file(f"b{number}") for number in range(MAX_FILES)], "variables": []}
    answer = api.put(f"/api/templates/{identity}", json=other)

    assert answer.status_code == 422
    assert len(api.get(f"/api/templates/{identity}").json()["template"]["files"]) == MAX_FILES


# ---- what is wrong with a template --------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([file("a", "x\n{{ nam }}")], {"file": "a", "line": 2, "name": "nam"}),
        ([file("{{ nam }}.txt")], {"file": "{{ nam }}.txt", "line": 1, "name": "nam"}),
        ([file("a", "{% if %}")], {"file": "a", "line": 1}),
        ([file("a", "\n\n{{ tone | shout }}")], {"line": 3, "name": "shout"}),
        ([file("a", "{% include 'b' %}")], {"line": 1, "name": "include"}),
        ([file("a", "{% autoescape 9 ** 9 %}{% endautoescape %}")], {"name": "autoescape"}),
        ([file("../a")], {"field": "files.0.path"}),
        ([file("{{ tone }}/../../a")], {"field": "files.0.path"}),
        ([file("con")], {"field": "files.0.path"}),
        ([file("a"), file("A")], {"field": "files"}),
        ([file("a"), file("a/b")], {"field": "files"}),
        ([file("a"), file("a")], {"field": "files.1.path", "message": "is there twice"}),
        ([file("a", "x" * (MAX_FILE + 1))], {"field": "files.0.content"}),
    ],
)
def test_what_is_wrong_with_a_file_is_named(api, files, told):
    answer = api.post("/api/templates", json=NEW | {"files": files})

    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["code"] == "INVALID_TEMPLATE"
    assert error["details"]["errors"][0].items() >= told.items()
    assert api.get("/api/templates").json()["templates"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"files": []},
        {"files": [file(f"f{number}") for number in range(MAX_FILES + 1)]},
        {"category": "none"},
        {"variables": [{"name": "Bad"}]},
        {"variables": [{"name": "loop"}]},
        {"variables": [{"name": "class"}]},
        {"variables": [{"name": "tone"}, {"name": "tone"}]},
        {"variables": [{"name": "tone", "default": "x"}]},
        {"variables": [{"name": "tone", "required": False, "default": "x", "choices": ["y"]}]},
        {"variables": [{"name": "tone", "pattern": "(a+)+"}]},
        {"tags": ["Not a slug"]},
        {"estimated_setup_time": -1},
        {"owner_id": "bob"},
    ],
)
def test_what_is_no_template_is_refused(api, changes):
    answer = api.post("/api/templates", json=NEW | changes)

    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


def test_an_update_is_checked_as_well(api):
    identity = create(api)
    answer = api.put(f"/api/templates/{identity}", json=NEW | {"files": [file("a", "{{ x }}")]})

    assert answer.json()["error"]["code"] == "INVALID_TEMPLATE"
    assert api.get(f"/api/templates/{identity}").json()["template"]["version"] == 1


# ---- lists --------------------------------------------------------------------------------------


def test_own_ones_come_first_newest_first_then_the_built_in(api, services):
    builtin.seed(services)
    mine = [create(api, name=f"T{number}") for number in range(3)]

    listed: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.get("/api/templates", params=query).json()
        assert len(page["templates"]) <= 2
        listed += page["templates"]
        cursor = page["next_cursor"]
        if cursor is None:
            break

    assert [one["id"] for one in listed[:3]] == mine[::-1]
    assert {one["id"] for one in listed[3:]} == {one.id for one in builtin.load_builtins()}
    assert all(one["builtin"] for one in listed[3:])
    assert len({one["id"] for one in listed}) == len(listed)


def test_lists_are_filtered_by_category_and_tag(api, services):
    builtin.seed(services)
    identity = create(api, tags=["rare"])

    def ids(**query: str) -> list[str]:
        return [one["id"] for one in api.get("/api/templates", params=query).json()["templates"]]

    assert ids(category="cli") == [identity, "cli-tool"]
    assert ids(tag="rare") == [identity]
    assert ids(tag="rare", category="web") == []
    assert ids(category="data") == ["data-pipeline"]


def test_a_cursor_is_good_for_its_owner_and_its_filter_alone(api, stranger):
    for _ in range(2):
        create(api)
    cursor = api.get("/api/templates", params={"limit": 1}).json()["next_cursor"]

    assert stranger.get("/api/templates", params={"cursor": cursor}).status_code == 422
    filtered = api.get("/api/templates", params={"cursor": cursor, "tag": "python"})
    assert filtered.json()["error"]["code"] == "INVALID_CURSOR"


# ---- built-in ones ------------------------------------------------------------------------------


def test_built_in_templates_cannot_be_changed(api, services):
    builtin.seed(services)
    path = "/api/templates/cli-tool"
    before = api.get(path).json()

    for answer in (api.put(path, json=NEW), api.delete(path)):
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "BUILT_IN_TEMPLATE"
    assert api.get(path).json() == before


# ---- projects -----------------------------------------------------------------------------------


def start(api: Any, identity: str, variables: dict[str, Any], **more: Any) -> Any:
    body = {"template_id": identity, "project_name": "My Tool", "variables": variables, **more}
    return api.post("/api/projects/from-template", json=body)


def snapshot_of(services: Services, project: dict[str, Any]) -> TemplateSnapshot:
    key = load(services.store, project["id"]).project.template_key
    assert key is not None
    return TemplateSnapshot.model_validate_json(services.files.get(key))


def test_a_project_from_a_template_begins_with_rendering(api, services):
    answer = start(api, create(api), {"tone": "kind"}, tags=["mine"], approval="required")

    assert answer.status_code == 201, answer.text
    project = answer.json()["project"]
    assert (project["status"], project["name"]) == ("generating", "My Tool")
    assert project["description"] == NEW["description"]
    assert answer.headers["Location"] == f"/api/projects/{project['id']}"
    agent, project_id, task_id, _ = services.queue.sent[-1]
    assert (agent.value, project_id) == ("dev", project["id"])
    assert task_id.endswith(Action.RENDER.value)
    assert snapshot_of(services, project).variables == {
        "project_name": "My Tool",
        "greeting": "Hello",
        "tone": "kind",
    }


def test_later_changes_of_the_template_do_not_matter(api, services):
    identity = create(api)
    project = start(api, identity, {"tone": "kind"}).json()["project"]
    api.put(f"/api/templates/{identity}", json=NEW | {"files": [file("other")], "name": "Other"})
    api.delete(f"/api/templates/{identity}")

    kept = snapshot_of(services, project)
    assert kept.template.name == "Greeter"
    assert {one.path for one in kept.files} == {one["path"] for one in NEW["files"]}


def test_each_wrong_variable_is_named(api, services):
    answer = start(api, create(api), {"greeting": "hello", "shade": "red", "project_name": "Else"})

    assert errors_of(answer) == {
        "variables.project_name": "differs from project_name; leave it out",
        "variables.greeting": "must match [A-Z][a-z]+",
        "variables.tone": "is required",
        "variables.shade": "is not a variable of this template (project_name, greeting, tone)",
    }
    assert services.queue.sent == []


def test_a_wrong_choice_names_the_right_ones(api):
    answer = start(api, create(api), {"tone": "loud"})

    assert answer.json()["error"]["details"]["errors"] == [
        {
            "field": "variables.tone",
            "message": "must be one of kind, short",
            "allowed_values": ["kind", "short"],
        }
    ]


def test_a_projects_name_has_the_form_that_the_template_asks_for(api, services):
    builtin.seed(services)
    answer = start(api, "cli-tool", {"command": "x y"}, project_name='Tool"; import os')

    assert set(errors_of(answer)) == {"project_name", "variables.command"}


@pytest.mark.parametrize("identity", ["tmpl_absent", "PROJECT#x", "", "a" * 65])
def test_a_template_that_is_not_there_is_not_found(api, identity):
    assert start(api, identity, {}).status_code == 404


def test_values_are_text(api):
    assert start(api, create(api), {"tone": 1}).status_code == 422


# ---- requests that come again -------------------------------------------------------------------


def test_two_equal_requests_make_one_template(api):
    headers = {"Idempotency-Key": "one"}

    def send(_: int) -> Any:
        return api.post("/api/templates", json=NEW, headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["template"]["id"] for answer in answers}) == 1
    assert len(api.get("/api/templates").json()["templates"]) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 7


def test_two_equal_requests_make_one_project_even_when_the_template_is_gone(api, services):
    identity = create(api)
    body = {"template_id": identity, "project_name": "P", "variables": {"tone": "kind"}}
    headers = {"Idempotency-Key": "one"}
    first = api.post("/api/projects/from-template", json=body, headers=headers)
    api.delete(f"/api/templates/{identity}")
    again = api.post("/api/projects/from-template", json=body, headers=headers)

    assert again.status_code == 201
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(services.queue.sent) == 1


# ---- what the table holds -----------------------------------------------------------------------


def test_a_reader_never_sees_two_versions_at_once(api, services, monkeypatch):
    identity = create(api, variables=[], files=[file("a", "1"), file("b", "1")])
    real = library.read_files
    seen: list[int] = []

    def read_between(store: Store, template_id: str) -> Any:
        if not seen:
            seen.append(1)
            body = NEW | {"variables": [], "files": [file("a", "2"), file("b", "2")]}
            assert api.put(f"/api/templates/{identity}", json=body).status_code == 200
        return real(store, template_id)

    monkeypatch.setattr(library, "read_files", read_between)
    template = api.get(f"/api/templates/{identity}").json()["template"]

    assert template["version"] == 2
    assert {one["content"] for one in template["files"]} == {"2"}


def test_seeding_again_is_one_read_and_no_write(services):
    assert builtin.seed(services)
    calls: list[tuple[Write, ...]] = []
    services.store.write = lambda *writes, **_: calls.append(writes)  # type: ignore[method-assign]

    assert not builtin.seed(services)
    assert calls == []


def test_many_instances_may_seed_at_once(services):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: builtin.seed(services), range(8)))

    for one in builtin.load_builtins():
        template, files = library.read_template(services, "anyone", one.id)
        assert template.version == 1
        assert len(files) == len(one.new.files)


def test_a_table_that_does_not_answer_keeps_nothing_but_the_templates_away(
    app, services, monkeypatch
):
    real, tries = builtin.seed, []

    def seed_at_the_third_try(given: Services) -> bool:
        tries.append(given)
        if len(tries) < 3:
            raise StoreUnavailable("down")
        return real(given)

    monkeypatch.setattr(builtin, "seed", seed_at_the_third_try)
    monkeypatch.setattr(seeding, "_AGAIN", 0.01)

    async def serve() -> None:
        async with seeding.lifespan(app):
            assert library.get_template(services, "anyone", "cli-tool").builtin

    asyncio.run(serve())
    assert tries == [services] * 3


def test_a_start_does_not_wait_for_a_table_that_stays_away(app, monkeypatch):
    def fail(_: Services) -> bool:
        raise StoreUnavailable("down")

    monkeypatch.setattr(builtin, "seed", fail)
    monkeypatch.setattr(seeding, "_PATIENCE", 0.05)
    served: list[bool] = []

    async def serve() -> None:
        async with seeding.lifespan(app):
            served.append(True)

    asyncio.run(serve())
    assert served == [True]


def test_seeding_mends_what_an_older_release_left(services, monkeypatch):
    real = builtin.load_builtins()
    older = real[0].new.model_copy(update={"name": "Older"})
    retired = builtin.BuiltIn("retired", older, None)
    monkeypatch.setattr(
        builtin, "load_builtins", lambda: (builtin.BuiltIn(real[0].id, older, None), retired)
    )
    builtin.seed(services)
    monkeypatch.undo()
    builtin.seed(services)

    template = library.get_template(services, "anyone", real[0].id)
    assert (template.name, template.version) == (real[0].new.name, 2)
    listed = library.list_templates(services, "anyone").items
    assert {one.id for one in listed} == {one.id for one in real}


def test_a_row_says_which_variables_its_file_uses(api, services):
    identity = create(api)
    rows = services.store.query(f"TEMPLATE#{identity}", prefix="FILE#").items

    assert {row["path"]: row["variables"] for row in rows} == {
        "{{ project_name | slug }}.py": ["greeting", "project_name"],
        "README.md": [],
    }
    metadata = services.store.query(f"TEMPLATE#{identity}", prefix="METADATA").items[0]
    assert metadata["required_vars"] == ["project_name", "tone"]


def test_a_snapshot_goes_with_its_project(api, services):
    project = start(api, create(api), {"tone": "kind"}).json()["project"]
    key = load(services.store, project["id"]).project.template_key

    assert key == content.put_document(
        services.files, project["id"], snapshot_of(services, project)
    )
    assert key.startswith(f"objects/{project['id']}/")
