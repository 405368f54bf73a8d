"""Which of the forms that a route can answer in the client likes best."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request


class Preference:
    """What ``Accept`` says: media ranges with their qualities, 0 to 1."""

    def __init__(self, accept: str) -> None:
        self._ranges = [_parse(part) for part in accept.split(",") if part.strip()]

    def choose(self, offers: Sequence[str]) -> str:
        """The offer of the highest quality; the first of equals, and the first where the client
        accepts none: a body in another form is of more use than an error in yet another."""
        return max(offers, key=self._quality_of)  # the first of the greatest

    def _quality_of(self, offer: str) -> float:
        """By the most specific range that covers it."""
        kind = offer.split("/", 1)[0]
        for covering in (offer, f"{kind}/*", "*/*"):
            for media_range, quality in self._ranges:
                if media_range == covering:
                    return quality
        return 0.0


def _parse(part: str) -> tuple[str, float]:
    media_range, *parameters = (piece.strip().lower() for piece in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return media_range, min(1.0, max(0.0, float(parameter[2:])))
            except ValueError:
                return media_range, 0.0
    return media_range, 1.0


async def _read_accept(request: Request) -> Preference:
    return Preference(",".join(request.headers.getlist("accept")))


PreferenceDep = Annotated[Preference, Depends(_read_accept)]
