"""Use cases: create, read, list, replace and delete templates.

Another owner's template is not found, whatever is asked of it. A template's rows are written in
one transaction, on the condition that it is still at the version that was read.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agenticai_core import holdings, pages
from agenticai_core.bootstrap import Services
from agenticai_core.clock import now, stamp
from agenticai_core.content import sha256
from agenticai_core.errors import AgenticError, NotFound, PreconditionFailed, ValidationFailed
from agenticai_core.idempotency import Once, perform_once
from agenticai_core.ids import new_id
from agenticai_core.projects import Listing
from agenticai_core.retrying import retry_conflicts
from agenticai_core.rows import parse
from agenticai_core.store import keys
from agenticai_core.store.base import (
    Delete,
    Item,
    Put,
    Store,
    StoreConflict,
    Write,
    absent,
    equals,
)
from agenticai_core.templates.checking import check_files, names_in
from agenticai_core.templates.models import (
    BUILTIN_OWNER,
    Category,
    NewTemplate,
    Template,
    TemplateFile,
)

MAX_LOOKED_AT = 1000  # rows, by one request for a list
_ROWS_A_LOOK = 100
_MAX_ROW = 300_000  # bytes as JSON; a row of the table holds 400 KB
_MAX_WRITES = 98  # of files in one transaction, beside the template and the answer


class BuiltInTemplate(AgenticError):
    """Built-in templates belong to everybody: they cannot be changed."""

    code, status = "BUILT_IN_TEMPLATE", 409


def create_template(
    services: Services, owner_id: str, new: NewTemplate, once: Once | None = None
) -> Template:
    """Raises `InvalidTemplate` with everything that is wrong with its files, and `LimitReached`."""
    check_files(new.files, (variable.name for variable in new.variables))
    at = stamp(now())
    template = assemble(new, id=new_id("tmpl"), owner_id=owner_id, created_at=at, updated_at=at)

    def attempt() -> Template:
        one_more = holdings.count_in(
            services.store, owner_id, "templates", services.allowance.templates
        )
        answered = once.writes(template) if once else []
        row = Put(template_item(template), absent())
        services.store.write(row, one_more, *file_writes(template, new.files), *answered)
        return template

    return perform_once(services.store, once, Template, attempt)


def get_template(services: Services, owner_id: str, template_id: str) -> Template:
    """One's own or a built-in one; raises `NotFound` for every other."""
    item = services.store.get(keys.template(template_id))
    if item is None or item["owner_id"] not in (owner_id, BUILTIN_OWNER):
        raise NotFound(f"No template '{template_id}'", hint="GET /api/templates lists them")
    return parse(Template, item)


def read_template(
    services: Services, owner_id: str, template_id: str
) -> tuple[Template, tuple[TemplateFile, ...]]:
    """A template and its files, of one and the same version."""

    def look() -> tuple[Template, tuple[TemplateFile, ...]]:
        template = get_template(services, owner_id, template_id)
        files = read_files(services.store, template_id)
        if {file.path: file_hash(file) for file in files} != template.files:
            raise StoreConflict(f"template {template_id} changed while it was read")
        return template, files

    return retry_conflicts(look)


def read_files(store: Store, template_id: str) -> tuple[TemplateFile, ...]:
    """By path."""
    found: list[TemplateFile] = []
    start = None
    while True:
        page = store.query(keys.template_pk(template_id), prefix="FILE#", start=start)
        found += [parse(TemplateFile, item) for item in page.items]
        if page.next is None:
            return tuple(sorted(found, key=lambda file: file.path))
        start = page.next


def list_templates(
    services: Services,
    owner_id: str,
    *,
    category: Category | None = None,
    tag: str | None = None,
    limit: int = 20,
    cursor: str | None = None,
) -> Listing[Template]:
    """One's own, newest first, then the built-in ones.

    One call looks at 1,000 rows at most: where few of them are wanted, a page may be short or
    even empty and still have a cursor.
    """
    scope = f"templates/{owner_id}/{category}/{tag}"
    start = pages.decode(services, cursor, scope)
    found: list[Template] = []
    last: Mapping[str, str] | None = None
    for looked, item in enumerate(_walk(services.store, owner_id, start)):
        template = parse(Template, item)
        wanted = _wanted(template, category, tag)
        # One more than fits: there is a next page, and it begins after the last row looked at.
        if looked == MAX_LOOKED_AT or (wanted and len(found) == limit):
            return Listing(found, pages.encode(services, last, scope))
        if wanted:
            found.append(template)
        last = {name: item[name] for name in ("PK", "SK", "GSI1PK", "GSI1SK")}
    return Listing(found, None)


def list_own(store: Store, owner_id: str) -> list[Template]:
    """All templates of one owner, newest first."""
    return [parse(Template, item) for item in _walk_owner(store, owner_id, None)]


def _walk(store: Store, owner_id: str, start: Mapping[str, str] | None) -> Iterator[Item]:
    """Rows of the owner's templates and of the built-in ones, those after ``start``."""
    if start is None or start["GSI1PK"] != keys.owner_pk(BUILTIN_OWNER):
        yield from _walk_owner(store, owner_id, start)
        start = None
    yield from _walk_owner(store, BUILTIN_OWNER, start)


