"""Health, and what the API says of itself."""

import dataclasses
from importlib.metadata import version

from structlog.testing import capture_logs

from agenticai_api.main import create_app
from agenticai_core.settings import Settings


def with_checks(api, services, checks):
    services = dataclasses.replace(services, ping=lambda: checks)
    return dataclasses.replace(api, key=None, app=create_app(services, Settings()))


def test_the_process_answers_for_itself_alone(api, services):
    answer = with_checks(api, services, {"table": "gone"}).get("/health")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "version": version("agenticai")}


def test_ready_when_everything_answers(api, services):
    answer = with_checks(api, services, {"table": "ok", "bucket": "ok"}).get("/health/ready")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"table": "ok", "bucket": "ok"}}


def test_not_ready_names_what_is_away_and_logs_why(api, services):
    checks = {"table": "ok", "bucket": "NoSuchBucket: code-123456789012", "pm-queue": "timeout"}
    with capture_logs() as lines:
        answer = with_checks(api, services, checks).get("/health/ready")

    assert answer.status_code == 503
    error = answer.json()["error"]
    assert error["code"] == "UNAVAILABLE"
    assert error["details"] == {"failed": ["bucket", "pm-queue"]}
    assert "123456789012" not in answer.text
    reasons = next(line for line in lines if line["event"] == "health.not_ready")
    assert reasons["bucket"] == checks["bucket"]


def test_the_description_needs_no_key(nobody):
    assert nobody.get("/openapi.json").status_code == 200
    page = nobody.get("/docs")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")


def test_every_operation_is_fit_for_a_generated_client(app):
    operations = [
        operation for path in app.openapi()["paths"].values() for operation in path.values()
    ]

    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name == name.lower() for name in names)
    assert {"create_project", "list_files", "request_modification"} <= set(names)
    for operation in operations:
        assert operation["summary"]
        assert len(operation["tags"]) == 1


def test_every_documented_error_has_the_one_form(app):
    form = {"$ref": "#/components/schemas/ErrorAnswer"}
    paths, common = app.openapi()["paths"], app.openapi()["components"]["responses"]
    for path, methods in paths.items():
        for operation in methods.values():
            errors = {
                status: answer
                for status, answer in operation["responses"].items()
                if int(status) >= 400
            }
            assert path == "/health" or errors
            for answer in errors.values():
                told = common[answer["$ref"].rsplit("/", 1)[1]] if "$ref" in answer else answer
                assert set(told["content"]) == {"application/json"}
                assert told["content"]["application/json"]["schema"] == form
            if path.startswith("/api/"):
                assert {"401", "403", "422", "500", "503"} <= set(errors)
                assert operation["security"] == [{"ApiKey": []}, {"Bearer": []}]
            if "{project_id}" in path:
                assert "404" in errors


def test_the_framework_s_own_error_form_is_nowhere(app):
    assert "HTTPValidationError" not in app.openapi()["components"]["schemas"]
