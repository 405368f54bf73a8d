"""Frozen models of what the table and the API hold. State changes only in the store."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProjectType(StrEnum):
    API = "api"
    WEB = "web"
    MOBILE = "mobile"
    DATA = "data"
    MICROSERVICE = "microservice"


class ProjectStatus(StrEnum):
    QUEUED = "queued"
    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    GENERATING = "generating"
    TESTING = "testing"
    PACKAGING = "packaging"
    ACTIVE = "active"
    PAUSED = "paused"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DELETING = "deleting"


class ModificationStatus(StrEnum):
    PENDING = "pending"
    ANALYZING = "analyzing"
    AWAITING_APPROVAL = "awaiting_approval"
    APPLYING = "applying"
    TESTING = "testing"
    APPLIED = "applied"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Agent(StrEnum):
    PM = "pm"
    DEV = "dev"
    QA = "qa"
    OPS = "ops"


class Action(StrEnum):
    """What a task does; `workflow.AGENT_OF` says which agent does it."""

    PLAN = "plan"
    ANALYZE = "analyze"
    GENERATE = "generate"
    RENDER = "render"
    APPLY = "apply"
    REPAIR = "repair"
    TEST = "test"
    PACKAGE = "package"
    MIRROR = "mirror"
    DELETE = "delete"


class Failure(Model):
    """Why something ended badly, in words that the user sees."""

    code: str
    message: str
    hint: str | None = None


class Usage(Model):
    """Tokens that a model counted (or, for the built-in engine, none), and what they cost."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int = 0  # millionths of a US dollar

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost_microusd=self.cost_microusd + other.cost_microusd,
        )

    def __sub__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens - other.input_tokens,
            output_tokens=self.output_tokens - other.output_tokens,
            cost_microusd=self.cost_microusd - other.cost_microusd,
        )


class Scores(Model):
    """Each 0 to 1; None where it could not be measured."""

    test_coverage: float | None = None
    security_score: float | None = None
    performance_score: float | None = None


class DeploymentConfig(Model):
    """Where the user means to run the project; Ops prepares for that."""

    platform: Literal["docker", "aws"] = "docker"
    region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$")


class Project(Model):
    id: str
    owner_id: str
    name: str
    type: ProjectType
    description: str
    tags: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()  # packages that the code is to use
    environment: tuple[str, ...] = ()  # names; the values are a secret of this version
    environment_version: int = 0  # 0: there are none
    deployment_config: DeploymentConfig = DeploymentConfig()
    approval: Literal["auto", "required"] = "auto"
    status: ProjectStatus = ProjectStatus.QUEUED
    failure: Failure | None = None
    failed_task: str | None = None  # where a retry may begin
    revision: int = 0  # the pointer; 0 means that nothing has been promoted yet
    active_run: str | None = None  # run_…: creation, mod_…: a modification, del_…: deletion
    active_task: str | None = None  # the task that this run waits for; None while it asks the user
    run_inputs: dict[str, str] = Field(default_factory=dict)  # what the run has produced so far
    messages: tuple[str, ...] = ()  # what the user has said into the run under way, oldest first
    messages_settled: int = 0  # how many of these have been used, or told as not used
    waiting: tuple[str, ...] = ()  # modifications that wait for the run to end, oldest first
    version: int = 1  # of every write, for optimistic locking
    config_version: int = 1  # of what the user edits, for the ETag
    token_budget: int | None = None  # None: unlimited
    tokens_reserved: int = 0
    cost_budget_microusd: int | None = None  # None: unlimited
    cost_reserved_microusd: int = 0
    usage: Usage = Usage()
    scores: Scores = Scores()
    model: str = ""  # the model that planned it, e.g. "template" or "gemini:gemini-2.5-flash"
    plan_key: str | None = None  # where the current revision's plan lies in the bucket
    template_id: str | None = None  # of the template that it was made from
    template_key: str | None = None  # where that lies as it was then, with its values
    created_at: str
    updated_at: str


class Impact(Model):
    """What a modification would change, told before anything is changed."""

    understood: bool
    reason: str = ""  # if not understood: why, and what would be
    summary: str = ""
    risk_level: Literal["low", "medium", "high"] = "low"
    affected_files: tuple[str, ...] = ()  # existing files that will change or go
    new_files: tuple[str, ...] = ()
    estimated_time: str = ""
    steps: tuple[str, ...] = ()


class Modification(Model):
    id: str
    project_id: str
    request: str
    requested_by: str
    requested_at: str
    status: ModificationStatus = ModificationStatus.PENDING
    failure: Failure | None = None
    impact_analysis: Impact | None = None
    applied_at: str | None = None
    revision: int | None = None  # the revision that holds it, once applied
    modified_files: tuple[str, ...] = ()
    test_results: dict[str, Any] = Field(default_factory=dict)


