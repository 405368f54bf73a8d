"""What a user may set on a project, and that a value is never told back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agenticai_core.configuration import encode, package_name, to_dollars, to_microusd
from agenticai_core.projects import ProjectChanges
from agenticai_core.runs import NewProject

BASE = {"name": "N", "type": "api", "description": "d"}


def new(**fields: object) -> NewProject:
    return NewProject.model_validate(BASE | fields)


@pytest.mark.parametrize(
    "dependency",
    [
        "fastapi",
        "Flask_Login",
        "uvicorn[standard]",
        "httpx>=0.27,<1",
        "x==1.0.*",
        "react@18",
        "@angular/core",
        "@scope/name@^1.2.3",
        "socket.io",
    ],
)
def test_names_of_packages_are_taken_as_they_are(dependency: str) -> None:
    assert new(dependencies=[dependency]).dependencies == (dependency,)


@pytest.mark.parametrize(
    "dependency",
    [
        "",
        "a b",
        "-r other.txt",
        "--pre",
        "git+https://example.com/x",
        "x @ https://example.com/x.whl",
        "../x",
        "x;python_version>'3'",
        "a\nb",
        "x" * 101,
        "@/x",
        "@a/b/c",
    ],
)
def test_what_is_no_name_of_a_package_is_refused(dependency: str) -> None:
    with pytest.raises(ValidationError):
        new(dependencies=[dependency])


def test_the_same_package_counts_once() -> None:
    assert new(dependencies=["httpx", "pytest", "httpx"]).dependencies == ("httpx", "pytest")
    with pytest.raises(ValidationError, match="flask-login twice"):
        new(dependencies=["Flask-Login", "flask_login>=1"])
    with pytest.raises(ValidationError):
        new(dependencies=[f"p{n}" for n in range(51)])


@pytest.mark.parametrize(
    ("dependency", "name"),
    [
        ("Flask_Login>=1", "flask-login"),
        ("uvicorn[standard]==1", "uvicorn"),
        ("@angular/core@17", "@angular/core"),
        ("socket.io", "socket-io"),
    ],
)
def test_a_package_has_one_spelling(dependency: str, name: str) -> None:
    assert package_name(dependency) == name


def test_tags_are_short_slugs_each_once() -> None:
    assert new(tags=["b", "a-1", "b"]).tags == ("b", "a-1")
    for bad in (["A"], ["a b"], [""], ["-a"], ["a" * 33], [f"t{n}" for n in range(21)], ["a\n"]):
        with pytest.raises(ValidationError):
            new(tags=bad)


@pytest.mark.parametrize("name", ["PORT", "_X", "A1_B", "A" * 64])
def test_variables_have_names_like_a_shells(name: str) -> None:
    assert set(new(environment_vars={name: ""}).environment_vars) == {name}


@pytest.mark.parametrize("name", ["", "port", "1A", "A-B", "A B", "Ä", "A" * 65, "A\n"])
def test_other_names_of_variables_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        new(environment_vars={name: "x"})


@pytest.mark.parametrize(
    "variables",
    [
        {f"A{n}": "" for n in range(51)},
        {"A": "x" * 4001},
        {"A": "x" * 2045, "B": "x" * 2045},
        {"A": "ü" * 2045},  # two bytes each
        {"A": "***"},  # there is nothing to keep yet
        {"A": 7},
        {"A": None},
        ["A"],
    ],
)
def test_too_much_of_an_environment_is_refused(variables: object) -> None:
    with pytest.raises(ValidationError):
        new(environment_vars=variables)


def test_the_largest_environment_is_taken() -> None:
    rest = "x" * (4096 - len(encode({"A": "x" * 2000, "B": ""})))
    full = {"A": "x" * 2000, "B": rest}
    assert len(encode(full).encode()) == 4096
    assert len(new(environment_vars=full).environment_vars) == 2
    with pytest.raises(ValidationError):
        new(environment_vars=full | {"B": rest + "x"})


@given(st.text(min_size=8).filter(lambda text: text.strip("*")), st.booleans())
def test_no_value_is_ever_told(value: str, too_large: bool) -> None:
    variables = {"GOOD": value, "bad name": value} | (
        {"A": value + "x" * 4096} if too_large else {}
    )
    with pytest.raises(ValidationError) as refused:
        new(environment_vars=variables)
    told = [(error["loc"], error["msg"]) for error in refused.value.errors()]
    assert value not in json.dumps(told, ensure_ascii=False)
    try:
        kept = new(environment_vars={"GOOD": value})
    except ValidationError:
        return  # too large
    assert value not in f"{kept!r} {kept}" or value in repr(new())


@pytest.mark.parametrize("dollars", [0, -1, 1e-7, 1_000_001, float("nan"), float("inf"), "1", True])
def test_a_cost_budget_is_a_sum_of_dollars(dollars: object) -> None:
    with pytest.raises(ValidationError):
        new(cost_budget_usd=dollars)


@given(st.integers(1, 10**12))
def test_a_budget_is_stored_to_the_millionth(microusd: int) -> None:
    assert to_microusd(to_dollars(microusd)) == microusd


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-east-1", "ap-southeast-4"])
def test_a_region_looks_like_one(region: str) -> None:
    config = new(deployment_config={"platform": "aws", "region": region}).deployment_config
    assert (config.platform, config.region) == ("aws", region)


@pytest.mark.parametrize(
    "config", [{"region": "mars"}, {"platform": "heroku"}, {"zone": "a"}, None]
)
def test_another_deployment_is_refused(config: object) -> None:
    with pytest.raises(ValidationError):
        new(deployment_config=config)


@pytest.mark.parametrize(
    "field", ["tags", "dependencies", "environment_vars", "deployment_config", "name"]
)
def test_null_is_no_change(field: str) -> None:
    with pytest.raises(ValidationError):
        ProjectChanges.model_validate({field: None})


def test_a_change_may_remove_and_keep_variables() -> None:
    changes = ProjectChanges.model_validate({"environment_vars": {"A": None, "B": "***", "C": "c"}})
    assert set(changes.environment_vars or ()) == {"A", "B", "C"}
    assert "'c'" not in repr(changes)
