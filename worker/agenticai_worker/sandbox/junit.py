"""Reading pytest's JUnit XML, written by a process that ran untrusted code."""

from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

Result = Literal["passed", "failed", "error", "skipped"]
_RESULTS: dict[str, Result] = {"error": "error", "failure": "failed", "skipped": "skipped"}


class BadReport(ValueError):
    """Not a report that pytest writes."""


@dataclass(frozen=True)
class Case:
    test: str  # node id: "tests/test_a.py::TestB::test_c", or the module that could not be read
    result: Result
    message: str
    seconds: float


def parse_junit(content: bytes) -> list[Case]:
    """The cases of a report in its family "xunit1" (that one names files).

    Decoded here and refused when it declares a document type, which pytest never does: without
    one there are no entities, and so nothing that expands.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadReport("not UTF-8") from error
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise BadReport("declares a document type")
    try:
        # A str is parsed as it is, whatever encoding its first line claims.
        root = ET.fromstring(text)  # noqa: S314 -- no document type, see above
        return [_read(case) for case in root.iter("testcase")]
    except (ET.ParseError, ValueError) as error:
        raise BadReport(str(error)) from error


def _read(case: ET.Element) -> Case:
    seconds = float(case.get("time", "0"))
    if not 0 <= seconds < 1e6:
        raise BadReport(f"a test of {seconds} seconds")
    # A test that fails and whose teardown fails too has both; the failure tells more.
    for tag in ("failure", "error", "skipped"):
        found = case.find(tag)
        if found is not None:
            message = (found.text or "") if tag != "skipped" else found.get("message", "")
            return Case(_node_id(case), _RESULTS[tag], message or found.get("message", ""), seconds)
    return Case(_node_id(case), "passed", "", seconds)


def _node_id(case: ET.Element) -> str:
    name, path = case.get("name", "?"), case.get("file")
    classes = case.get("classname", "")
    if path is None or not classes:
        return path or name
    module = path.removesuffix(".py").replace("/", ".")
    inner = classes.removeprefix(module).strip(".")
    return "::".join(part for part in (path, *inner.split("."), name) if part)
