"""What a benchmark writes into a page, and what it leaves alone."""

from pathlib import Path

import pytest
from bench.pages import replace_block

ROOT = Path(__file__).resolve().parents[2]
PAGE = "# Title\n<!-- one -->\nold\n<!-- end -->\nbetween\n<!-- two -->\nkept\n<!-- end -->\nlast\n"


def test_only_the_named_block_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    for text in ("a \\1 of\nlines\n", "new\n"):
        replace_block(page, "one", text)
        assert page.read_text() == PAGE.replace("old\n", text)


def test_a_page_without_the_block_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    with pytest.raises(ValueError, match="0 blocks 'three'"):
        replace_block(page, "three", "text")
    assert page.read_text() == PAGE


@pytest.mark.parametrize("name", ["main job", "images"])
def test_the_performance_page_has_the_blocks(name: str, tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text((ROOT / "docs" / "performance.md").read_text())
    replace_block(page, name, "measured\n")
    assert f"<!-- {name} -->\nmeasured\n<!-- end -->\n" in page.read_text()
