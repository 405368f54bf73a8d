"""What the operator's commands share: options, and errors in the command line's own form."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Annotated, ParamSpec, TypeVar

import typer

from agenticai_client.errors import ApiError
from agenticai_core.errors import AgenticError

P = ParamSpec("P")
T = TypeVar("T")

AppOption = Annotated[
    str | None, typer.Option("--app", help="The application, as in `copilot app init`.")
]
EnvOption = Annotated[
    str | None,
    typer.Option(
        "--env", help="Its environment. Without both, the variables that the services read say it."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

# Parts of AWS's own codes, and what each means: our code, its status, a hint.
_MEANINGS = (
    (
        ("ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch"),
        ("NOT_AUTHENTICATED", 401, "Sign in to AWS again"),
    ),
    (
        ("AccessDenied", "UnauthorizedOperation", "Forbidden", "403"),
        ("NOT_ALLOWED", 403, "docs/operations.md lists what each command needs to be allowed"),
    ),
    (
        ("ResourceNotFound", "NonExistentQueue", "QueueDoesNotExist", "NoSuchBucket", "404"),
        ("NOT_FOUND", 404, "Look at --app and --env, or the variables that name the resources"),
    ),
)


def operator(function: Callable[P, T]) -> Callable[P, T]:
    """A command whose errors end it with a code, a hint and the exit code that fits."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        # Only a command that runs pays for loading the AWS libraries.
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

        from agenticai_core.store.base import StoreUnavailable

        try:
            with _logs_apart():
                return function(*args, **kwargs)
        except ModuleNotFoundError as error:
            raise ApiError(
                "NOT_INSTALLED",
                f"The package {error.name} is not installed",
                status=500,
                hint="Install the operator's extra: pip install 'agenticai[operate]'",
            ) from error
        except AgenticError as error:
            raise ApiError(
                error.code,
                error.message,
                status=error.status,
                hint=error.hint,
                details=error.details,
            ) from error
        except NoCredentialsError as error:
            raise ApiError(
                "NOT_AUTHENTICATED",
                "There are no AWS credentials here",
                status=401,
                hint="aws sso login, or AWS_PROFILE; locally any value of AWS_ACCESS_KEY_ID and"
                " AWS_SECRET_ACCESS_KEY",
            ) from error
        except ClientError as error:
            raise _of_aws(str(error.response["Error"]["Code"]), str(error)) from error
        except (BotoCoreError, StoreUnavailable) as error:
            raise ApiError(
                "UNAVAILABLE",
                f"AWS does not answer: {error}",
                status=503,
                hint="Look at AWS_REGION and AWS_ENDPOINT_URL, or try again in a moment",
            ) from error

    return run


@contextmanager
def _logs_apart() -> Iterator[None]:
    """Standard output is for what was asked for: what core logs goes elsewhere, warnings only."""
    import structlog

    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)


def _of_aws(theirs: str, message: str) -> ApiError:
    for parts, (code, status, hint) in _MEANINGS:
        if any(part in theirs for part in parts):
            return ApiError(code, message, status=status, hint=hint)
    return ApiError("AWS_ERROR", message, status=500)
