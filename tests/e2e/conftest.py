"""The whole system, as ``make up`` runs it, for all end-to-end tests together."""

from collections.abc import Iterator

import pytest

from agenticai_local.stack import LocalStack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with LocalStack(tmp_path_factory.mktemp("stack"), fresh=True) as running:
        yield running
