"""What the bodies of all routes share, and the one form of errors."""

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


def _check_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control characters and line breaks are not allowed")
    return text


def _check_text(text: str) -> str:
    if not text.strip():
        raise ValueError("say something: it holds nothing but spaces")
    if any(ord(char) < 32 and char not in "\t\r\n" for char in text):
        raise ValueError("control characters other than tabs and line breaks are not allowed")
    return text


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME),
    AfterValidator(_check_line),
]
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_TEXT), AfterValidator(_check_text)
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
