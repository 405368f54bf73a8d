"""What an event says, in one line for people. Text from the system is made harmless first."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Data = Mapping[str, Any]
BAD = frozenset(
    {
        "project_failed",
        "project_cancelled",
        "modification_failed",
        "modification_rejected",
        "modification_cancelled",
        "task_failed",
        "tests_failed",
    }
)
GOOD = frozenset({"project_active", "modification_complete", "tests_passed"})
DOING = {
    "plan": "plans",
    "analyze": "looks at what the request would change",
    "generate": "writes the code",
    "render": "fills the template in",
    "apply": "changes the code",
    "repair": "repairs what the tests found",
    "test": "runs the tests",
    "package": "packages",
    "mirror": "copies the files to their place",
    "delete": "deletes",
}


def describe(event: Mapping[str, Any]) -> str:
    """One line, without control characters, whatever the event holds."""
    data: Data = event.get("data") or {}
    kind = str(event.get("type"))
    word = WORDS.get(kind, _any(kind))
    return one_line(word if isinstance(word, str) else word(data))


def one_line(text: object) -> str:
    """``text`` on one line and without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in " ".join(str(text).split()))


def plain(text: object) -> str:
    """``text`` with its line breaks, but without anything else that a terminal would obey."""
    return "".join(char for char in str(text) if char.isprintable() or char in "\n\t")


def local_time(at: str, form: str = "%H:%M:%S") -> str:
    """An ISO time in this machine's zone; as it came where it cannot be read."""
    try:
        return datetime.fromisoformat(at).astimezone().strftime(form)
    except ValueError:
        return one_line(at)


def size(count: object) -> str:
    """``2048`` -> ``2.0 kB``."""
    if not isinstance(count, int):
        return ""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 10**6 else f"{count / 10**6:.1f} MB"


def percent(share: object) -> str:
    """``0.934`` -> ``93 %``; a dash for what could not be measured."""
    return f"{share:.0%}".replace("%", " %") if isinstance(share, int | float) else "–"


def scores_line(scores: Mapping[str, Any]) -> str:
    """``coverage 93 %, security 1.00``: what was measured."""
    rated = (("security", "security_score"), ("performance", "performance_score"))
    parts = [f"{label} {scores[name]:.2f}" for label, name in rated if scores.get(name) is not None]
    if scores.get("test_coverage") is not None:
        parts.insert(0, f"coverage {percent(scores['test_coverage'])}")
    return ", ".join(parts)


def _started(data: Data) -> str:
    return DOING.get(str(data.get("action")), f"starts {data.get('action', 'to work')}")


def _failure(data: Data, what: str) -> str:
    return f"{what}: {data.get('message') or data.get('reason') or data.get('code') or 'no reason'}"


def _plan(data: Data) -> str:
    entities = ", ".join(map(str, data.get("entities") or ()))
    files = data.get("files")
    count = len(files) if isinstance(files, list) else 0
    parts = [str(data.get("summary", "")), entities, f"{count} files" if count else ""]
    return "the plan is ready: " + "; ".join(part for part in parts if part)


def _impact(data: Data) -> str:
    changed, new = data.get("affected_files") or (), data.get("new_files") or ()
    risk = data.get("risk_level", "unknown")
    summary = data.get("summary", "")
    return f"{summary} ({len(changed)} files change, {len(new)} are new, {risk} risk)"


def _file(data: Data) -> str:
    of = f" {data['n']}/{data['of']}" if "n" in data and "of" in data else ""
    length = size(data.get("size"))
    return f"wrote{of} {data.get('path', 'a file')}" + (f" ({length})" if length else "")


def _tests(data: Data) -> str:
    failed = sum(int(data.get(name) or 0) for name in ("failed", "errors"))
    said = f"{data['passed']} tests passed" if "passed" in data else "tests passed"
    said += f", {failed} failed" if failed else ""
    covered = data.get("coverage", data.get("test_coverage"))
    return said + (f", coverage {percent(covered)}" if covered is not None else "")


def _scores(data: Data) -> str:
    findings = data.get("findings")
    found = f" ({findings} findings)" if findings else ""
    return f"scores: {scores_line(data)}{found}"


def _retried(data: Data) -> str:
    kept = data.get("units")
    done = f"; {kept} steps of it are done already" if kept else ""
    return f"tried again: {DOING.get(str(data.get('from')), 'from the beginning')}{done}"


def _edited(data: Data) -> str:
    did = data.get("change", "changed")
    return f"{did} by hand: {data.get('path', 'a file')} (revision {data.get('revision')})"


def _rolled_back(data: Data) -> str:
    why = f": {data['reason']}" if data.get("reason") else ""
    return f"back to revision {data.get('source')}, as revision {data.get('revision')}{why}"


def _any(kind: str) -> Callable[[Data], str]:
    """An event that this version does not know: its name and what is short in it."""

    def word(data: Data) -> str:
        values = (f"{k}={v}" for k, v in data.items() if isinstance(v, str | int | float))
        return " ".join([kind.replace("_", " "), *values][:6])

    return word


WORDS: dict[str, str | Callable[[Data], str]] = {
    "project_created": lambda data: f"the project “{data.get('name', '')}” is created",
    "project_active": "the project is ready",
    "project_failed": lambda data: _failure(data, "the project failed"),
    "project_cancelled": "the project is cancelled",
    "project_retried": _retried,
    "project_deleted": "the project is deleted",
    "task_started": _started,
    "task_resumed": lambda data: f"takes over: {_started(data)}",
    "task_postponed": lambda data: f"waits {data.get('in_seconds', '')} s: {data.get('reason')}",
    "task_succeeded": lambda data: f"done: {data['summary']}" if data.get("summary") else "done",
    "task_failed": lambda data: _failure(data, f"could not {data.get('action', 'do it')}"),
    "plan_ready": _plan,
    "impact_ready": _impact,
    "file_written": _file,
    "file_deleted": lambda data: f"deleted {data.get('path', 'a file')}",
    "agent_output": lambda data: data.get("text", ""),
    "tests_passed": _tests,
    "tests_started": "starts the tests",
    "tests_unverifiable": lambda data: f"not tested: {data.get('reason', 'no reason')}",
    "tests_failed": lambda data: f"the tests fail: {data.get('reason') or _tests(data)}",
    "scores_measured": _scores,
    "repair_requested": lambda data: f"repair {data.get('round')} of at most {data.get('of')}",
    "file_edited": _edited,
    "rolled_back": _rolled_back,
    "revision_promoted": lambda data: f"revision {data.get('revision')} is in place",
    "approval_required": "waits for your approval",
    "approved": "approved",
    "rejected": lambda data: " ".join(["rejected", str(data.get("feedback", ""))]),
    "message": lambda data: f"you say: {data.get('text', '')}",
    "message_not_used": lambda data: f"not heeded: {data.get('text', '')} ({data.get('reason')})",
    "modification_requested": lambda data: f"a change is asked for: {data.get('request', '')}",
    "modification_started": "the change is begun",
    "modification_complete": "the change is applied",
    "modification_failed": lambda data: _failure(data, "the change failed"),
    "modification_rejected": lambda data: _failure(data, "the change is rejected"),
    "modification_cancelled": "the change is cancelled",
}
