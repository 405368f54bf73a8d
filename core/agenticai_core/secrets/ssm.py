"""Secrets as SecureString parameters of Parameter Store."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from agenticai_core.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

T = TypeVar("T")

_ABSENT = frozenset({"ParameterNotFound", "ParameterVersionNotFound"})
_TRANSIENT = frozenset({"ThrottlingException", "TooManyUpdates", "InternalServerError"})
_FULL = "Delete projects that you do not need, or have the account's limit of parameters raised"


class SsmSecrets:
    """Implements `agenticai_core.secrets.base.Secrets` below the path ``prefix``."""

    def __init__(self, client: "SSMClient", prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def get(self, name: str, version: int | None = None) -> str | None:
        full = self._full(name) if version is None else f"{self._full(name)}:{version}"
        try:
            answer = _call(lambda: self._client.get_parameter(Name=full, WithDecryption=True))
        except ClientError as error:
            if error.response["Error"]["Code"] in _ABSENT:
                return None
            raise
        return answer["Parameter"]["Value"]

    def put(self, name: str, value: str) -> int:
        return self._put(name, value, overwrite=True)

    def create(self, name: str, value: str) -> str:
        try:
            self._put(name, value, overwrite=False)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterAlreadyExists":
                raise
            return self.get(name) or value
        return value

    def delete(self, name: str) -> None:
        try:
            _call(lambda: self._client.delete_parameter(Name=self._full(name)))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ABSENT:
                raise

    def _put(self, name: str, value: str, *, overwrite: bool) -> int:
        answer = _call(
            lambda: self._client.put_parameter(
                Name=self._full(name), Value=value, Type="SecureString", Overwrite=overwrite
            )
        )
        return answer["Version"]

    def _full(self, name: str) -> str:
        return f"{self._prefix}/{name}"


def _call(function: Callable[[], T]) -> T:
    """Run one request; what may pass is `Unavailable`."""
    try:
        return function()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code == "ParameterLimitExceeded":
            raise Unavailable(
                "Parameter Store holds as many secrets as it may", hint=_FULL
            ) from error
        if status >= 500 or code in _TRANSIENT:
            raise Unavailable(f"Parameter Store answered {code}") from error
        raise
    except BotoCoreError as error:
        raise Unavailable(f"Parameter Store does not answer: {error}") from error
