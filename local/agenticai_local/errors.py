"""What goes wrong when the system is started on one machine."""


class LocalError(Exception):
    """Something the user can put right: a message, and a hint that says how."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UncleanStop(LocalError):
    """The emulator was killed the last time; its table and its bucket may disagree."""
