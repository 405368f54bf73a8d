"""The reference at `/docs`: Swagger UI from a package, so that it works without the internet."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse
from starlette.exceptions import HTTPException

router = APIRouter(include_in_schema=False)

_FILES = Path(str(files("fastapi_offline"))) / "static"
_SHIPPED = ("swagger-ui-bundle.js", "swagger-ui.css")
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>agenticai: API reference</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="reference"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
"""
# Its own files, its own API, and nothing else. It writes styles into the page, and its icons are
# in its style sheet.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_KEEP = {"Cache-Control": "public, max-age=3600"}


@router.get("/docs")
async def show_reference() -> HTMLResponse:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{name}")
async def read_reference_file(name: str) -> Response:
    if name == "start.js":
        return Response(_START, media_type="text/javascript", headers=_KEEP)
    if name not in _SHIPPED:
        raise HTTPException(404)
    return FileResponse(_FILES / name, headers=_KEEP)
