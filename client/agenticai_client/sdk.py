"""The system from Python: projects, modifications, files, and live events.

with Client("http://localhost:8000", key) as client:
    project = client.create_project("Salon", "api", "Appointments for a dog salon")
    for event in client.follow_project(project["id"]):
        print(event["seq"], event["type"])
"""

from collections.abc import Callable, Iterator
from typing import Any, Self

from agenticai_client.account import Account
from agenticai_client.calls import Json, if_match, project_path
from agenticai_client.errors import ApiError
from agenticai_client.find import find_websocket_url, socket_address
from agenticai_client.live import EventStream, Pace
from agenticai_client.rest import Rest
from agenticai_client.revisions import Revisions
from agenticai_client.templates import Templates
from agenticai_core.models import ModificationStatus, ProjectStatus

PROJECT_ENDS = frozenset({"project_active", "project_failed", "project_cancelled"})
MODIFICATION_ENDS = frozenset(
    {
        "modification_complete",
        "modification_failed",
        "modification_rejected",
        "modification_cancelled",
    }
)
PROJECT_AT_REST = frozenset(
    {ProjectStatus.ACTIVE, ProjectStatus.FAILED, ProjectStatus.CANCELLED, ProjectStatus.PAUSED}
)
MODIFICATION_AT_REST = frozenset(
    {
        ModificationStatus.APPLIED,
        ModificationStatus.REJECTED,
        ModificationStatus.FAILED,
        ModificationStatus.CANCELLED,
    }
)


