"""The estimate of a month's cost: its arithmetic, by cases reckoned by hand, and what it reads."""

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from agenticai_client.cli import app
from agenticai_core.prices import PRICES
from agenticai_operate.cost.calls import Calls, measured_calls
from agenticai_operate.cost.estimate import Load, estimate, idle_polls
from agenticai_operate.cost.prices import price_table
from agenticai_operate.cost.sizes import Layout, Service, addon_kinds, read_layout, resize
from agenticai_operate.errors import BadManifest, NotConfigured

ROOT = Path(__file__).parents[3]
LBWS, BACKEND = "Load Balanced Web Service", "Backend Service"
CALLS = Calls(
    measured="2026-01-01",
    by="hand",
    sweep_seconds=3,
    per_project={
        "dynamodb PutItem": 10,
        "dynamodb TransactWriteItems": 5,
        "dynamodb BatchGetItem": 4,
        "s3 PutObject": 100,
        "s3 GetObject": 50,
        "s3 List": 1,
        "s3 DeleteObjects": 7,
        "sqs SendMessage": 5,
        "sqs ReceiveMessage": 999,
    },
    per_idle_minute={"dynamodb PutItem": 80, "dynamodb Query": 80, "sqs ReceiveMessage": 238},
)
SERVICES = (
    Service("api", LBWS, cpu=256, memory=512, tasks=2, arm=True),
    Service("worker", BACKEND, cpu=1024, memory=2048, tasks=1, spot=1, arm=True),
)
LAYOUT = Layout(SERVICES, alarms=14, dashboards=1)


def lines(layout=LAYOUT, **load):
    made = estimate(layout, CALLS, Load(**{"projects": 0, "stored": 0} | load), price_table())
    return {line.key: line for line in made.lines}


def quantity(key, layout=LAYOUT, **load):
    return lines(layout, **load)[key].quantity


def test_containers_are_paid_by_cpu_and_memory_for_every_hour():
    found = lines()
    assert found["fargate_arm_cpu"].quantity == 2 * 0.25 * 730
    assert found["fargate_arm_cpu"].usd == pytest.approx(11.8187)  # 365 h at 0.03238
    assert found["fargate_arm_memory"].usd == pytest.approx(2.5988)  # 730 GB-h at 0.00356
    assert found["fargate_arm_cpu_spot"].usd == pytest.approx(9.45496)  # 730 h at 0.012952
    assert found["fargate_arm_memory_spot"].usd == pytest.approx(2.07904)  # 1460 at 0.001424
    assert "fargate_x86_cpu" not in found


def test_intel_is_reckoned_at_its_own_price():
    service = Service("api", LBWS, cpu=1024, memory=2048, tasks=1)
    found = lines(Layout((service,), 0, 0))
    assert found["fargate_x86_cpu"].usd == pytest.approx(29.5504)  # 730 at 0.04048
    assert found["fargate_x86_memory"].usd == pytest.approx(6.4897)  # 1460 at 0.004445


def test_spot_is_forty_percent_of_the_list_price():
    price = price_table().price
    for key in ("arm_cpu", "arm_memory", "x86_cpu", "x86_memory"):
        assert price[f"fargate_{key}_spot"].usd == pytest.approx(0.4 * price[f"fargate_{key}"].usd)


def test_public_tasks_and_the_load_balancer_have_addresses_and_no_nat():
    found = lines()
    assert found["public_ipv4"].usd == pytest.approx(18.25)  # 3 tasks + 2 zones, 730 h at 0.005
    assert found["load_balancer"].usd == pytest.approx(16.425)
    assert "nat" not in found


def test_private_tasks_leave_through_a_nat_in_each_zone():
    private = tuple(
        Service(s.name, s.kind, s.cpu, s.memory, s.tasks, arm=True, private=True) for s in SERVICES
    )
    found = lines(Layout(private, 0, 0))
    assert found["nat"].usd == pytest.approx(65.70)  # 2 x 730 h at 0.045
    assert found["public_ipv4"].quantity == 4 * 730  # the load balancer's and the NATs'


def test_four_queues_polled_for_20_seconds_make_half_a_million_requests():
    assert idle_polls(LAYOUT, Load(0, 0), 730) == 525_600
    assert idle_polls(LAYOUT, Load(0, 0, poll_seconds=1), 730) == 20 * 525_600
    found = lines()["queue_requests"]
    assert (found.quantity, found.usd) == (0.5256, 0)
    assert found.free_usd == pytest.approx(0.21024)


