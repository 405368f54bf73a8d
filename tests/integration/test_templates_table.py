"""Templates as large as they may be, in a real table."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from agenticai_core.bootstrap import Services, connect
from agenticai_core.errors import NotFound
from agenticai_core.idempotency import Once
from agenticai_core.settings import Settings
from agenticai_core.templates import builtin, library
from agenticai_core.templates.models import MAX_FILE, MAX_FILES, NewTemplate, TemplateFile

Files = tuple[TemplateFile, ...]


@pytest.fixture
def services(emulator_settings: Settings) -> Services:
    return connect(emulator_settings)


def new(*files: TemplateFile) -> NewTemplate:
    return NewTemplate(
        name="Large",
        description="As large as it may be.",
        category="other",
        type="api",
        files=files,
    )


def many(size: int, mark: str = "a") -> Files:
    return tuple(
        TemplateFile(path=f"{mark}/{number:02d}.txt", content=mark * size)
        for number in range(MAX_FILES)
    )


def test_the_most_files_and_bytes_come_back_as_they_were(services: Services) -> None:
    files = many(22_000)  # together more than one page of a query
    once = Once(owner_id="me", route="POST /", key="k", fingerprint="f")
    template = library.create_template(services, "me", new(*files), once)

    assert library.read_template(services, "me", template.id) == (template, files)
    assert library.create_template(services, "me", new(*files), once) == template
    changed = library.replace_template(services, "me", template.id, new(*many(22_001)))
    assert library.read_template(services, "me", template.id) == (changed, many(22_001))
    library.delete_template(services, "me", template.id)
    assert library.read_files(services.store, template.id) == ()
    with pytest.raises(NotFound):
        library.get_template(services, "me", template.id)


def test_the_largest_file_fits_into_its_row(services: Services) -> None:
    file = TemplateFile(path="p" * 120, content="ü" * (MAX_FILE // 2))
    template = library.create_template(services, "me", new(file))

    assert library.read_template(services, "me", template.id)[1] == (file,)


def test_many_processes_seed_at_once(services: Services) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: builtin.seed(services), range(4)))

    assert not builtin.seed(services)
    listed = library.list_templates(services, "anyone").items
    assert {one.id for one in listed} == {one.id for one in builtin.load_builtins()}
    assert {one.version for one in listed} == {1}
