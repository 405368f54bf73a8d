"""Queries for CloudWatch Logs Insights in the documents: they ask for what our lines carry."""

import re
from pathlib import Path

import pytest
from tests.deployment.log_lines import Lines

ROOT = Path(__file__).parents[2]
PAGES = ("monitoring", "runbook")

# What Logs Insights adds to every line.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_AnalyzeLogData-discoverable-fields.html
DISCOVERED = {"@timestamp", "@message", "@log", "@logStream", "@ingestionTime"}
# Words of its language, which are no fields.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
WORDS = {"as", "asc", "desc", "by", "and", "or", "not", "in", "like", "between"}
COMMANDS = {"fields", "filter", "stats", "sort", "limit", "display", "dedup"}


def queries(page: str) -> list[str]:
    return re.findall(r"--query-string '([^']+)'", page)


def pages() -> list[tuple[str, str]]:
    texts = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in PAGES}
    return [(name, query) for name, text in texts.items() for query in queries(text)]


def fields(query: str) -> set[str]:
    """The names in a query that are neither commands, functions, words, aliases nor values."""
    found: set[str] = set()
    for stage in query.split("|"):
        command, _, rest = stage.strip().partition(" ")
        assert command in COMMANDS, command
        bare = re.sub(r'"[^"]*"|/(?:\\.|[^/])*/|\bas\s+\w+', " ", rest)
        found |= set(re.findall(r"@?\b[A-Za-z_]\w*\b(?!\s*\()", bare)) - WORDS
    return found


def absent(query: str, field: str, known: set[str]) -> set[str]:
    """The values that a query compares ``field`` with, and that are not ``known``."""
    compared = re.findall(rf'\b{field} (=|!=|like|not like|in|not in) (\[[^]]*\]|"[^"]*")', query)
    found: set[str] = set()
    for how, value in compared:
        wanted = re.findall(r'"([^"]*)"', value)
        texts = "\n".join(known) if "like" in how else known
        found |= {one for one in wanted if one not in texts}
    return found


def faults(query: str, lines: Lines) -> set[str]:
    """What it asks for that no line has."""
    named = set(re.findall(r"\bas\s+(\w+)", query))
    unknown = fields(query) - lines.fields - DISCOVERED - named
    events = absent(query, "event_type", lines.events)
    return unknown | events | absent(query, "message", lines.messages)


@pytest.fixture(scope="module")
def lines() -> Lines:
    return Lines(ROOT)


@pytest.mark.parametrize(("page", "query"), pages())
def test_a_query_asks_for_what_lines_carry(page: str, query: str, lines: Lines) -> None:
    assert faults(query, lines) == set(), page


def test_both_pages_have_queries() -> None:
    assert {page for page, _ in pages()} == set(PAGES)


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ('filter requst_id = "req_1" | fields @timestamp, message', "requst_id"),
        ("fields @timestamp, servce", "servce"),
        ("stats count(*) by path, stat", "stat"),
        ("stats max(milisecond) as slowest by path | sort slowest", "milisecond"),
        ("fields @timestamp | sort @timestmp desc", "@timestmp"),
        ('filter event_type = "task.endet"', "task.endet"),
        ('filter event_type in ["task.ended", "task.startet"]', "task.startet"),
        ('filter message = "Tsk ended"', "Tsk ended"),
        ('filter event_type like "tsk."', "tsk."),
    ],
)
def test_a_misspelt_name_is_found(query: str, fault: str, lines: Lines) -> None:
    assert faults(query, lines) == {fault}


def test_names_that_are_there_are_no_faults(lines: Lines) -> None:
    query = (
        'filter event_type = "task.ended" and message = "Task ended" | filter TaskSeconds > 1'
        ' | filter event_type like "task." and sandbox_seconds > 1'
        " | stats max(seconds) as most, count(*) by service, Agent, failure | sort most desc"
    )
    assert faults(query, lines) == set()
