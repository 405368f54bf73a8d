"""Errors: every one of them answers with the same JSON format."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)
_MEANINGS = {
    404: "There is no such thing",
    409: "What is stored does not allow it",
    422: "The request is not valid",
}


class Problem(BaseModel):
    """``code`` is for programs, ``message`` for people; ``details`` depend on the code."""

    code: str
    message: str
    details: dict[str, Any]


class ErrorAnswer(BaseModel):
    """The body of every answer that is not a success."""

    error: Problem


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the description of the API: the errors that a route may answer with."""
    return {status: {"model": ErrorAnswer, "description": _MEANINGS[status]} for status in statuses}


class AppError(Exception):
    """Something that the caller can mend."""

    status = 400
    code = "BAD_REQUEST"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class NotFound(AppError):
    status = 404
    code = "NOT_FOUND"


class Conflict(AppError):
    """The request is sound, but what is stored does not allow it."""

    status = 409
    code = "CONFLICT"


class Invalid(AppError):
    status = 422
    code = "INVALID"


def install(app: FastAPI) -> None:
    """Have the application answer every error in the one format."""

    @app.exception_handler(AppError)
    async def app_error(_: Request, error: AppError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None
        return _answer(error.status, error.code, error.message, error.details, headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        problems = [
            {"field": ".".join(str(part) for part in problem["loc"]), "problem": problem["msg"]}
            for problem in error.errors()
        ]
        return _answer(422, "INVALID", "The request is not valid", {"problems": problems})

    @app.exception_handler(IntegrityError)
    async def integrity(_: Request, error: IntegrityError) -> JSONResponse:
        return _answer(409, "CONFLICT", _conflict(str(error.orig)), {})

    @app.exception_handler(OperationalError)
    async def unavailable(request: Request, error: OperationalError) -> JSONResponse:
        logger.error("%s %s found no database", request.method, request.url.path, exc_info=error)
        message = "The database does not answer; try again in a moment"
        return _answer(503, "UNAVAILABLE", message, {}, {"Retry-After": "1"})

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "HTTP_ERROR")
        return _answer(error.status_code, code, str(error.detail), {}, error.headers)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return _answer(500, "INTERNAL_ERROR", "Something went wrong on our side", {})


def _conflict(reason: str) -> str:
    if "FOREIGN KEY" in reason.upper():
        return "Others still refer to this"
    columns = reason.partition("failed: ")[2]
    named = ", ".join(column.rpartition(".")[2] for column in columns.split(", "))
    return f"There is one with the same {named} already" if named else "It exists already"


def _answer(
    status: int, code: str, message: str, details: Any, headers: Any = None
) -> JSONResponse:
    body = {"error": {"code": code, "message": message, "details": details}}
    return JSONResponse(jsonable_encoder(body), status, headers=headers)
