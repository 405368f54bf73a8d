"""What clients are told when something does not work, as `Problem`s and `Goodbye`s."""

from agenticai_core.errors import AgenticError
from agenticai_websocket.protocol import CloseCode, Goodbye, Problem


def describe(error: AgenticError, project_id: str | None = None) -> Problem:
    return Problem(error.code, error.message, error.hint, project_id)


def unavailable(project_id: str | None = None) -> Problem:
    return Problem("UNAVAILABLE", "The store does not answer.", "Try again later.", project_id)


def deleted(project_id: str) -> Problem:
    return Problem("PROJECT_DELETED", "This project has been deleted.", project_id=project_id)


def too_many(limit: int, project_id: str) -> Problem:
    message = f"A socket follows at most {limit} projects."
    return Problem("TOO_MANY_SUBSCRIPTIONS", message, "Open another socket.", project_id)


def too_many_sockets(limit: int) -> Goodbye:
    message = f"{limit} sockets of this API key are open already."
    hint = "Follow several projects over one socket, or close some."
    return Goodbye(CloseCode.RATE_LIMITED, Problem("TOO_MANY_SOCKETS", message, hint))


def no_client_id(project_id: str) -> Problem:
    hint = "Connect with ?client_id=… to have events acknowledged."
    return Problem("NO_CLIENT_ID", "This socket has no acknowledgements.", hint, project_id)


def not_subscribed(project_id: str) -> Problem:
    hint = "Send a subscribe frame for it first."
    return Problem("NOT_SUBSCRIBED", "This socket does not follow the project.", hint, project_id)


def not_sent(seq: int, project_id: str) -> Problem:
    hint = "Acknowledge only what was received."
    return Problem("INVALID_ACK", f"Event {seq} has not been sent.", hint, project_id)


def not_acknowledged(seq: int, project_id: str) -> Goodbye:
    message = f"Event {seq} was sent several times and not acknowledged."
    hint = "Connect again with the same client_id to get it once more."
    problem = Problem("NOT_ACKNOWLEDGED", message, hint, project_id)
    return Goodbye(CloseCode.TOO_SLOW, problem)


def too_slow() -> Goodbye:
    hint = "Connect again with after=<the last sequence number you have>."
    problem = Problem("TOO_SLOW", "Frames were not read in time.", hint)
    return Goodbye(CloseCode.TOO_SLOW, problem)


def rate_limited(rate: float) -> Goodbye:
    problem = Problem("RATE_LIMITED", f"More than {rate:g} messages a second.", "Send fewer.")
    return Goodbye(CloseCode.RATE_LIMITED, problem)


def idle(seconds: float) -> Goodbye:
    problem = Problem("IDLE", f"Nothing heard for {seconds:g} s.", "Answer the pings.")
    return Goodbye(CloseCode.IDLE, problem)


def refused(problem: Problem) -> Goodbye:
    """The end of a socket whose query string names a project that it cannot follow."""
    later = problem.code == "UNAVAILABLE"
    return Goodbye(CloseCode.TRY_AGAIN_LATER if later else CloseCode.FORBIDDEN, problem)