def test_beyond_the_free_million_requests_are_paid():
    # 525,600 polls and 3 x 5 for each of 100,000 projects: 2.0256 million, one of them free.
    assert lines(projects=100_000)["queue_requests"].usd == pytest.approx(0.41024)


def test_the_table_is_paid_by_measured_calls_and_by_how_often_sweepers_look():
    # 80 puts a minute at a look every 3 s are 16 at one every 15 s: 43,800 minutes of them.
    assert quantity("table_writes") == pytest.approx(0.7008)
    assert quantity("table_reads") == pytest.approx(0.3504)
    assert quantity("table_writes", sweep_seconds=3) == pytest.approx(3.504)
    # 1000 projects: (10 puts + 5 transactions of 30) and 4 reads of 3 units each.
    assert quantity("table_writes", projects=1000) == pytest.approx(0.7008 + 0.160)
    assert quantity("table_reads", projects=1000) == pytest.approx(0.3504 + 0.012)


def test_storage_is_free_up_to_25_gb_but_recovery_never():
    found = lines(stored=500_000)  # of a tenth of a megabyte, and half of one
    assert found["table_storage"].usd == pytest.approx(6.25)
    assert found["table_storage"].free_usd == pytest.approx(6.25)
    assert found["table_recovery"].usd == pytest.approx(10.0)
    assert found["bucket_storage"].usd == pytest.approx(5.75)


def test_the_buckets_requests_are_two_kinds_and_deletes_are_free():
    found = lines(projects=1000)
    assert found["bucket_writes"].quantity == 101
    assert found["bucket_writes"].usd == pytest.approx(0.505)
    assert found["bucket_reads"].usd == pytest.approx(0.02)


def test_alarms_and_dashboards_are_counted_after_the_free_ones():
    found = lines()
    assert found["alarms"].usd == pytest.approx(0.40)
    assert found["dashboards"].usd == 0


def test_metrics_are_paid_for_the_hours_in_which_they_are_written():
    # 9 all the time; 32 more in 73 of 730 hours: 12.2, of which 10 are free.
    assert lines(projects=73, metrics=9, busy_metrics=32)["metrics"].usd == pytest.approx(0.66)
    assert lines(projects=7300, metrics=9, busy_metrics=32)["metrics"].usd == pytest.approx(9.30)
    assert lines(projects=0, metrics=9, busy_metrics=32)["metrics"].usd == 0


def test_a_language_model_is_paid_by_tokens():
    load = {"model": PRICES["gemini-2.5-flash"], "input_tokens": 60_000, "output_tokens": 30_000}
    # 0.06 x 0.30 + 0.03 x 2.50 = 0.093 USD for each project
    assert lines(projects=100, **load)["model"].usd == pytest.approx(9.30)
    assert "model" not in lines(projects=0, **load)


def write(folder, name, text):
    path = folder / name / "manifest.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text)


@pytest.fixture
def copilot(tmp_path):
    folder = tmp_path / "copilot"
    write(folder, "environments/test", "name: test\ntype: Environment\n")
    write(folder, "environments/prod", "name: prod\ntype: Environment\n")
    write(
        folder,
        "api",
        "name: api\ntype: Load Balanced Web Service\nplatform: linux/arm64\ncpu: 256\nmemory: 512\n"
        "count: {spot: 1}\nenvironments:\n  prod:\n    memory: 1024\n    count:\n"
        "      range: {min: 4, max: 9, spot_from: 3}\n    network: {vpc: {placement: private}}\n",
    )
    write(
        folder,
        "worker",
        "name: worker\ntype: Backend Service\ncpu: 1024\nmemory: 2048\ncount: {range: 2-5}\n",
    )
    return folder


def test_sizes_come_from_the_manifests_as_each_environment_has_them(copilot):
    api, worker = read_layout(copilot, "test").services
    assert api == Service("api", LBWS, 256, 512, tasks=1, spot=1, arm=True)
    assert worker == Service("worker", BACKEND, 1024, 2048, tasks=2)
    prod = read_layout(copilot, "prod")
    assert prod.services[0] == Service("api", LBWS, 256, 1024, 4, spot=2, arm=True, private=True)
    assert prod.private
    assert prod.balanced


def test_an_alarm_costs_as_much_as_it_looks_at_metrics(copilot):
    simple = "{Type: AWS::CloudWatch::Alarm, Properties: {MetricName: a}}"
    of_two = (
        "{Type: AWS::CloudWatch::Alarm, Properties: {Metrics: ["
        "{Id: x, Expression: a / b}, {Id: a, MetricStat: {}}, {Id: b, MetricStat: {}}]}}"
    )
    addons = copilot / "environments" / "addons"
    addons.mkdir()
    (addons / "alarms.yml").write_text(f"Resources:\n  A: {simple}\n  B: {of_two}\n")
    assert read_layout(copilot, "test").alarms == 1 + 2