def _walk_owner(store: Store, owner_id: str, start: Mapping[str, str] | None) -> Iterator[Item]:
    while True:
        page = store.query(
            keys.owner_pk(owner_id),
            index="GSI1",
            prefix="TEMPLATE#",
            limit=_ROWS_A_LOOK,
            newest_first=True,
            start=start,
        )
        yield from page.items
        start = page.next
        if start is None:
            return


def replace_template(
    services: Services,
    owner_id: str,
    template_id: str,
    new: NewTemplate,
    if_match: int | None = None,
) -> Template:
    """Replace all that the template says and holds; projects made from it stay as they are.

    ``if_match``: the version that the caller knows. Raises `NotFound`, `BuiltInTemplate`,
    `PreconditionFailed`, `InvalidTemplate`.
    """

    def attempt() -> Template:
        template = _own(services, owner_id, template_id)
        if if_match is not None and if_match != template.version:
            raise PreconditionFailed(
                "The template was changed since you read it",
                hint="Read it again and apply your change to that",
                details={"current": template.version},
            )
        check_files(new.files, (variable.name for variable in new.variables))
        return write_version(services.store, template, new)

    return retry_conflicts(attempt)


def write_version(
    store: Store, template: Template, new: NewTemplate, plan: str | None = None
) -> Template:
    """Write ``new`` over ``template`` as its next version, on condition that it is the last."""
    replaced = assemble(
        new,
        id=template.id,
        owner_id=template.owner_id,
        created_at=template.created_at,
        updated_at=stamp(now()),
        version=template.version + 1,
        plan=plan,
    )
    changed = [file for file in new.files if template.files.get(file.path) != file_hash(file)]
    gone = [path for path in template.files if path not in replaced.files]
    if len(changed) + len(gone) > _MAX_WRITES:
        raise ValidationFailed(
            f"'files' changes and removes more than {_MAX_WRITES} files at once",
            hint="Remove the old files first and add the new ones then, or make a new template",
            details={"field": "files"},
        )
    store.write(
        Put(template_item(replaced), equals("version", template.version)),
        *file_writes(replaced, changed),
        *(Delete(keys.template_file(template.id, path)) for path in gone),
    )
    return replaced


def delete_template(services: Services, owner_id: str, template_id: str) -> Template:
    """Projects made from it stay as they are. Raises `NotFound`, `BuiltInTemplate`."""

    def attempt() -> Template:
        template = _own(services, owner_id, template_id)
        remove(services.store, template, holdings.count_out(owner_id, "templates"))
        return template

    return retry_conflicts(attempt)


def remove(store: Store, template: Template, *others: Write) -> None:
    """Its rows, and ``others``, in one transaction."""
    rows = [Delete(keys.template_file(template.id, path)) for path in template.files]
    seen = equals("version", template.version)
    store.write(Delete(keys.template(template.id), seen), *rows, *others)


def assemble(new: NewTemplate, **fields: Any) -> Template:
    """The template that ``new`` describes; ``fields`` are what it does not say."""
    hashes = {file.path: file_hash(file) for file in new.files}
    told = {name: getattr(new, name) for name in NewTemplate.model_fields if name != "files"}
    template = Template(files=hashes, **told, **fields)
    if len(template.model_dump_json().encode()) > _MAX_ROW:
        raise ValidationFailed(
            f"What the template says beside its files is larger than {_MAX_ROW} bytes",
            hint="Shorten descriptions, defaults and choices of its variables",
            details={"field": "variables"},
        )
    return template


def template_item(template: Template) -> Item:
    return {
        "PK": keys.template_pk(template.id),
        "SK": "METADATA",
        **keys.templates_of(template.owner_id, template.created_at, template.id),
        "EntityType": "Template",
        "required_vars": list(template.required_vars),
        "optional_vars": list(template.optional_vars),
        **template.model_dump(mode="json"),
    }


def file_writes(template: Template, files: Iterable[TemplateFile]) -> list[Write]:
    return [Put(_file_item(template.id, file)) for file in files]


def file_hash(file: TemplateFile) -> str:
    return sha256(file.model_dump_json().encode())


def _file_item(template_id: str, file: TemplateFile) -> Item:
    key = keys.template_file(template_id, file.path)
    row = {"PK": key.pk, "SK": key.sk, "EntityType": "TemplateFile"}
    return row | {"variables": list(names_in(file))} | file.model_dump(mode="json")


def _own(services: Services, owner_id: str, template_id: str) -> Template:
    template = get_template(services, owner_id, template_id)
    if template.builtin:
        raise BuiltInTemplate(
            f"'{template_id}' is built in and cannot be changed",
            hint="Read it and create a template of your own from what it holds",
        )
    return template


def _wanted(template: Template, category: Category | None, tag: str | None) -> bool:
    return category in (None, template.category) and (tag is None or tag in template.tags)
