"""Names from descriptions, projects from abbreviations, events in words, options in any place."""

import pytest

from agenticai_client.cli import hoist
from agenticai_client.names import (
    ManyProjects,
    NoSuchProject,
    find_project,
    folder_from,
    name_from,
)
from agenticai_client.wording import describe, local_time, one_line, percent, size

PROJECTS = [
    {"id": "proj_01jd3v9k2m7q8r5s6t7u8v9aaa", "name": "Salon"},
    {"id": "proj_01jd3v9k2m7q8r5s6t7u8v9bbb", "name": "Wine"},
    {"id": "proj_01aa3v9k2m7q8r5s6t7u8v9ccc", "name": "Wine"},
]


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("An API for a dog salon with appointments", "Dog salon"),
        (
            "I need a booking system for a climbing gym. Members",
            "Booking system for a climbing gym",
        ),
        ("We want to manage our wine cellar", "Manage our wine cellar"),
        ("Eine Verwaltung für Imker", "Eine Verwaltung für Imker"),
        ("Booking and stock management for the small shops", "Booking and stock management"),
        ("  bees\n\nand more", "Bees and more"),
        ("...", "..."),
        ("with", "With"),
        ("x" * 200, "X" + "x" * 59),
    ],
)
def test_a_name_from_a_description(description, name):
    assert name_from(description) == name


def test_no_description_gives_a_name_too():
    assert name_from(" \x00 ") == "Project"


@pytest.mark.parametrize(
    ("name", "folder"),
    [("Dog salon, south", "dog-salon-south"), ("../..", "project"), ("Bücher/1", "bücher-1")],
)
def test_a_folder_from_a_name(name, folder):
    assert folder_from(name) == folder


@pytest.mark.parametrize("typed", ["@last", "salon", "aaa", "9aaa", PROJECTS[0]["id"]])
def test_a_project_by_what_was_typed(typed):
    assert find_project(typed, PROJECTS) == PROJECTS[0]["id"]


def test_the_start_of_an_id_with_or_without_its_prefix():
    assert find_project("proj_01aa", PROJECTS) == PROJECTS[2]["id"]
    assert find_project("01aa", PROJECTS) == PROJECTS[2]["id"]


@pytest.mark.parametrize("typed", ["wine", "proj_", "01jd"])
def test_what_fits_several_is_refused(typed):
    with pytest.raises(ManyProjects):
        find_project(typed, PROJECTS)


@pytest.mark.parametrize("typed", ["a", "zzz", ""])
def test_what_fits_none_is_refused(typed):
    with pytest.raises(NoSuchProject):
        find_project(typed, PROJECTS)
    with pytest.raises(NoSuchProject):
        find_project("@last", [])


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("task_started", {"action": "generate"}, "writes the code"),
        ("task_started", {"action": "juggle"}, "starts juggle"),
        (
            "file_written",
            {"path": "a.py", "size": 2048, "n": 1, "of": 3},
            "wrote 1/3 a.py (2.0 kB)",
        ),
        ("tests_passed", {"passed": 3, "coverage": 0.931}, "3 tests passed, coverage 93 %"),
        (
            "tests_failed",
            {"passed": 3, "failed": 1, "errors": 1},
            "the tests fail: 3 tests passed, 2 failed",
        ),
        (
            "tests_failed",
            {"passed": 0, "reason": "stopped: timeout"},
            "the tests fail: stopped: timeout",
        ),
        (
            "scores_measured",
            {"test_coverage": 0.9, "security_score": 1, "performance_score": None, "findings": 2},
            "scores: coverage 90 %, security 1.00 (2 findings)",
        ),
        ("project_failed", {"message": "No tests"}, "the project failed: No tests"),
        ("project_failed", {}, "the project failed: no reason"),
        ("project_active", {}, "the project is ready"),
        (
            "plan_ready",
            {"summary": "A salon", "entities": ["Dog", "Owner"], "files": ["a", "b"]},
            "the plan is ready: A salon; Dog, Owner; 2 files",
        ),
        (
            "impact_ready",
            {"summary": "Adds it", "affected_files": ["a"], "risk_level": "low"},
            "Adds it (1 files change, 0 are new, low risk)",
        ),
        ("comet_seen", {"tail": 3, "orbit": {"a": 1}}, "comet seen tail=3"),
        ("agent_output", {"text": "a\x1b[31m\nb"}, "a [31m b"),
    ],
)
def test_events_in_words(kind, data, words):
    assert describe({"type": kind, "data": data}) == words


def test_an_event_without_data_has_words_too():
    for kind in ("plan_ready", "file_written", "task_started", "impact_ready", "unknown"):
        assert describe({"type": kind})


def test_small_words():
    assert one_line("a\tb\x9b31m\u202ec") == "a b 31m c"
    assert [size(999), size(1500), size(2_500_000), size(None)] == ["999 B", "1.5 kB", "2.5 MB", ""]
    assert [percent(0.934), percent(None)] == ["93 %", "–"]
    assert local_time("no time") == "no time"


@pytest.mark.parametrize(
    ("typed", "hoisted"),
    [
        (["list", "--json"], ["--json", "list"]),
        (["list", "--api-url", "u", "-q"], ["--api-url", "u", "-q", "list"]),
        (["list", "--api-url=u"], ["--api-url=u", "list"]),
        (["modify", "x", "--", "--json"], ["modify", "x", "--", "--json"]),
        (["new", "x", "--name", "n"], ["new", "x", "--name", "n"]),
    ],
)
def test_common_options_may_stand_anywhere(typed, hoisted):
    assert hoist(typed) == hoisted
