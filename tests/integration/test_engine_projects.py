"""Generated projects by themselves: their tests pass, and they behave as their README says."""

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.unit.engine_render import plans

from agenticai_core.plans import Plan
from agenticai_local.ports import free_port
from agenticai_worker.llm.template.write.project import render

ROOT = Path(__file__).parents[2]
PYTHON = str(ROOT / ".venv-sandbox" / "bin" / "python")


def write(plan: Plan, folder: Path) -> Path:
    for path, text in render(plan).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def run_tests(folder: Path) -> float:
    """Run the project's own tests; the coverage, 0..1."""
    command = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov-report=json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    assert "warning" not in done.stdout.lower()
    totals = json.loads((folder / "coverage.json").read_text(encoding="utf-8"))["totals"]
    return float(totals["percent_covered"]) / 100


@pytest.mark.slow
@pytest.mark.parametrize("name", plans.ALL)
def test_the_projects_own_tests_pass(name: str, tmp_path: Path) -> None:
    assert run_tests(write(plans.ALL[name], tmp_path)) > 0.95


@settings(
    max_examples=2,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(plans.random_plans())
def test_tests_of_random_projects_pass(
    tmp_path_factory: pytest.TempPathFactory, plan: Plan
) -> None:
    assert run_tests(write(plan, tmp_path_factory.mktemp("random"))) > 0.85


# ---- a running service --------------------------------------------------------------------------


class Service:
    """A project's own server, as its README starts it."""

    def __init__(self, plan: Plan, folder: Path, port: int) -> None:
        self.folder, self.port = write(plan, folder), port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "server.log"

    def __enter__(self) -> "Service":
        command = [PYTHON, "-m", "uvicorn", "main:app", "--port", str(self.port)]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        deadline = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(20)

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=60)


