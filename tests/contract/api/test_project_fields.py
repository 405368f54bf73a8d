"""What is set on a project, over REST: shown, changed, filtered by, and never told where secret."""

import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenticai_core import environment, projects
from agenticai_core.rows import load

PROJECTS = "/api/projects"
BODY = {"name": "Bike workshop", "type": "api", "description": "Customers bring bikes."}
CANARY = "canary-7f3a"
FULL = BODY | {
    "tags": ["workshop", "internal", "workshop"],
    "dependencies": ["httpx>=0.27", "celery"],
    "environment_vars": {"SMTP_PASSWORD": CANARY, "PORT": "25"},
    "deployment_config": {"platform": "aws", "region": "eu-west-1"},
    "cost_budget_usd": 2.5,
}


def create(api, **changes):
    answer = api.post(PROJECTS, json=FULL | changes)
    assert answer.status_code == 201, answer.text
    return answer.json()["project"]


def test_what_is_set_is_shown_and_values_are_masked(api):
    made = create(api)

    shown = api.get(f"{PROJECTS}/{made['id']}").json()["project"]
    assert shown == made
    assert shown["tags"] == ["workshop", "internal"]
    assert shown["dependencies"] == ["httpx>=0.27", "celery"]
    assert shown["environment_vars"] == {"PORT": "***", "SMTP_PASSWORD": "***"}
    assert shown["deployment_config"] == {"platform": "aws", "region": "eu-west-1"}
    assert shown["cost_budget_usd"] == 2.5
    assert shown["usage"] == {"input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}


def test_what_is_left_out_has_its_default(api):
    made = api.post(PROJECTS, json=BODY).json()["project"]

    assert (made["tags"], made["dependencies"], made["environment_vars"]) == ([], [], {})
    assert made["deployment_config"] == {"platform": "docker", "region": "us-east-1"}
    assert made["cost_budget_usd"] is None


def test_an_update_changes_what_is_given(api, services):
    made = create(api)
    body = {
        "tags": [],
        "dependencies": ["celery"],
        "environment_vars": {"PORT": None, "SMTP_PASSWORD": "***", "HOST": "mail"},
        "deployment_config": {"platform": "docker"},
        "cost_budget_usd": None,
    }

    answer = api.put(f"{PROJECTS}/{made['id']}", json=body, headers={"If-Match": '"1"'})

    assert answer.status_code == 200, answer.text
    project = answer.json()["project"]
    assert answer.headers["ETag"] == '"2"'
    assert project["environment_vars"] == {"HOST": "***", "SMTP_PASSWORD": "***"}
    assert (project["tags"], project["dependencies"]) == ([], ["celery"])
    assert project["deployment_config"] == {"platform": "docker", "region": "us-east-1"}
    assert (project["cost_budget_usd"], project["name"]) == (None, made["name"])
    stored = environment.unseal(services, load(services.store, made["id"]).project)
    assert stored == {"HOST": "mail", "SMTP_PASSWORD": CANARY}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tags": ["Not a slug"]}, "tags.0"),
        ({"dependencies": ["ok", "not ok"]}, "dependencies.1"),
        ({"dependencies": ["x", "X==1"]}, "dependencies"),
        ({"environment_vars": {"A": 1}}, "environment_vars.A"),
        ({"environment_vars": "A=1"}, "environment_vars"),
        ({"deployment_config": {"region": "mars"}}, "deployment_config.region"),
        ({"cost_budget_usd": 0}, "cost_budget_usd"),
        ({"cost_budget_usd": "1"}, "cost_budget_usd"),
    ],
)
@pytest.mark.parametrize("update", [False, True])
def test_a_bad_field_is_named(api, project_id, change, field, update):
    at = f"{PROJECTS}/{project_id}"
    answer = api.put(at, json=change) if update else api.post(PROJECTS, json=BODY | change)

    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["details"]["field"] == field


@pytest.mark.parametrize("field", ["tags", "dependencies", "environment_vars", "deployment_config"])
def test_null_changes_nothing_and_is_refused(api, project_id, field):
    answer = api.put(f"{PROJECTS}/{project_id}", json={field: None})

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == field


def test_a_variable_that_is_not_there_cannot_be_kept(api, project_id):
    answer = api.put(f"{PROJECTS}/{project_id}", json={"environment_vars": {"A": "***"}})

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == "environment_vars.A"
    assert api.get(f"{PROJECTS}/{project_id}").headers["ETag"] == '"1"'


# ---- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        {"bad name": CANARY},
        {"A": {"nested": CANARY}},
        {"A": [CANARY]},
        {"A": CANARY * 1000},
        {"A": CANARY, "B": "x" * 4096},
        [CANARY],
        CANARY,
    ],
)
@pytest.mark.parametrize("update", [False, True])
def test_a_refusal_does_not_repeat_the_value(api, project_id, variables, update):
    body = {"environment_vars": variables}
    at = f"{PROJECTS}/{project_id}"
    answer = api.put(at, json=body) if update else api.post(PROJECTS, json=BODY | body)

    assert answer.status_code == 422
    assert CANARY not in answer.text


