"""One system in containers for all tests here. Its images have to be there: ``make images``."""

from collections.abc import Iterator

import pytest
from tests.compose.containers import ComposedSystem, composed


@pytest.fixture(scope="session")
def stack() -> Iterator[ComposedSystem]:
    with composed("agenticai-test") as system:
        yield system
