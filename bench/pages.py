"""The part of a page that a benchmark writes: between ``<!-- NAME -->`` and ``<!-- end -->``."""

import re
from pathlib import Path


def replace_block(page: Path, name: str, text: str) -> None:
    """Put ``text`` in place of what the block holds; ValueError if the page has no such block."""
    begin = f"<!-- {name} -->\n"
    block = re.compile(f"({begin}).*?(<!-- end -->\n)", re.DOTALL)
    content, count = block.subn(lambda found: found[1] + text + found[2], page.read_text())
    if count != 1:
        raise ValueError(f"{page} has {count} blocks '{name}'")
    page.write_text(content)
