"""Bodies about revisions and what differs between them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from agenticai_api.schemas.base import RequestBody, Text
from agenticai_core.configuration import as_whole
from agenticai_core.diffs import Comparison, FileDiff, Status
from agenticai_core.models import Revision, Scores, TestReport
from agenticai_core.revisions import MAX_NUMBER, modification_of
from agenticai_core.user_edits import MAX_REASON

Number = Annotated[int, Field(ge=1, le=MAX_NUMBER, strict=True), BeforeValidator(as_whole)]


class RevisionView(BaseModel):
    """A state of the code that was current once."""

    number: int = Field(description="1, 2, … without a gap.", examples=[2])
    kind: Literal["created", "modified", "rolled_back", "edited"]
    parent: int = Field(description="The one before; 0: none.")
    source: int | None = Field(description="Of a rollback: the revision whose files it has.")
    summary: str
    author: str = Field(
        description="The task that finished it, or the command of the user who made it.",
        examples=["run_01jd3v9k2m7q8r5s6t7u8v9w0x.04.package"],
    )
    modification_id: str | None = Field(description="The modification that made it, if one did.")
    scores: Scores = Field(description="null where it was not measured, as after an edit by hand.")
    created_at: str

    @classmethod
    def of(cls, revision: Revision) -> "RevisionView":
        return cls(**_told(revision))


class TestsView(BaseModel):
    """What a revision's own tests gave."""

    __test__ = False  # not a test class, whatever pytest thinks of its name

    model_config = ConfigDict(from_attributes=True)

    passed: int
    failed: int
    errors: int
    skipped: int
    coverage: float | None = Field(description="0 to 1.")
    seconds: float
    sandbox: Literal["strong", "basic", "none"] = Field(description="What kept the code in.")
    stopped: str | None = Field(description="Why the run was ended early, if it was.")
    missing_modules: list[str] = Field(description="Packages that were not there to test with.")


class RevisionDetail(RevisionView):
    """A revision with what its tests gave."""

    tests: TestsView | None = Field(description="null: it was made by hand and not tested.")


class RevisionAnswer(BaseModel):
    revision: RevisionDetail

    @classmethod
    def of(cls, revision: Revision, report: TestReport | None) -> "RevisionAnswer":
        tests = TestsView.model_validate(report) if report else None
        return cls(revision=RevisionDetail(**_told(revision), tests=tests))


class RevisionsAnswer(BaseModel):
    revisions: list[RevisionView] = Field(description="Newest first.")
    next_cursor: str | None = Field(description="Give it back as `cursor`; null at the end.")


class RollBack(RequestBody):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"revision": 1, "reason": "Wrong prices", "expected_revision": 2}]
        }
    )

    revision: Number = Field(description="Whose files, plan and scores are to be current again.")
    reason: Text | None = Field(None, max_length=MAX_REASON, description="Kept in its summary.")
    expected_revision: Number | None = Field(
        None, description="The current revision that you know; with another one nothing happens."
    )


class RolledBackAnswer(BaseModel):
    revision: RevisionView


class HunkView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    old_start: int = Field(description="From 1; 0: before the first line.")
    old_lines: int
    new_start: int
    new_lines: int
    lines: list[str] = Field(
        description="Each begins with a space, `-` or `+`; one that begins with a backslash says "
        "that the line before it has no line break.",
        examples=[["-print('hello')", "+print('goodbye')"]],
    )


class FileDiffView(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    path: str
    status: Status = Field(description="`binary` and `too_large` files differ, and have no hunks.")
    additions: int = Field(description="Lines.")
    deletions: int = Field(description="Lines.")
    hunks: list[HunkView]


class TotalsView(BaseModel):
    files: int
    additions: int
    deletions: int


class DiffAnswer(BaseModel):
    from_revision: int = Field(description="0: the empty tree.")
    to_revision: int
    files: list[FileDiffView] = Field(description="Those that differ, by path.")
    totals: TotalsView

    @classmethod
    def of(cls, comparison: Comparison) -> "DiffAnswer":
        return cls(
            from_revision=comparison.from_revision,
            to_revision=comparison.to_revision,
            files=[FileDiffView.model_validate(file) for file in comparison.files],
            totals=_totals(comparison.files),
        )


def _totals(files: tuple[FileDiff, ...]) -> TotalsView:
    return TotalsView(
        files=len(files),
        additions=sum(file.additions for file in files),
        deletions=sum(file.deletions for file in files),
    )


def _told(revision: Revision) -> dict[str, Any]:
    shared = {"number", "kind", "parent", "source", "summary", "scores", "created_at"}
    told = {name: getattr(revision, name) for name in shared}
    return told | {
        "author": revision.author_task,
        "modification_id": modification_of(revision),
    }