class Task(Model):
    """One piece of work for one agent.

    ``inputs`` and ``checkpoint`` hold names -> S3 keys or short values, never contents.
    """

    id: str
    project_id: str
    run: str  # what it works for, as in Project.active_run; rev_… for a mirror
    step: int = 1  # 1, 2, … within the run
    agent: Agent
    action: Action
    status: TaskStatus = TaskStatus.QUEUED
    round: int = 0  # how many repairs came before it in this run
    inputs: dict[str, str] = Field(default_factory=dict)
    checkpoint: dict[str, str] = Field(default_factory=dict)
    fence: int = 0
    lease_until: str | None = None
    attempt: int = 1
    retries: int = 0  # transient failures since the last new checkpoint
    stalls: int = 0  # times it was put back for lack of time without a new checkpoint
    sends: int = 0  # times the sweeper sent it again; doubles the delay
    due_at: str | None = None
    reservation: int = 0  # tokens reserved by the call under way
    reservation_microusd: int = 0  # and what they may cost
    failure: Failure | None = None
    request_id: str | None = None  # of the request that it goes back to, over all its run
    trace_parent: str | None = None  # the span that made it, as W3C's header traceparent
    created_at: str
    updated_at: str


class FileEntry(Model):
    sha256: str
    size: int  # bytes


class Manifest(Model):
    """A whole tree of files: path -> content's hash and size. Immutable, addressed by its key."""

    files: dict[str, FileEntry]


class Revision(Model):
    """A state of the code that was current once. A user's own edit or rollback has no report."""

    project_id: str
    number: int
    parent: int
    kind: Literal["created", "modified", "rolled_back", "edited"] = "modified"
    source: int | None = None  # of a rollback: the revision whose files it has
    manifest_key: str
    plan_key: str | None = None
    author_task: str  # or the command, when a user made it
    summary: str
    report_key: str | None = None
    scores: Scores = Scores()
    created_at: str


class Event(Model):
    """One line of a project's log; ``seq`` runs 1..n without a gap."""

    project_id: str
    seq: int
    id: str  # deterministic: <task or command>/<step>/<n>
    type: str
    at: str
    data: dict[str, Any] = Field(default_factory=dict)
    request_id: str | None = None  # of the request that it goes back to


class EventDraft(Model):
    """An event before the log gives it a sequence number."""

    id: str
    type: str
    data: dict[str, Any] = Field(default_factory=dict)


class ApiKey(Model):
    """A stored key: only its hash is kept, never the key."""

    hash: str
    id: str
    owner_id: str
    name: str
    scopes: tuple[Literal["read", "write", "admin"], ...] = ("read", "write")
    created_at: str
    expires_at: str | None = None  # set when another key takes its place
    revoked_at: str | None = None


class TestFailure(Model):
    __test__ = False  # not a test class, whatever pytest thinks of its name

    test: str  # node id
    message: str


class TestReport(Model):
    """What a run of a project's own tests gave. ``coverage`` 0..1, times in seconds."""

    __test__ = False

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    failures: tuple[TestFailure, ...] = ()
    coverage: float | None = None
    missing_lines: dict[str, int] = Field(default_factory=dict)  # path -> lines never run
    slowest: dict[str, float] = Field(default_factory=dict)  # test -> seconds, the ten slowest
    unverifiable: str | None = None  # why there is nothing here that could be run
    missing_modules: tuple[str, ...] = ()  # outside the curated set: unverifiable, not failed
    stopped: str | None = None  # "timeout", "memory", "disk", "output": why it was killed
    output: str = ""  # the end of what the run printed
    seconds: float = 0.0
    sandbox: str = "none"  # "strong", "basic" or "none"

    @property
    def ok(self) -> bool:
        return (
            self.unverifiable is None
            and self.stopped is None
            and self.passed > 0
            and self.failed == self.errors == 0
            and not self.missing_modules
        )


class Outcome(Model):
    """How a task ended, as its agent tells it; `workflow` decides what follows.

    ``outputs`` (names -> S3 keys or short values) become inputs of the next task. The names in
    use: ``plan``, ``old_plan``, ``manifest`` (the candidate tree), ``report`` (a TestReport),
    ``impact``, ``feedback``.
    """

    failure: Failure | None = None  # set: the task failed for good
    tests_passed: bool | None = None  # for the action "test" only
    tests_unverifiable: bool = False  # there are none that the sandbox could run
    outputs: dict[str, str] = Field(default_factory=dict)
    impact: Impact | None = None
    scores: Scores | None = None
    test_results: dict[str, Any] = Field(default_factory=dict)
    modified_files: tuple[str, ...] = ()
    summary: str = ""
    messages_shown: int = 0  # how many of the run's messages a model was shown
    messages_used: int = 0  # and how many of these it can have taken into account
    timings: dict[str, float] = Field(default_factory=dict)  # s: whole, model's and sandbox's share
