"""What Parameter Store refuses, in the words of the project's errors."""

from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from agenticai_core.errors import Unavailable
from agenticai_core.secrets.ssm import SsmSecrets


def refusing(code: str, status: int = 400) -> SsmSecrets:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    client = Mock()
    client.put_parameter.side_effect = ClientError(answer, "PutParameter")  # type: ignore[arg-type]
    return SsmSecrets(client, "/agenticai/test")


@pytest.mark.parametrize(
    ("code", "status"),
    [("ThrottlingException", 400), ("TooManyUpdates", 400), ("Whatever", 500)],
)
def test_what_may_pass_is_unavailable(code: str, status: int) -> None:
    with pytest.raises(Unavailable, match=code):
        refusing(code, status).put("a", "b")


def test_a_full_store_says_what_helps() -> None:
    with pytest.raises(Unavailable, match="as many secrets as it may") as caught:
        refusing("ParameterLimitExceeded").put("a", "b")
    assert "Delete projects" in (caught.value.hint or "")


def test_a_connection_that_fails_is_unavailable() -> None:
    client = Mock()
    client.put_parameter.side_effect = ConnectTimeoutError(endpoint_url="x")
    with pytest.raises(Unavailable, match="does not answer"):
        SsmSecrets(client, "/agenticai/test").put("a", "b")


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ClientError):
        refusing("AccessDeniedException").put("a", "b")
