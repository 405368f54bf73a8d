"""A project's files: list, read and edit them, all of them as an archive, its documentation."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from agenticai_api.deps import ExpectedVersion, ProjectId, Reader, ServicesDep, Writer
from agenticai_api.errors import documented
from agenticai_api.negotiation import PreferenceDep
from agenticai_api.schemas.files import EditAnswer, FilesAnswer
from agenticai_api.webpage import render_page
from agenticai_core import archive, documents, project_files, user_edits
from agenticai_core.project_files import ServedFile
from agenticai_core.revisions import MAX_NUMBER
from agenticai_core.user_edits import FileEdit

router = APIRouter(prefix="/api/projects/{project_id}", tags=["files"])

FilePath = Annotated[str, Path(description="As the list names it.", examples=["main.py"])]
Revision = Annotated[
    int | None,
    Query(ge=1, le=MAX_NUMBER, description="A revision's number; left out: the current one."),
]

_BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_PAGES = {kind: {"schema": {"type": "string"}} for kind in ("text/markdown", "text/html")}
_REDIRECT: dict[str, Any] = {
    "description": "It lies at `Location`, for a few minutes and whoever asks: follow it without "
    "your API key.",
    "headers": {"Location": {"description": "A URL.", "schema": {"type": "string"}}},
}
FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": _TEXT | _BINARY},
    307: _REDIRECT,
}


@router.get("/files", summary="List the files of a project", responses=documented(404))
def list_files(
    project_id: ProjectId, owner_id: Reader, services: ServicesDep, response: Response
) -> FilesAnswer:
    found = project_files.list_files(services, owner_id, project_id)
    response.headers["ETag"] = f'"{found.revision}"'
    return FilesAnswer.of(found)


@router.get(
    "/files/{path:path}",
    summary="Download one file",
    response_class=Response,
    responses=documented(404) | FILE_ANSWERS,
)
def read_file(
    project_id: ProjectId,
    path: FilePath,
    owner_id: Reader,
    services: ServicesDep,
    redirect: Annotated[
        bool, Query(description="Redirect to where it lies, as with a file of over 1 MB.")
    ] = False,
) -> Response:
    """Text comes as plain text whatever its kind, so that a browser never runs it."""
    served = project_files.read_file(services, owner_id, project_id, path, as_link=redirect)
    return answer_file(served)


def answer_file(served: ServedFile) -> Response:
    """The file, or the way to it; the revision that it is of as ``ETag``."""
    tag = {"ETag": f'"{served.revision}"'}
    if served.content is None:
        return Response(status_code=307, headers=tag | {"Location": served.url or ""})
    return Response(served.content, media_type=_media_type(served.content), headers=tag)


def _media_type(content: bytes) -> str:
    try:
        content.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain; charset=utf-8"


# ---- edits --------------------------------------------------------------------------------------


async def _read_body(request: Request) -> bytes:
    return await request.body()


@router.put(
    "/files/{path:path}",
    summary="Add or replace a file",
    responses=documented(404, 409, 412),
    openapi_extra={
        "requestBody": {
            "description": "The file as it is to be; at most 1 MB. It is kept byte for byte "
            "whatever `Content-Type` says, `text/plain` or any other.",
            "required": False,  # an empty file has an empty body
            "content": _BINARY,  # alone: generated clients know no bodies of plain text
        }
    },
)
def write_file(
    *,
    project_id: ProjectId,
    path: FilePath,
    owner_id: Writer,  # before the body, so that a stranger's is not read
    if_match: ExpectedVersion,
    content: Annotated[bytes, Depends(_read_body)],
    services: ServicesDep,
    response: Response,
) -> EditAnswer:
    """Makes a revision of its own, unless the file is so already. Not while a run is under way.

    `If-Match` takes the `ETag` of a list of files, which is the revision's number.
    """
    return _edit(services, owner_id, project_id, FileEdit(path, content, if_match), response)


@router.delete("/files/{path:path}", summary="Remove a file", responses=documented(404, 409, 412))
def delete_file(
    *,
    project_id: ProjectId,
    path: FilePath,
    owner_id: Writer,
    if_match: ExpectedVersion,
    services: ServicesDep,
    response: Response,
) -> EditAnswer:
    """Makes a revision of its own, without the file. Not while a run is under way."""
    return _edit(services, owner_id, project_id, FileEdit(path, None, if_match), response)


def _edit(
    services: ServicesDep, owner_id: str, project_id: str, edit: FileEdit, response: Response
) -> EditAnswer:
    edited = user_edits.edit_file(services, owner_id, project_id, edit)
    response.headers["ETag"] = f'"{edited.revision.number}"'
    return EditAnswer.of(edited)


# ---- the whole ----------------------------------------------------------------------------------


@router.get(
    "/archive",
    status_code=307,
    summary="Download all files as a zip",
    response_class=Response,
    responses=documented(404, 409) | {307: _REDIRECT},
)
def download_archive(
    project_id: ProjectId, owner_id: Reader, services: ServicesDep, revision: Revision = None
) -> Response:
    """A redirect to the zip."""
    url = archive.link_archive(services, owner_id, project_id, revision)
    return Response(status_code=307, headers={"Location": url})


@router.get(
    "/docs",
    summary="Read a project's documentation",
    response_class=Response,
    responses=documented(404)
    | {200: {"description": "Markdown, or a page by `Accept`.", "content": _PAGES}},
)
def read_docs(
    *,
    project_id: ProjectId,
    owner_id: Reader,
    services: ServicesDep,
    preference: PreferenceDep,
    revision: Revision = None,
) -> Response:
    """From the plan, the code and the README; before there is code, from the plan alone."""
    text = documents.write_documents(services, owner_id, project_id, revision)
    kind = preference.choose(tuple(_PAGES))
    answer = (
        render_page("Documentation", text)
        if kind == "text/html"
        else Response(text, media_type=kind)
    )
    answer.headers["Vary"] = "Accept"
    return answer