def test_sizes_can_be_chosen(copilot):
    layout = resize(read_layout(copilot, "test"), ["worker=512/1024x3", "api=512/1024"])
    api, worker = layout.services
    assert (worker.cpu, worker.memory, worker.tasks) == (512, 1024, 3)
    assert (api.cpu, api.tasks, api.spot) == (512, 1, 1)
    for bad in ("nobody=1/2x3", "worker=1", "worker"):
        with pytest.raises(BadManifest):
            resize(layout, [bad])


def test_what_is_missing_or_makes_no_sense_is_told(copilot, tmp_path):
    with pytest.raises(NotConfigured):
        read_layout(tmp_path / "nowhere", "test")
    with pytest.raises(NotConfigured) as unknown:
        read_layout(copilot, "stage")
    assert unknown.value.hint == "There are: prod, test"
    (copilot / "api" / "manifest.yml").write_text("name: api\ntype: Backend Service\n")
    with pytest.raises(BadManifest):
        read_layout(copilot, "test")


def test_every_kind_of_resource_has_its_prices():
    table = price_table()
    manifests = [yaml.safe_load(path.read_text()) for path in ROOT.glob("copilot/**/manifest.yml")]
    kinds = {manifest["type"] for manifest in manifests} | set(addon_kinds(ROOT / "copilot"))
    assert "AWS::DynamoDB::Table" in kinds
    assert kinds - set(table.kinds) == set()
    named = {key for keys in table.kinds.values() for key in keys}
    assert named == set(table.price)


def test_the_measured_calls_are_those_of_the_performance_page():
    """`make bench` writes both."""
    page = (ROOT / "docs" / "performance.md").read_text()
    rows = re.findall(r"^\| ((?:dynamodb|s3|sqs) \w+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    calls = measured_calls()
    assert {name: int(busy) for name, busy, _ in rows if busy != "0"} == calls.per_project
    assert {name: int(idle) for name, _, idle in rows if idle != "0"} == calls.per_idle_minute
    assert f"Measured on {calls.measured} by" in page


def run(*args, code=0):
    result = CliRunner().invoke(app, ["cost", *args])
    assert result.exit_code == code, result.output
    return result


def test_the_command_adds_up(copilot):
    told = json.loads(run("--copilot", str(copilot), "--projects", "50", "--json").stdout)
    assert told["total_usd"] == pytest.approx(sum(line["usd"] for line in told["lines"]))
    assert told["free_usd"] == pytest.approx(sum(line["free_usd"] for line in told["lines"]))
    assert (told["env"], told["projects"], told["stored_projects"]) == ("test", 50, 600)
    assert 10 < told["standing_usd"] < told["total_usd"]
    assert told["prices_noted"] and told["region"] == "us-east-1"


def test_the_command_shows_a_table_and_what_to_know(copilot):
    shown = run("--copilot", str(copilot), "--size", "worker=1024/2048x1").stdout
    assert "Total a month" in shown
    assert "525,600 requests to SQS a month, 53% of the free million" in shown
    assert "never sleep" in shown
    assert "Tables on demand have no free units" in shown


def test_what_the_worker_is_configured_by_counts(copilot, monkeypatch):
    monkeypatch.setenv("AGENTICAI_SQS_WAIT_SECONDS", "5")
    path = copilot / "worker" / "manifest.yml"
    path.write_text(
        path.read_text()
        + "variables:\n  AGENTICAI_SQS_WAIT_SECONDS: 10\n  AGENTICAI_METRICS: emf\n"
        "  AGENTICAI_MODEL: gemini:gemini-2.5-flash\n  TABLE: {from_cfn: table}\n"
    )
    told = json.loads(run("--copilot", str(copilot), "--json").stdout)
    found = {line["key"]: line for line in told["lines"]}
    assert "2,102,400 of them polls that wait 10 s" in found["queue_requests"]["why"]  # two tasks
    assert found["metrics"]["quantity"] > 10
    assert found["model"]["usd"] == pytest.approx(9.30)
    path.write_text(path.read_text().replace("SECONDS: 10", "SECONDS: soon"))
    assert "make no sense" in run("--copilot", str(copilot), code=2).stderr


def test_a_model_without_a_price_is_refused(copilot):
    result = run("--copilot", str(copilot), "--model", "gemini:unheard-of", code=5)
    assert "AGENTICAI_MODEL_PRICE_INPUT" in result.stderr
