"""Ports: a taken one is refused with its owner and the way out."""

import os
import socket
from collections.abc import Iterator

import pytest

from agenticai_local.errors import LocalError
from agenticai_local.ports import HOST, choose_port, free_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_its_owner_and_the_option(taken: int) -> None:
    with pytest.raises(LocalError) as caught:
        choose_port(taken, "the API", "--api-port")
    assert f"Port {taken} for the API is in use" in caught.value.message
    assert f"process {os.getpid()}" in caught.value.message
    assert "--api-port" in caught.value.hint


def test_a_free_port_is_taken_as_wanted_and_zero_chooses_one() -> None:
    wanted = free_port()
    assert choose_port(wanted, "the API", "--api-port") == wanted
    assert choose_port(0, "the API", "--api-port") > 1023


def test_a_port_that_was_just_closed_can_be_used_again() -> None:
    """A stopped system's connections linger for a minute; that must not keep it from starting."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as every server does
        listener.bind((HOST, 0))
        listener.listen()
        port = listener.getsockname()[1]
        with socket.create_connection((HOST, port)), listener.accept()[0] as accepted:
            accepted.shutdown(socket.SHUT_RDWR)
    assert choose_port(port, "the API", "--api-port") == port
