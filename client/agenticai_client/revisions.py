"""What was made: revisions, what differs between them, files, edits by hand, documentation."""

from collections.abc import Iterator
from typing import Any

from agenticai_client.calls import Calls, Json, if_match, project_path


class Revisions(Calls):
    def list_revisions(self, project_id: str, limit: int | None = None) -> Iterator[Json]:
        """Newest first."""
        return self._pages(project_path(project_id, "revisions"), "revisions", limit)

    def get_revision(self, project_id: str, number: int) -> Json:
        return self._object("GET", project_path(project_id, "revisions", str(number)), "revision")

    def revision_files(self, project_id: str, number: int) -> Json:
        """``{path: {"size", "sha256", …}}`` of a revision."""
        path = project_path(project_id, "revisions", str(number), "files")
        return self._object("GET", path, "files")

    def diff(
        self,
        project_id: str,
        from_: int | None = None,
        to: int | None = None,
        path: str | None = None,
    ) -> Json:
        """What differs, as ``{"files": [{"path", "status", "hunks", …}], …}``.

        ``to`` left out: the current revision; ``from_``: the one before; 0: nothing at all.
        """
        params = {"from": from_, "to": to, "path": path}
        return self._rest.json("GET", project_path(project_id, "diff"), params=params)

    def diff_text(
        self,
        project_id: str,
        from_: int | None = None,
        to: int | None = None,
        path: str | None = None,
    ) -> str:
        """The same as a unified diff, which ``git apply`` takes."""
        params = {"from": from_, "to": to, "path": path}
        headers = {"Accept": "text/x-diff"}
        where = project_path(project_id, "diff")
        return self._rest.call("GET", where, params=params, headers=headers).text

    def rollback(
        self,
        project_id: str,
        revision: int,
        *,
        reason: str | None = None,
        expected_revision: int | None = None,
        **options: Any,
    ) -> Json:
        """A new revision with the files of an earlier one."""
        given = {"revision": revision, "reason": reason, "expected_revision": expected_revision}
        body = {name: value for name, value in given.items() if value is not None} | options
        return self._create(project_path(project_id, "rollback"), "revision", body)

    def files(self, project_id: str) -> Json:
        """``{path: {"size", "sha256", …}}`` of the current revision."""
        return self._object("GET", project_path(project_id, "files"), "files")

    def read_file(self, project_id: str, path: str, revision: int | None = None) -> bytes:
        """A file of the current revision, or of a given one."""
        parts = ("files", path) if revision is None else ("revisions", str(revision), "files", path)
        return self._rest.content(project_path(project_id, *parts))

    def write_file(
        self, project_id: str, path: str, content: bytes, revision: int | None = None
    ) -> Json:
        """Add or replace a file: a revision of its own. ``revision``: only upon this one."""
        where = project_path(project_id, "files", path)
        headers = {"Content-Type": "application/octet-stream"} | (if_match(revision) or {})
        return self._rest.json("PUT", where, content=content, headers=headers)

    def delete_file(self, project_id: str, path: str, revision: int | None = None) -> Json:
        """Remove a file: a revision of its own. ``revision``: only upon this one."""
        where = project_path(project_id, "files", path)
        return self._rest.json("DELETE", where, headers=if_match(revision))

    def archive(self, project_id: str, revision: int | None = None) -> bytes:
        """A revision (left out: the current one) as a zip; see `archive.unpack` for a careful way
        to extract it."""
        where = project_path(project_id, "archive")
        return self._rest.content(where, params={"revision": revision})

    def docs(self, project_id: str, *, html: bool = False) -> str:
        """The project's documentation, in Markdown or as a page."""
        headers = {"Accept": "text/html" if html else "text/markdown"}
        return self._rest.call("GET", project_path(project_id, "docs"), headers=headers).text
