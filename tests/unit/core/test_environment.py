"""The values of a project's environment: apart from the table, versioned, and gone with it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from agenticai_core import environment, housekeeping, projects, runs
from agenticai_core.bootstrap import Services
from agenticai_core.errors import PreconditionFailed, ValidationFailed, WrongState
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.idempotency import Once
from agenticai_core.models import Project
from agenticai_core.queues import MemoryQueue
from agenticai_core.rows import load
from agenticai_core.secrets.memory import MemorySecrets
from agenticai_core.store.base import StoreConflict, StoreUnavailable, Write
from agenticai_core.store.memory import MemoryStore

Create = Callable[..., Project]


class Store(MemoryStore):
    """Does ``before`` a write, once, and can fail it."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[], None] | None = None
        self.fails: Exception | None = None

    def write(self, *writes: Write, token: str | None = None) -> None:
        before, self.before = self.before, None
        if before is not None:
            before()
        if self.fails is not None:
            raise self.fails
        super().write(*writes, token=token)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def services(store: Store) -> Services:
    return Services(store, MemoryFiles(), MemoryQueue())


def set_variables(services: Services, project_id: str, **values: str | None) -> Project:
    changes = projects.ProjectChanges.model_validate({"environment_vars": values})
    return projects.update_project(services, "me", project_id, changes)


def values_of(services: Services, project_id: str) -> dict[str, str]:
    return environment.unseal(services, load(services.store, project_id).project)


def secrets_of(services: Services) -> dict[str, Any]:
    assert isinstance(services.secrets, MemorySecrets)
    return services.secrets._versions


def once(key: str = "k", fingerprint: str = "f") -> Once:
    return Once("me", "POST /api/projects", key, fingerprint)


def test_the_table_knows_the_names_alone(services: Services, create: Create) -> None:
    made = create(environment_vars={"B": "canary-b", "A": "canary-a"})

    assert (made.environment, made.environment_version) == (("A", "B"), 1)
    assert values_of(services, made.id) == {"A": "canary-a", "B": "canary-b"}
    assert "canary" not in str(services.store.__dict__)


def test_without_variables_there_is_no_secret(services: Services, create: Create) -> None:
    made = create()

    assert (made.environment, made.environment_version) == ((), 0)
    assert secrets_of(services) == {}


def test_a_change_sets_removes_and_keeps(services: Services, create: Create) -> None:
    made = create(environment_vars={"A": "1", "B": "2", "C": "3"})

    changed = set_variables(services, made.id, A="***", B=None, D="4", X=None)

    assert (changed.environment, changed.environment_version) == (("A", "C", "D"), 2)
    assert values_of(services, made.id) == {"A": "1", "C": "3", "D": "4"}


def test_what_is_not_there_cannot_be_kept(services: Services, create: Create) -> None:
    made = create(environment_vars={"A": "1"})

    with pytest.raises(ValidationFailed, match=r"environment_vars\.B"):
        set_variables(services, made.id, B="***")
    assert load(services.store, made.id).project == made


def test_changes_together_may_be_too_large(services: Services, create: Create) -> None:
    made = create(environment_vars={"A": "x" * 3000})

    with pytest.raises(ValidationFailed) as refused:
        set_variables(services, made.id, B="y" * 2000)
    assert refused.value.details["field"] == "environment_vars"
    assert "yyy" not in str(refused.value.details) + refused.value.message
    assert values_of(services, made.id) == {"A": "x" * 3000}


def test_the_last_variable_can_go(services: Services, create: Create) -> None:
    made = create(environment_vars={"A": "1"})

    changed = set_variables(services, made.id, A=None)

    assert changed.environment == ()
    assert values_of(services, made.id) == {}
    assert set_variables(services, made.id, B="2").environment == ("B",)


def test_a_version_that_lost_its_transaction_is_never_read(
    services: Services, store: Store, create: Create
) -> None:
    made = create(environment_vars={"A": "1"})
    store.before = lambda: set_variables(services, made.id, B="2") and None

    set_variables(services, made.id, C="3")

    assert values_of(services, made.id) == {"A": "1", "B": "2", "C": "3"}


def test_changes_at_once_lose_nothing(services: Services, create: Create) -> None:
    made = create(environment_vars={"A": "1"})
    start = threading.Barrier(8)

    def change(n: int) -> None:
        start.wait()
        set_variables(services, made.id, **{f"V{n}": str(n)})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(change, range(8)))

    wanted = {"A": "1"} | {f"V{n}": str(n) for n in range(8)}
    assert values_of(services, made.id) == wanted
    assert set(load(services.store, made.id).project.environment) == set(wanted)


def test_a_refused_change_stores_no_value(services: Services, create: Create) -> None:
    made = create(environment_vars={"A": "1"})
    changes = projects.ProjectChanges.model_validate({"environment_vars": {"A": "2"}})

    with pytest.raises(PreconditionFailed):
        projects.update_project(services, "me", made.id, changes, if_match=7)

    assert len(secrets_of(services)[environment.secret_name(made.id)]) == 1


# ---- orphans ------------------------------------------------------------------------------------


def new(**values: str) -> runs.NewProject:
    fields = {"name": "N", "type": "api", "description": "d", "environment_vars": values}
    return runs.NewProject.model_validate(fields)


def test_a_creation_that_is_refused_for_good_leaves_no_secret(
    services: Services, store: Store
) -> None:
    store.fails = StoreConflict("again and again")

    with pytest.raises(StoreConflict):
        runs.create_project(services, "me", new(A="canary"))

    assert secrets_of(services) == {}


def test_after_an_outage_the_secret_stays_for_a_project_that_may_be_there(
    services: Services, store: Store
) -> None:
    store.fails = StoreUnavailable("no answer")

    with pytest.raises(StoreUnavailable):
        runs.create_project(services, "me", new(A="1"))

    assert len(secrets_of(services)) == 1


def test_a_replayed_creation_leaves_no_second_secret(services: Services, store: Store) -> None:
    first = runs.create_project(services, "me", new(A="1"), once())

    again = runs.create_project(services, "me", new(A="1"), once())

    assert again.id == first.id
    assert set(secrets_of(services)) == {environment.secret_name(first.id)}


def test_of_two_equal_creations_at_once_one_secret_is_left(
    services: Services, store: Store
) -> None:
    made: list[Project] = []
    store.before = lambda: made.append(runs.create_project(services, "me", new(A="1"), once()))

    second = runs.create_project(services, "me", new(A="1"), once())

    assert second.id == made[0].id
    assert set(secrets_of(services)) == {environment.secret_name(second.id)}
    assert values_of(services, second.id) == {"A": "1"}


def test_the_secret_goes_with_the_project(services: Services, create: Create) -> None:
    made = create(environment_vars={"A": "1"})
    runs.delete_project(services, "me", made.id)

    housekeeping.remove_project(services, made.id)

    assert secrets_of(services) == {}


def test_a_change_that_meets_a_deletion_leaves_no_secret(
    services: Services, store: Store, create: Create
) -> None:
    made = create(environment_vars={"A": "1"})

    def delete() -> None:
        runs.delete_project(services, "me", made.id)
        environment.forget(services, made.id)  # the deletion's task is this far

    store.before = delete
    with pytest.raises(WrongState):
        set_variables(services, made.id, A="2")

    assert secrets_of(services) == {}
