"""What the bodies of all routes share, and the one form of errors."""

import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

MAX_NAME = 100
MAX_TEXT = 20_000


# Control characters, line breaks, and what turns the direction of the text around it.
_NOT_IN_LINE = r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff"
_NOT_IN_TEXT = r"\x00-\x08\x0b\x0c\x0e-\x1f"


def _pattern(refused: str) -> str:
    """Spaces, then something that is none, then anything; nothing ``refused`` anywhere."""
    return rf"^[^\S{refused}]*[^\s{refused}][^{refused}]*$"


LINE = _pattern(_NOT_IN_LINE)
TEXT = _pattern(_NOT_IN_TEXT)


def _check_line(text: str) -> str:
    if not text.strip():
        raise ValueError("is required: it holds nothing but spaces")
    if not re.fullmatch(LINE, text):
        raise ValueError("control characters and line breaks are not allowed")
    return text.strip()


def _check_text(text: str) -> str:
    if not text.strip():
        raise ValueError("say something: it holds nothing but spaces")
    if not re.fullmatch(TEXT, text):
        raise ValueError("control characters other than tabs and line breaks are not allowed")
    return text


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NAME),
    AfterValidator(_check_line),
    Field(json_schema_extra={"pattern": LINE}),
]
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_TEXT),
    AfterValidator(_check_text),
    Field(json_schema_extra={"pattern": TEXT}),
]


class RequestBody(BaseModel):
    """Unknown fields are refused, so that a typing error never passes for a default."""

    model_config = ConfigDict(extra="forbid")


class ErrorView(BaseModel):
    code: str = Field(description="Stable, fit for programs.")
    message: str = Field(description="For people.")
    details: dict[str, Any]
    hint: str | None = Field(default=None, description="What to do next; may be absent.")


class ErrorAnswer(BaseModel):
    """Every error has this form."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "success": False,
                    "error": {
                        "code": "VALIDATION_ERROR",
                        "message": "'type' must be one of api, web, mobile, data, microservice",
                        "details": {
                            "field": "type",
                            "allowed_values": ["api", "web", "mobile", "data", "microservice"],
                            "errors": [
                                {
                                    "field": "type",
                                    "message": "must be one of api, web, mobile, data, "
                                    "microservice",
                                    "allowed_values": [
                                        "api",
                                        "web",
                                        "mobile",
                                        "data",
                                        "microservice",
                                    ],
                                }
                            ],
                        },
                    },
                    "request_id": "req_01jd3v9k2m7q8r5s6t7u8v9w0x",
                    "timestamp": "2025-11-24T12:00:00.000000Z",
                }
            ]
        }
    )

    success: Literal[False]
    error: ErrorView
    request_id: str = Field(description="Also the header `X-Request-Id`.")
    timestamp: str
