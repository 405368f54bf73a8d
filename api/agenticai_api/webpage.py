"""Markdown as a page to read: no script, nothing from elsewhere, no HTML but our own."""

import base64
import hashlib
from html import escape

from fastapi import Response
from markdown_it import MarkdownIt

_STYLE = """\
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.6 system-ui, sans-serif;
       color: #1b1f24; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { border: 1px solid #c9d1d9; padding: .3rem .6rem; text-align: left; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; background: #f3f5f7; }
pre { padding: .8rem; overflow-x: auto; }
h1, h2, h3 { line-height: 1.25; margin-top: 2rem; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
# Pictures would only be asked for in vain: the policy loads none.
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def render_page(title: str, text: str) -> Response:
    """``text`` is Markdown, and may be anybody's."""
    body = _MARKDOWN.render(text)
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )
    return Response(page, media_type="text/html", headers={"Content-Security-Policy": _POLICY})
