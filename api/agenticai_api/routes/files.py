"""A project's current revision: its files, one file, all of them as an archive, its docs."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Response

from agenticai_api.deps import ProjectId, Reader, ServicesDep
from agenticai_api.errors import documented
from agenticai_api.schemas.files import FilesAnswer, FileView
from agenticai_core import projects

router = APIRouter(prefix="/api/projects/{project_id}", tags=["files"])

_BINARY = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_MARKDOWN = {"text/markdown": {"schema": {"type": "string"}}}
_ZIP = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


@router.get("/files", summary="List the files of a project", responses=documented(404))
def list_files(project_id: ProjectId, owner_id: Reader, services: ServicesDep) -> FilesAnswer:
    files = projects.list_files(services, owner_id, project_id)
    return FilesAnswer(files={path: FileView.model_validate(info) for path, info in files.items()})


@router.get(
    "/files/{path:path}",
    summary="Download one file",
    response_class=Response,
    responses=documented(404) | {200: {"description": "The file.", "content": _TEXT | _BINARY}},
)
def read_file(
    project_id: ProjectId,
    path: Annotated[str, Path(description="As the list names it.", examples=["main.py"])],
    owner_id: Reader,
    services: ServicesDep,
) -> Response:
    """Text comes as plain text whatever its kind, so that a browser never runs it."""
    content = projects.read_file(services, owner_id, project_id, path)
    return Response(content, media_type=_media_type(content))


@router.get(
    "/archive",
    summary="Download all files as a zip",
    response_class=Response,
    responses=documented(404, 409) | {200: {"description": "The archive.", "content": _ZIP}},
)
def download_archive(project_id: ProjectId, owner_id: Reader, services: ServicesDep) -> Response:
    filename, content = projects.build_archive(services, owner_id, project_id)
    headers = {"Content-Disposition": f'attachment; filename="{quote(filename)}"'}
    return Response(content, media_type="application/zip", headers=headers)


@router.get(
    "/docs",
    summary="Read a project's documentation",
    response_class=Response,
    responses=documented(404, 409) | {200: {"description": "Markdown.", "content": _MARKDOWN}},
)
def read_docs(project_id: ProjectId, owner_id: Reader, services: ServicesDep) -> Response:
    text = projects.read_docs(services, owner_id, project_id)
    return Response(text, media_type="text/markdown")


def _media_type(content: bytes) -> str:
    try:
        content.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain; charset=utf-8"
