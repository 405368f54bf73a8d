"""What can go wrong for an operator, each with a stable code and a hint."""

from agenticai_core.errors import AgenticError


class NotConfigured(AgenticError):
    """Nobody said which environment is meant."""

    code, status = "NOT_CONFIGURED", 503


class BadManifest(AgenticError):
    """A service's manifest holds something that no estimate can be made from."""

    code, status = "BAD_MANIFEST", 422


class NoSuchMessage(AgenticError):
    """No dead letter has this id, or somebody else is looking at it."""

    code, status = "NO_SUCH_MESSAGE", 404


class BadBackup(AgenticError):
    """The backup is incomplete, changed, or of a format that this version does not know."""

    code, status = "BAD_BACKUP", 422


class BadOwner(AgenticError):
    """The name of an owner holds what its rows' keys could not."""

    code, status = "BAD_OWNER", 422


class TargetInUse(AgenticError):
    """What would be written to holds something already."""

    code, status = "TARGET_IN_USE", 409