def test_a_value_is_nowhere_but_in_the_secret(api, services, caplog):
    caplog.set_level(logging.DEBUG)
    printed = io.StringIO()
    told = []
    with redirect_stdout(printed), structlog.testing.capture_logs() as logged:
        made = create(api, approval="required")
        at = f"{PROJECTS}/{made['id']}"
        key = {"Idempotency-Key": "one"}
        told.append(api.post(PROJECTS, json=FULL, headers=key).text)
        told.append(api.post(PROJECTS, json=FULL, headers=key).text)
        told.append(api.put(at, json={"environment_vars": {"B": f"{CANARY}-b"}}).text)
        told.append(api.put(at, json={"environment_vars": {"B": CANARY, "c": "x"}}).text)
        for path in ("", "/events", "/files", "/docs", "/modifications"):
            told.append(api.get(at + path).text)
        told.append(api.get(PROJECTS).text)
        told.append(api.delete(at).text)

    assert CANARY in services.secrets.get(environment.secret_name(made["id"]))
    everything = {
        "answers": json.dumps([made, told]),
        "table": str(services.store.__dict__),
        "files": str(services.files.__dict__),
        "queue": str(services.queue.__dict__),
        "logs": f"{logged} {caplog.text} {printed.getvalue()}",
    }
    assert [place for place, text in everything.items() if CANARY in text] == []


# ---- lists --------------------------------------------------------------------------------------


def ids(api, **query):
    answer = api.get(PROJECTS, params=query)
    assert answer.status_code == 200, answer.text
    return [project["id"] for project in answer.json()["projects"]]


def test_lists_are_filtered_by_tag(api):
    red = create(api, tags=["red"])["id"]
    both = create(api, tags=["red", "blue"], type="web")["id"]
    create(api, tags=[])

    assert ids(api, tag="red") == [both, red]
    assert ids(api, tag="blue", type="api") == []
    assert ids(api, tag="green") == []


@pytest.mark.parametrize("tag", ["", "Red", "a b", "a" * 33])
def test_what_is_no_tag_is_refused(api, tag):
    answer = api.get(PROJECTS, params={"tag": tag})

    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["field"] == "tag"


def test_filtered_pages_hold_everything_once(api, monkeypatch):
    monkeypatch.setattr(projects, "_ROWS_A_LOOK", 3)
    monkeypatch.setattr(projects, "MAX_LOOKED_AT", 6)
    made = [create(api, tags=["rare"] if n % 4 == 0 else [])["id"] for n in range(20)]
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        query = {"tag": "rare", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = api.get(PROJECTS, params=query).json()
        seen += [project["id"] for project in page["projects"]]
        cursor, pages = page["next_cursor"], pages + 1

    assert seen == made[::-4][::1] or seen == [one for one in made[::-1] if one in made[::4]]
    assert 3 <= pages <= 6


def test_a_request_looks_at_a_bounded_number_of_rows(api, services, monkeypatch):
    monkeypatch.setattr(projects, "_ROWS_A_LOOK", 3)
    monkeypatch.setattr(projects, "MAX_LOOKED_AT", 6)
    for _ in range(10):
        create(api, tags=[])
    query, looked = services.store.query, []

    def count(*args, **options):
        page = query(*args, **options)
        looked.append(len(page.items))
        return page

    monkeypatch.setattr(services.store, "query", count)
    page = api.get(PROJECTS, params={"tag": "none"}).json()

    assert page["projects"] == []
    assert page["next_cursor"]
    assert sum(looked[-2:]) == 6


def test_a_cursor_serves_its_filter_only(api):
    for _ in range(2):
        create(api, tags=["red"])
    cursor = api.get(PROJECTS, params={"tag": "red", "limit": 1}).json()["next_cursor"]

    for query in ({"tag": "blue"}, {}, {"tag": "red", "type": "api"}):
        answer = api.get(PROJECTS, params=query | {"cursor": cursor})
        assert answer.json()["error"]["code"] == "INVALID_CURSOR"


# ---- optimistic locking -------------------------------------------------------------------------


@given(waves=st.lists(st.integers(1, 4), min_size=1, max_size=4))
@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_of_changes_of_one_version_one_wins_and_none_is_lost(api, waves):
    at = f"{PROJECTS}/{create(api, environment_vars={})['id']}"
    version, names = 1, set()

    def change(n):
        body = {"environment_vars": {f"V{version}_{n}": str(n)}, "name": f"{version}.{n}"}
        return n, api.put(at, json=body, headers={"If-Match": f'"{version}"'})

    for width in waves:
        with ThreadPoolExecutor(width) as pool:
            answers = list(pool.map(change, range(width)))
        won = [(n, answer) for n, answer in answers if answer.status_code == 200]
        assert [answer.status_code for _, answer in answers].count(412) == width - 1
        assert len(won) == 1
        winner, answer = won[0]
        names.add(f"V{version}_{winner}")
        assert answer.headers["ETag"] == f'"{version + 1}"'
        now = api.get(at).json()["project"]
        assert (now["name"], now["config_version"]) == (f"{version}.{winner}", version + 1)
        assert set(now["environment_vars"]) == names
        version += 1