@pytest.fixture(scope="module")
def hire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Boat hire, without its sign-in."""
    plan = plans.RULED.model_copy(update={"features": ()})
    folder = tmp_path_factory.mktemp("hire")
    with Service(plan, folder, free_port()) as service, service.client() as client:
        yield client


@pytest.fixture(scope="module")
def boat(hire: httpx.Client) -> int:
    owner = hire.post("/owners", json={"name": "Ada", "email": "Ada@Example.com"}).json()
    made = hire.post("/boats", json={"name": "Öland", "owner_id": owner["id"], "length": 7.5})
    return int(made.json()["id"])


def booking(boat: int, start: str, end: str, **values: object) -> dict[str, object]:
    return {
        "boat_id": boat, "starts_on": start, "ends_on": end, "deposit": "1.00", "price": "2.00",
    } | values  # fmt: skip


def said(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["message"])


def test_the_commands_of_the_readme_work(tmp_path: Path) -> None:
    readme = render(plans.RULED)["README.md"]
    shell = re.findall(r"```sh\n(.*?)```", readme, re.S)[1]
    with Service(plans.RULED, tmp_path, free_port()) as service:
        script = shell.replace("localhost:8000", f"127.0.0.1:{service.port}")
        environment = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(
            ["sh", "-eu"], input=script.replace("curl -s", "curl -sS --fail"), cwd=tmp_path,
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    listed = json.loads(done.stdout[done.stdout.index('{"items"') :])
    assert listed["total"] == 1


def test_the_description_of_the_api_tells_its_errors(hire: httpx.Client) -> None:
    document = hire.get("/openapi.json").json()
    assert hire.get("/docs").status_code == 200
    post = document["paths"]["/bookings"]["post"]
    assert post["responses"].keys() == {"201", "409", "422"}
    one = document["paths"]["/bookings/{row_id}"]["get"]["responses"]
    assert one.keys() == {"200", "404", "422"}
    shown = one["404"]["content"]["application/json"]["schema"]["$ref"]
    assert shown.endswith("/ErrorAnswer")
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_the_examples_of_the_description_are_accepted(hire: httpx.Client, boat: int) -> None:
    schemas = hire.get("/openapi.json").json()["components"]["schemas"]
    for plural, name in (("boats", "Boat"), ("bookings", "Booking"), ("parts", "Part")):
        (example,) = schemas[f"{name}Create"]["examples"]
        made = hire.post(f"/{plural}", json=example)
        assert made.status_code == 201, made.text
        assert hire.delete(f"/{plural}/{made.json()['id']}").status_code == 204


def test_a_booking_goes_its_way(hire: httpx.Client, boat: int) -> None:
    made = hire.post("/bookings", json=booking(boat, "2031-01-01", "2031-01-03"))
    assert made.status_code == 201
    path = f"/bookings/{made.json()['id']}"
    clash = hire.post("/bookings", json=booking(boat, "2031-01-03", "2031-01-05"))
    assert (clash.status_code, said(clash)) == (409, "One boat, one party")
    assert hire.post(f"{path}/confirm").json()["status"] == "confirmed"
    again = hire.post(f"{path}/confirm")
    assert again.status_code == 409
    assert said(again) == "Cannot confirm a booking that is 'confirmed'; it must be 'asked'"
    longer = hire.patch(path, json={"ends_on": "2031-01-04"})  # over itself, which is no clash
    assert longer.status_code == 200
    back = hire.patch(path, json={"ends_on": "2030-12-31"})
    assert (back.status_code, said(back)) == (422, "It ends after it starts")
    replaced = hire.put(path, json=booking(boat, "2031-01-01", "2031-01-02"))
    assert replaced.json()["status"] == "confirmed"
    assert hire.post(f"{path}/cancel").status_code == 200
    other = hire.post("/bookings", json=booking(boat, "2031-01-01", "2031-01-01"))
    assert other.status_code == 201
    assert hire.post(f"{path}/revive").status_code == 409
    assert hire.post(f"{path}/pay").status_code == 200
    final = hire.patch(path, json={"price": "3.00"})
    assert (final.status_code, said(final)) == (409, "What is paid is final")
    assert hire.delete(path).status_code == 409


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "1234567890123.00"),
        ("price", "NaN"),
        ("price", "Infinity"),
        ("price", "1e400000"),
        ("price", "1.234"),
        ("price", -1),
        ("price", None),
        ("boat_id", 2**70),
        ("boat_id", 0),
        ("boat_id", "1 OR 1=1"),
        ("starts_on", "2031-02-30"),
        ("starts_on", ""),
        ("status", "confirmed"),
        ("id", 7),
    ],
)
def test_wrong_values_are_told(hire: httpx.Client, boat: int, field: str, value: object) -> None:
    answer = hire.post("/bookings", json=booking(boat, "2032-01-01", "2032-01-01") | {field: value})
    assert answer.status_code == 422, answer.text
    problems = answer.json()["error"]["details"]["problems"]
    assert [problem["field"] for problem in problems] == [f"body.{field}"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ('{"name": "\\ud800"}', "body.name"),
        ('{"name": ""}', "body.name"),
        ('{"name": "x", "length": NaN}', "body.length"),
        ('{"name": "x", "length": 1e999}', "body.length"),
    ],
)
def test_awkward_json_is_refused(hire: httpx.Client, boat: int, body: str, named: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = hire.patch(f"/boats/{boat}", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]["details"]["problems"][0]["field"] == named


@pytest.mark.parametrize(
    "query",
    [
        "colour=red", "q=x", "price_min=NaN", "price_max=1e999999", "boat_id=99999999999999999999",
        "status=sunk", "sort=password", "limit=0", "limit=101", "offset=-1", "starts_on_from=soon",
    ],
)  # fmt: skip
def test_wrong_filters_are_told(hire: httpx.Client, query: str) -> None:
    answer = hire.get(f"/bookings?{query}")
    assert answer.status_code == 422, answer.text
    assert query.partition("=")[0] in answer.text


@pytest.mark.parametrize("path", ["/boats/0", "/boats/99999999999999999999", "/boats/one"])
def test_ids_that_cannot_be_are_refused(hire: httpx.Client, path: str) -> None:
    assert hire.get(path).status_code == 422


def test_emails_are_unique_in_any_spelling(hire: httpx.Client, boat: int) -> None:
    again = hire.post("/owners", json={"name": "Eve", "email": " ada@EXAMPLE.com "})
    assert again.status_code == 409
    assert "email" in said(again)


def test_deleting_what_others_need_is_refused(hire: httpx.Client, boat: int) -> None:
    hire.post("/seats", json={"boat_id": boat, "row": 1, "letter": "A"})
    answer = hire.delete(f"/boats/{boat}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "CONFLICT")
    assert hire.get(f"/boats/{boat}").status_code == 200


def test_stock_moves_and_reports_follow(hire: httpx.Client) -> None:
    part = hire.post("/parts", json={"name": "Oar", "minimum_stock": 5}).json()["id"]
    assert hire.post("/movements", json={"part_id": part, "quantity": 3}).status_code == 201
    short = hire.post("/movements", json={"part_id": part, "quantity": -4})
    assert (short.status_code, said(short)) == (409, "There is not so much")
    assert short.json()["error"]["details"] == {"available": 3}
    assert hire.get("/reports/stock").json() == [{"part_id": part, "stock": 3}]
    assert [row["name"] for row in hire.get("/reports/short").json()] == ["Oar"]


def test_reports_group_by_names_and_months(hire: httpx.Client, boat: int) -> None:
    for start in ("2040-05-01", "2040-05-09", "2040-06-01"):
        made = hire.post("/bookings", json=booking(boat, start, start, price="10.10"))
        assert made.status_code == 201
    found = [row for row in hire.get("/reports/income").json() if row["month"] >= "2040"]
    assert found == [
        {"name": "Öland", "month": "2040-05", "total": "20.20"},
        {"name": "Öland", "month": "2040-06", "total": "10.10"},
    ]
    month = dt.datetime.now(dt.UTC).strftime("%Y-%m")
    assert {row["month"] for row in hire.get("/reports/by_owner").json()} == {month}


def test_writers_wait_for_each_other(hire: httpx.Client, boat: int) -> None:
    def post(n: int) -> int:
        body = booking(boat, "2050-01-01", "2050-01-02") if n % 2 else {"name": f"Part {n}"}
        body = body if n % 2 else body | {"minimum_stock": n}
        return hire.post("/bookings" if n % 2 else "/parts", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(post, range(40)))
    assert codes[::2] == [201] * 20
    assert sorted(codes[1::2]) == [201] + [409] * 19


def test_search_takes_wildcards_literally(tmp_path: Path) -> None:
    plan = plans.plan(
        "Notes", plans.entity("Note", "notes", plans.field("title"), search=("title",))
    )
    with Service(plan, tmp_path, free_port()) as service, service.client() as client:
        for title in ("100 % wool", "Öl", "a_b", "axb"):
            assert client.post("/notes", json={"title": title}).status_code == 201

        def found(q: str) -> list[str]:
            items: list[Mapping[str, str]] = client.get("/notes", params={"q": q}).json()["items"]
            return [item["title"] for item in items]

        assert found("%") == ["100 % wool"]
        assert found("A_B") == ["a_b"]
        assert found("öl") == ["Öl"]


@pytest.fixture(autouse=True)
def _needs_the_sandbox_environment() -> None:
    assert shutil.which(PYTHON), "the environment .venv-sandbox is missing; run: make setup"