class Client(Templates, Revisions, Account):
    """One system, one key. Methods give the API's JSON as dicts and raise `ClientError`s:
    `ApiError` for what the system refuses, `ConnectionFailed` when it does not answer.

    ``websocket_url`` defaults to AGENTICAI_WEBSOCKET_URL, the local file, or an address derived
    from ``api_url``. ``timeout`` is in seconds, for each attempt of a request.
    """

    def __init__(
        self,
        api_url: str,
        api_key: str,
        *,
        websocket_url: str | None = None,
        timeout: float = 10,
        pace: Pace | None = None,
    ) -> None:
        self.api_url = api_url.rstrip("/")
        self.websocket_url = (
            socket_address(websocket_url) if websocket_url else find_websocket_url(self.api_url)
        )
        self._api_key = api_key
        self._pace = pace or Pace()
        self._timeout = timeout
        self._rest = Rest(self.api_url, api_key, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._rest.close()

    # ---- projects --------------------------------------------------------------------------------

    def create_project(self, name: str, type: str, description: str, **options: Any) -> Json:
        """Start a project; ``options`` are further fields: ``approval``, ``token_budget``, …

        Here and wherever something is created, ``idempotency_key`` names the request, so that it
        has its effect once however often it is sent; left out, each call has a key of its own.
        """
        body = {"name": name, "type": type, "description": description, **options}
        return self._create("/api/projects", "project", body)

    def list_projects(
        self,
        *,
        status: str | None = None,
        type: str | None = None,
        tag: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Json]:
        """Your projects, newest first, page after page; ``limit`` of them at most."""
        return self._pages("/api/projects", "projects", limit, status=status, type=type, tag=tag)

    def get_project(self, project_id: str) -> Json:
        return self._object("GET", project_path(project_id), "project")

    def update_project(
        self, project_id: str, *, version: int | None = None, **changes: Any
    ) -> Json:
        """Change what a user may edit, such as ``name`` or ``token_budget``.

        ``version``: only if its ``config_version`` is still this one.
        """
        path = project_path(project_id)
        return self._object("PUT", path, "project", body=changes, headers=if_match(version))

    def delete_project(self, project_id: str) -> Json:
        """Stop what is under way and forget the project; rows and files go in the background."""
        return self._object("DELETE", project_path(project_id), "project")

    def send_message(self, project_id: str, text: str, **options: Any) -> Json:
        """Say something into the run under way: its next model calls are shown it."""
        path = project_path(project_id, "messages")
        return self._create(path, "project", {"text": text, **options})

    def retry(self, project_id: str, **options: Any) -> Json:
        """Try a failed creation again; after a lost worker or an outage, from where it stopped."""
        return self._create(project_path(project_id, "retry"), "project", options)

    # ---- modifications ---------------------------------------------------------------------------

    def modify(self, project_id: str, request: str, **options: Any) -> Json:
        """Ask for a change in your own words; gives the modification, not yet applied."""
        path = project_path(project_id, "modify")
        return self._create(path, "modification", {"request": request, **options})

    def get_modification(self, project_id: str, modification_id: str) -> Json:
        return self._object(
            "GET", project_path(project_id, "modifications", modification_id), "modification"
        )

    def list_modifications(self, project_id: str, *, limit: int | None = None) -> Iterator[Json]:
        return self._pages(project_path(project_id, "modifications"), "modifications", limit)

    def approve(self, project_id: str, run: str | None = None) -> Json:
        """Let what waits for approval go on; ``run``: only if that is what waits."""
        body = {"run": run} if run else None
        return self._object("POST", project_path(project_id, "approve"), "project", body=body)

    def reject(self, project_id: str, feedback: str | None = None) -> Json:
        """End what waits for approval; with ``feedback`` it is planned again instead."""
        body = {"feedback": feedback} if feedback else None
        return self._object("POST", project_path(project_id, "reject"), "project", body=body)

    def cancel(self, project_id: str) -> Json:
        """Stop the run under way, at whatever step it is."""
        return self._object("POST", project_path(project_id, "cancel"), "project")

    def approve_modification(self, project_id: str, modification_id: str) -> Json:
        """Let a modification be made that waits for approval."""
        return self._decide(project_id, modification_id, "approve")

    def reject_modification(
        self, project_id: str, modification_id: str, feedback: str | None = None
    ) -> Json:
        """End one that waits for approval; with ``feedback`` it is analysed again instead."""
        return self._decide(project_id, modification_id, "reject", feedback=feedback)

    def cancel_modification(self, project_id: str, modification_id: str) -> Json:
        """Stop one in work, or take one that waits out of the queue."""
        return self._decide(project_id, modification_id, "cancel")

    # ---- events ----------------------------------------------------------------------------------

    def events(self, project_id: str, after: int = 0, limit: int = 100) -> Json:
        """A page of the log: ``{"events": […], "next_after", "head"}``."""
        return self._events(project_id, after, limit)

    def watch(
        self,
        project_id: str,
        after: int = 0,
        until: Callable[[Json], bool] | None = None,
        notice: Callable[[str, str], None] | None = None,
    ) -> Iterator[Json]:
        """Live events after number ``after``: each once and in order, over any interruption.

        Ends after the first event for which ``until`` is true, else never. ``notice(state,
        reason)`` hears when the connection becomes "live", "polling" or "offline".
        """
        stream = EventStream(
            project_id,
            after,
            read=self._read_once,
            websocket_url=self.websocket_url,
            api_key=self._api_key,
            pace=self._pace,
            notice=notice,
        )
        for event in stream:
            yield event
            if until and until(event):
                return

    def follow_project(
        self,
        project_id: str,
        after: int = 0,
        notice: Callable[[str, str], None] | None = None,
    ) -> Iterator[Json]:
        """Events until nothing is under way: the project is active, failed, cancelled or gone.

        For a project that is at rest already: what its log holds, and the end.
        """
        if not self._at_rest(project_id):
            for event in self.watch(project_id, after, self._ends_work, notice):
                after = event["seq"]
                yield event
                if event["type"] == "project_deleted":
                    return
        yield from self._history(project_id, after)

    def follow_modification(
        self,
        project_id: str,
        modification_id: str,
        after: int = 0,
        notice: Callable[[str, str], None] | None = None,
    ) -> Iterator[Json]:
        """Events until the modification is applied, rejected, failed or cancelled."""

        def ended(event: Json) -> bool:
            if event["type"] in {"project_deleted", "project_cancelled"}:
                return True
            if event["type"] not in MODIFICATION_ENDS:
                return False
            # Another's end may be read when this one has settled, but its own end is yet to come.
            is_its_own = event["data"].get("modification_id") == modification_id
            return is_its_own and self._settled(project_id, modification_id)

        return self.watch(project_id, after, ended, notice)

    # ---- health ----------------------------------------------------------------------------------

    def health(self) -> Json:
        """Version and whether the process lives; needs no key."""
        return self._rest.json("GET", "/health", attempts=1)

    def ready(self) -> Json:
        """Whether table, bucket and queues answer; an `ApiError` names those that do not."""
        return self._rest.json("GET", "/health/ready", attempts=1)

    # ---- inside ----------------------------------------------------------------------------------

    def _decide(self, project_id: str, modification_id: str, decision: str, **given: Any) -> Json:
        body = {name: value for name, value in given.items() if value is not None} or None
        path = project_path(project_id, "modifications", modification_id, decision)
        return self._object("POST", path, "modification", body=body)

    def _read_once(self, project_id: str, after: int, limit: int, wait: int = 0) -> Json:
        wait = min(wait, int(self._timeout / 2))  # an answer held back must still come in time
        return self._events(project_id, after, limit, wait=wait, attempts=1)

    def _events(
        self,
        project_id: str,
        after: int,
        limit: int,
        *,
        wait: int = 0,
        attempts: int | None = None,
    ) -> Json:
        params = {"after": after, "limit": limit, "wait": wait or None}
        path = project_path(project_id, "events")
        return self._rest.json("GET", path, params=params, attempts=attempts)

    def _history(self, project_id: str, after: int) -> Iterator[Json]:
        while True:
            page = self.events(project_id, after)
            yield from page["events"]
            if not page["events"] or page["next_after"] >= page["head"]:
                return
            after = page["next_after"]

    def _at_rest(self, project_id: str) -> bool:
        project = self.get_project(project_id)
        return project["status"] in PROJECT_AT_REST and not project.get("active_run")

    def _ends_work(self, event: Json) -> bool:
        """An event in an old log may be followed by more work: ask how things stand now."""
        if event["type"] == "project_deleted":
            return True
        ends = event["type"] in PROJECT_ENDS | MODIFICATION_ENDS
        return ends and self._at_rest(event["project_id"])

    def _settled(self, project_id: str, modification_id: str) -> bool:
        try:
            modification = self.get_modification(project_id, modification_id)
        except ApiError as error:
            return _gone(error)
        return modification["status"] in MODIFICATION_AT_REST


def _gone(error: ApiError) -> bool:
    if error.status == 404:
        return True
    raise error
