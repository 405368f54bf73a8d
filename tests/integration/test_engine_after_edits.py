"""The built-in engine on projects that users have edited or gone back in, with real tests."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from agenticai_core import project_files, projects, runs
from agenticai_core.bootstrap import Services
from agenticai_core.files.memory import MemoryFiles
from agenticai_core.models import Modification, ModificationStatus, Project
from agenticai_core.queues import MemoryQueue
from agenticai_core.settings import Settings
from agenticai_core.store.memory import MemoryStore
from agenticai_core.user_edits import FileEdit, Rollback, edit_file, roll_back
from agenticai_worker.llm.template.model import TemplateModel
from agenticai_worker.run import Worker
from agenticai_worker.runner import run_task
from agenticai_worker.sandbox.local import LocalSandbox

pytestmark = pytest.mark.slow
APPLIED = ModificationStatus.APPLIED
MODEL = "app/models/bike_model.py"
LOGO = b"\x89PNG\0\xff"


@dataclass
class Shop:
    """One project, and a worker that does whatever is queued."""

    services: Services
    worker: Worker
    project_id: str = ""
    done: int = 0

    def work(self) -> None:
        queue = self.services.queue
        assert isinstance(queue, MemoryQueue)
        while self.done < len(queue.sent):
            _, project_id, task_id, _ = queue.sent[self.done]
            self.done += 1
            run_task(self.worker, project_id, task_id)

    @property
    def project(self) -> Project:
        return projects.get_project(self.services, "me", self.project_id)

    def ask(self, request: str) -> Modification:
        asked = runs.request_modification(self.services, "me", self.project_id, request)
        self.work()
        return projects.get_modification(self.services, "me", self.project_id, asked.id)

    def edit(self, path: str, body: bytes | None) -> None:
        edit_file(self.services, "me", self.project_id, FileEdit(path, body))
        self.work()

    def read(self, path: str) -> str:
        served = project_files.read_file(self.services, "me", self.project_id, path)
        assert served.content is not None
        return served.content.decode()

    def reason(self, request: str) -> str:
        """Why a modification is refused; the project stays as it was."""
        before = self.project.revision
        asked = self.ask(request)
        assert asked.status is ModificationStatus.FAILED
        assert asked.failure is not None
        assert asked.failure.code == "EDITED_BY_HAND"
        assert self.project.revision == before
        return asked.failure.message


@pytest.fixture
def shop(repo_root: Path) -> Shop:
    """A service that keeps bikes, in revision 1."""
    services = Services(MemoryStore(), MemoryFiles(), MemoryQueue())
    python = repo_root / ".venv-sandbox" / "bin" / "python"
    settings = Settings(sandbox_require="none")
    shop = Shop(services, Worker(services, settings, TemplateModel(), LocalSandbox(str(python))))
    told = "A shop keeps bikes. Each bike has a name and a price."
    new = runs.NewProject.model_validate({"name": "Shop", "type": "api", "description": told})
    shop.project_id = runs.create_project(services, "me", new).id
    shop.work()
    assert shop.project.revision == 1, shop.project.failure
    return shop


def test_after_a_rollback_changes_go_on_from_there(shop: Shop) -> None:
    assert shop.ask("Add a field colour to bikes").status is APPLIED
    roll_back(shop.services, "me", shop.project_id, Rollback(1))
    shop.work()

    assert shop.ask("Add a field weight to bikes").status is APPLIED

    assert shop.project.revision == 4
    assert "weight" in shop.read(MODEL)
    assert "colour" not in shop.read(MODEL)


def test_edits_are_kept_where_a_change_can_be_made_beside_them(shop: Shop) -> None:
    shop.edit("logo.png", LOGO)
    shop.edit("app/notes.py", b"x = (\n")  # broken, and nothing imports it
    shop.edit(MODEL, shop.read(MODEL).replace('"""', '"""Mine. ', 1).encode())

    asked = shop.ask("Add a field brand to bikes")

    assert asked.status is APPLIED, asked.failure
    assert shop.read(MODEL).startswith('"""Mine. ')
    assert "brand" in shop.read(MODEL)
    logo = project_files.read_file(shop.services, "me", shop.project_id, "logo.png")
    assert logo.content == LOGO


def test_a_change_that_edits_stand_in_the_way_of_is_refused_in_words(shop: Shop) -> None:
    ours = shop.read(MODEL)
    for theirs in (b"this is broken (", b"\xff\xfe\0"):
        shop.edit(MODEL, theirs)
        assert MODEL in shop.reason("Add a field depth to bikes")
    shop.edit(MODEL, ours.encode())
    shop.edit("tests/test_mine.py", b"def test_it():\n    assert False\n")
    assert "tests/test_mine.py" in shop.reason("Add a field depth to bikes")
    shop.edit("tests/test_mine.py", None)
    assert shop.ask("Add a field depth to bikes").status is APPLIED
