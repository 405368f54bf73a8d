"""The template language, and a program that renders a whole template.

``python rendering.py`` reads `REQUEST` and writes `RESULT` in its folder. It runs in the worker's
sandbox, where there is jinja2 and nothing of ours, so this module imports nothing of ours.
"""

import json
import re
import traceback
import unicodedata
from pathlib import Path
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

REQUEST, RESULT = "request.json", "result.json"
MAX_RENDERED = 1_000_000  # characters of one file
MAX_RENDERED_TOTAL = 4_000_000

_WORD = re.compile(r"[^\W_]+")


class RenderFailed(Exception):
    """``file`` could not be rendered; ``line`` counts from 1, and is None where nobody knows."""

    def __init__(self, file: str, line: int | None, message: str) -> None:
        super().__init__(message)
        self.file = file
        self.line = line
        self.message = message


def make_environment() -> jinja2.Environment:
    """The language: Jinja2 in its sandbox; what is not defined is an error, nothing is random."""
    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # source code, not HTML; there is the filter `e`
    )
    environment.filters.update(slug=slug, snake=snake, pascal=pascal, quoted=quoted)
    del environment.filters["random"]
    del environment.globals["lipsum"]
    return environment


def slug(text: str) -> str:
    """``My API`` -> ``my-api``."""
    return "-".join(_words(text))


def snake(text: str) -> str:
    """``My API`` -> ``my_api``, and never a name that begins with a digit."""
    made = "_".join(_words(text))
    return f"n{made}" if made[:1].isdigit() else made


def pascal(text: str) -> str:
    """``my api`` -> ``MyApi``."""
    return "".join(word.capitalize() for word in snake(text).split("_"))


def quoted(text: str) -> str:
    """A string literal that Python, JavaScript, JSON, TOML and YAML all read."""
    return json.dumps(str(text), ensure_ascii=False)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", str(text)).encode("ascii", "ignore").decode().lower()
    return _WORD.findall(plain) or ["project"]


def render(request: dict[str, Any]) -> dict[str, Any]:
    """``{files: [{path, content, is_template}], plan, variables}`` -> ``{files: {path: text},
    plan}``, without the files whose path is empty. Raises `RenderFailed`."""
    environment, values = make_environment(), request["variables"]
    made: dict[str, str] = {}
    total = 0
    for file in request["files"]:
        path = _fill(environment, file["path"], values, file["path"]).strip()
        if not path:
            continue
        if path in made:
            raise RenderFailed(file["path"], None, f"another file is rendered to {path} too")
        text = file["content"]
        if file["is_template"]:
            text = _fill(environment, text, values, file["path"])
        total += len(text)
        if len(text) > MAX_RENDERED or total > MAX_RENDERED_TOTAL:
            raise RenderFailed(file["path"], None, "what comes out is too large")
        made[path] = text
    plan = request.get("plan")
    told = _fill(environment, plan, values, "its plan") if plan else None
    return {"files": made, "plan": told}


def _fill(environment: jinja2.Environment, text: str, values: dict[str, str], file: str) -> str:
    try:
        return environment.from_string(text).render(values)
    except jinja2.TemplateSyntaxError as error:
        raise RenderFailed(file, error.lineno, error.message or "is not a template") from error
    except Exception as error:  # whatever a template does, it is the template's fault
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == "<template>"]
        message = str(error)[:300] or type(error).__name__
        raise RenderFailed(file, lines[-1] if lines else None, message) from error


def main() -> None:
    request = json.loads(Path(REQUEST).read_text(encoding="utf-8"))
    try:
        result = render(request)
    except RenderFailed as error:
        result = {"error": {"file": error.file, "line": error.line, "message": error.message}}
    Path(RESULT).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
