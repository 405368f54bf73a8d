"""A project's documentation over REST: Markdown, or a page that runs nothing."""

import base64
import hashlib
import re
import time

import pytest
from tests.contract.api.conftest import TREE
from tests.fakes.promoted import promote

from agenticai_api.webpage import render_page

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def docs(api, project_id, accept="*/*", **query):
    return api.get(f"/api/projects/{project_id}/docs", params=query, headers={"Accept": accept})


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "text/markdown"),
        ("", "text/markdown"),
        ("text/markdown", "text/markdown"),
        ("text/html", "text/html"),
        (BROWSER, "text/html"),
        ("text/html;q=0.4, text/markdown;q=0.5", "text/markdown"),
        ("TEXT/HTML", "text/html"),
        ("application/json", "text/markdown"),
    ],
)
def test_the_form_is_the_clients_choice(api, built_id, accept, kind):
    answer = docs(api, built_id, accept)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer.headers["Vary"] == "Accept"
    assert "Bike workshop" in answer.text
    assert "main.py" in answer.text


def test_a_page_runs_nothing_and_loads_nothing(api, services, built_id):
    readme = b"<script>alert(1)</script>\n\n![x](http://x.test/x.png) [y](javascript:alert(1))\n"
    promote(services, built_id, {"README.md": readme})

    answer = docs(api, built_id, "text/html")

    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert policy.endswith("sandbox")
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "&lt;script&gt;" in answer.text
    for tag in ("<script", "<img", 'javascript:alert(1)"', 'style="', "onerror="):
        assert tag not in answer.text


def test_each_revision_has_its_documentation(api, services, built_id):
    promote(services, built_id, {"only.py": b'"""The only one."""\n'})
    assert "The only one." in docs(api, built_id).text
    first = docs(api, built_id, revision=1).text
    assert "only.py" not in first
    assert TREE["README.md"].decode().strip() in first
    assert docs(api, built_id, revision=9).status_code == 404
    assert docs(api, built_id, revision=0).status_code == 422


def test_before_there_is_code_there_is_a_name(api, project_id):
    assert docs(api, project_id).text.startswith("# Bike workshop\n")


def test_a_stranger_reads_nothing(stranger, built_id):
    for accept in ("*/*", "text/html"):
        assert docs(stranger, built_id, accept).status_code == 404


SLOW = (
    *("[" * 64_000, "*a " * 20_000, "> " * 30_000, "`" * 64_000, "<" * 64_000, "&" * 64_000),
    *("[a](" * 16_000, "| a" * 20_000 + "\n" + "|-" * 20_000),
    "\n".join("  " * n + "- a" for n in range(300)),
)


@pytest.mark.parametrize("text", SLOW, ids=lambda text: text[:6])
def test_no_text_takes_long(text):
    started = time.process_time()
    render_page("x", text)
    assert time.process_time() - started < 10
