"""The import graph of a tree, for Python and JavaScript."""

import pytest

from agenticai_worker.imports import dependants, describe_importers, distances, import_graph

TREE = {
    "app/__init__.py": "",
    "app/models.py": "from sqlalchemy import String\n",
    "app/store.py": "from .models import Note\nfrom . import settings\n",
    "app/settings.py": "",
    "app/routes/__init__.py": "",
    "app/routes/notes.py": "from ..store import Store\nimport app.settings\n",
    "app/main.py": "from app.routes import notes\n",
    "app/broken.py": "import (\n",
    "tests/test_notes.py": "from app.main import app\n",
    "README.md": "import app.models",
}


def test_absolute_and_relative_imports_lead_to_files() -> None:
    graph = import_graph(TREE)
    assert graph["app/store.py"] == {"app/__init__.py", "app/models.py", "app/settings.py"}
    assert graph["app/routes/notes.py"] >= {"app/store.py", "app/settings.py"}
    assert graph["app/main.py"] == {"app/routes/__init__.py", "app/routes/notes.py"}
    assert graph["app/models.py"] == graph["app/broken.py"] == graph["README.md"] == frozenset()


def test_dependants_are_found_through_others() -> None:
    graph = import_graph(TREE)
    assert dependants(graph, ["app/models.py"]) == (
        "app/main.py",
        "app/routes/notes.py",
        "app/store.py",
        "tests/test_notes.py",
    )
    assert dependants(graph, ["tests/test_notes.py"]) == ()
    assert dependants(graph, ["unknown.py"]) == ()


def test_importers_are_described_one_file_a_line() -> None:
    tree = {"a.py": "import b", "b.py": "", "c.py": "import b"}
    assert describe_importers(tree) == "b.py <- a.py, c.py"


def test_a_source_folder_is_looked_into() -> None:
    tree = {"src/shop/cart.py": "", "tests/test_cart.py": "import shop.cart\n"}
    assert import_graph(tree)["tests/test_cart.py"] == {"src/shop/cart.py"}


@pytest.mark.parametrize(
    "text",
    [
        "import { a } from './util'",
        'import "./util.js"',
        "const u = require('./util')",
        "await import('./util')",
        "export * from './util'",
    ],
)
def test_javascript_imports(text: str) -> None:
    tree = {"web/main.js": text, "web/util.js": "", "util.js": ""}
    assert import_graph(tree)["web/main.js"] == {"web/util.js"}


def test_javascript_folders_and_parents() -> None:
    tree = {"web/a/main.ts": "import x from '../b'", "web/b/index.ts": ""}
    assert import_graph(tree)["web/a/main.ts"] == {"web/b/index.ts"}


def test_distances_go_both_ways_and_cycles_end() -> None:
    tree = {"a.py": "import b", "b.py": "import a\nimport c", "c.py": "", "d.py": "import c"}
    graph = import_graph(tree)
    assert distances(graph, ["a.py"]) == {"a.py": 0, "b.py": 1, "c.py": 2, "d.py": 3}
    assert dependants(graph, ["a.py"]) == ("b.py",)
