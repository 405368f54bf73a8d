"""A project's documentation as Markdown: from its plan, its code, and its README."""

from collections.abc import Iterable, Iterator

from agenticai_core.bootstrap import Services
from agenticai_core.markdown import bullets, code, inline, paragraphs, table
from agenticai_core.models import Project
from agenticai_core.outlines import Outline, read_outline
from agenticai_core.plans import Entity, EntityField, Plan
from agenticai_core.projects import get_project
from agenticai_core.revisions import Tree, find_tree
from agenticai_core.store import keys

MAX_MODULES = 100  # that are read
# Some code takes Python's parser long, and nothing else happens meanwhile in this process.
MAX_MODULE = 64 * 1024  # bytes; a larger one is not read
MAX_CODE = 512 * 1024  # bytes of all that are read
MAX_README = 64 * 1024  # bytes that are shown


def write_documents(
    services: Services, owner_id: str, project_id: str, number: int | None = None
) -> str:
    """Markdown about a revision, or the current one; before the first, about what is planned."""
    project = get_project(services, owner_id, project_id)
    tree = find_tree(services, project, number)
    plan = _read_plan(services, project, tree)
    parts = [f"# {inline(project.name)}", paragraphs(project.description)]
    if tree is not None:
        parts.append(f"*Revision {tree.revision.number}, {tree.revision.created_at}*")
    if plan is not None:
        parts += _plan_parts(plan)
    if tree is not None:
        parts += _code_parts(_read_outlines(services, project_id, tree), tree)
        parts += _readme_parts(services, project_id, tree)
    return "\n\n".join(part for part in parts if part) + "\n"


def _read_plan(services: Services, project: Project, tree: Tree | None) -> Plan | None:
    key = tree.revision.plan_key if tree else project.run_inputs.get("plan")
    return Plan.model_validate_json(services.files.get(key)) if key else None


# ---- the plan -----------------------------------------------------------------------------------


def _plan_parts(plan: Plan) -> list[str]:
    parts = ["## What it does", paragraphs(plan.summary)]
    parts += _section("Built with", map(inline, plan.stack))
    parts += _section("Features", (inline(name.replace("_", " ")) for name in plan.features))
    if plan.entities:
        parts.append("## Data")
    for entity in plan.entities:
        parts += _entity_parts(entity)
    parts += _section(
        "Links",
        (f"{inline(a.left)} and {inline(a.right)}{_told(a.description)}" for a in plan.links),
    )
    parts += _section(
        "Reports", (f"{code(report.name)}{_told(report.description)}" for report in plan.reports)
    )
    parts += _section("Assumptions", map(inline, plan.assumptions))
    parts += _section("Not covered", map(inline, plan.not_covered))
    return parts


def _section(title: str, items: Iterable[str]) -> list[str]:
    listed = bullets(items)
    return [f"## {title}", listed] if listed else []


def _told(description: str) -> str:
    return f": {inline(description)}" if description else ""


def _entity_parts(entity: Entity) -> list[str]:
    rows = [
        (code(f.name), inline(f.type), "yes" if f.required else "no", "; ".join(_notes(f)))
        for f in entity.fields
    ]
    rules = [inline(rule.description) for rule in entity.rules]
    moves = [
        f"{code(move.verb)}: {inline(', '.join(move.sources))} → {inline(move.target)}"
        for move in entity.transitions
    ]
    return [
        f"### {inline(entity.name)}",
        paragraphs(entity.description),
        table(("Field", "Type", "Required", "Notes"), rows),
        bullets([*rules, *moves]),
    ]


def _notes(field: EntityField) -> Iterator[str]:
    if field.unique:
        yield "unique"
    if field.choices:
        yield f"one of {', '.join(map(inline, field.choices))}"
    if field.references:
        yield f"refers to {inline(field.references)}"
    if field.default is not None:
        yield f"default {inline(field.default)}"
    for word, bound in (("from", field.minimum), ("up to", field.maximum)):
        if bound is not None:
            yield f"{word} {bound:g}"
    if field.max_length is not None:
        yield f"at most {field.max_length} characters"
    if field.unit:
        yield f"in {inline(field.unit)}"
    if field.description:
        yield inline(field.description)


# ---- the code -----------------------------------------------------------------------------------


def _code_parts(outlines: dict[str, Outline], tree: Tree) -> list[str]:
    routes = [
        (route.method, code(route.path), inline(route.summary), code(path))
        for path, outline in outlines.items()
        for route in outline.routes
    ]
    modules = [
        (code(path), inline(outline.summary), ", ".join(map(code, _names(outline))))
        for path, outline in outlines.items()
        if outline.summary or _names(outline)
    ]
    files = [(code(path), f"{entry.size:,}") for path, entry in sorted(tree.files.items())]
    parts: list[str] = []
    for title, listed in (
        ("API", table(("Method", "Path", "What it does", "In"), routes)),
        ("Modules", table(("Module", "What it is", "Offers"), modules)),
        ("Files", table(("File", "Bytes"), files)),
    ):
        parts += [f"## {title}", listed] if listed else []
    return parts


def _names(outline: Outline) -> tuple[str, ...]:
    return (*outline.classes, *outline.functions)


def _read_outlines(services: Services, project_id: str, tree: Tree) -> dict[str, Outline]:
    """Of the modules that are not tests, by path: of the first ones, where there is much code."""
    paths = [
        path
        for path, entry in sorted(tree.files.items())
        if path.endswith(".py") and not _is_test(path) and entry.size <= MAX_MODULE
    ]
    found = {}
    left = MAX_CODE
    for path in paths[:MAX_MODULES]:
        left -= tree.files[path].size
        if left < 0:
            break
        outline = read_outline(_read(services, project_id, tree, path))
        if outline is not None:
            found[path] = outline
    return found


def _is_test(path: str) -> bool:
    *folders, name = path.split("/")
    return "tests" in folders or name.startswith("test_") or name == "conftest.py"


def _readme_parts(services: Services, project_id: str, tree: Tree) -> list[str]:
    """As it is: it is Markdown, and a page of it runs nothing."""
    if "README.md" not in tree.files:
        return []
    text = _read(services, project_id, tree, "README.md")[:MAX_README].decode(errors="replace")
    cut = "\n\n…" if tree.files["README.md"].size > MAX_README else ""
    return ["---", text.strip() + cut]


def _read(services: Services, project_id: str, tree: Tree, path: str) -> bytes:
    return services.files.get(keys.object_key(project_id, tree.files[path].sha256))
