"""What a deletion leaves behind: a record of it, and nothing else of the project."""

from collections.abc import Callable

from agenticai_core import housekeeping, runs
from agenticai_core.bootstrap import Services
from agenticai_core.models import Project
from agenticai_core.store import keys
from agenticai_core.store.base import Item, Write
from agenticai_core.store.memory import MemoryStore


def records(services: Services) -> list[Item]:
    page = services.store.query(keys.owner_pk("me"), prefix="AUDIT#")
    return [row for row in page.items if row["action"] == "project_deleted"]


def test_the_record_outlives_the_project(
    services: Services, create: Callable[..., Project]
) -> None:
    made = create(name="Shop")
    runs.delete_project(services, "me", made.id, "key_1")
    runs.delete_project(services, "me", made.id, "key_2")  # it is on its way out already

    housekeeping.remove_project(services, made.id)

    assert services.store.query(keys.project_pk(made.id)).items == []
    (record,) = records(services)
    assert (record["subject"], record["key_id"]) == (made.id, "key_1")
    assert record["details"] == {"name": "Shop", "revision": 0}


def test_a_deletion_that_has_to_try_again_is_recorded_once(
    services: Services, create: Callable[..., Project]
) -> None:
    made = create()
    store = services.store
    assert isinstance(store, MemoryStore)
    write, tries = store.write, list[int]()

    def interfere(*writes: Write, token: str | None = None) -> None:
        tries.append(len(writes))
        if len(tries) == 1:
            runs.cancel(services, "me", made.id)
        write(*writes, token=token)

    store.write = interfere  # type: ignore[method-assign]
    runs.delete_project(services, "me", made.id, "key_1")

    assert len(tries) == 3  # the deletion, what came between, the deletion again
    assert len(records(services)) == 1
