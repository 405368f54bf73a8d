"""The projects that one socket follows: starting, catching up, sending again."""

import asyncio

import structlog

from agenticai_core import auth, projects, tracing
from agenticai_core.errors import AgenticError, NotAllowed, NotAuthenticated
from agenticai_core.watch import Pace
from agenticai_websocket import problems, protocol
from agenticai_websocket.acks import Acknowledgements
from agenticai_websocket.context import Context
from agenticai_websocket.flow import Outbox
from agenticai_websocket.protocol import Ack, CloseCode, Goodbye, Problem, Subscribe
from agenticai_websocket.subscription import Subscription

log = structlog.get_logger(__name__)

MAX_SUBSCRIPTIONS = 100


class Subscriptions:
    """``caller`` is whose they are; ``acks`` is None without a client id."""

    def __init__(
        self,
        context: Context,
        outbox: Outbox,
        caller: auth.Caller,
        acks: Acknowledgements | None,
    ) -> None:
        self._context = context
        self._outbox = outbox
        self._caller = caller
        self._acks = acks
        self._by_project: dict[str, Subscription] = {}
        self._behind = asyncio.Event()

    def leave(self) -> None:
        for subscription in self._by_project.values():
            subscription.leave()

    # ---- starting -------------------------------------------------------------------------------

    async def start(self, frame: Subscribe) -> Problem | None:
        """Follow a project, in place of an earlier subscription to it; or say why not.

        Raises `Goodbye` when the key has been revoked in the meantime.
        """
        project_id = frame.project_id
        if project_id not in self._by_project and len(self._by_project) >= MAX_SUBSCRIPTIONS:
            return problems.too_many(MAX_SUBSCRIPTIONS, project_id)
        try:
            with tracing.socket_span("subscribe", project_id):
                await asyncio.to_thread(self._authorise, project_id)
                after = await self._position(frame)
                head = await self._context.hub.head(project_id)
        except NotAuthenticated as error:
            raise Goodbye(CloseCode.NOT_AUTHENTICATED, problems.describe(error)) from None
        except AgenticError as error:
            return problems.describe(error, project_id)
        except Exception as error:
            log.warning("subscriptions.start_failed", error=str(error), project_id=project_id)
            return problems.unavailable(project_id)
        if head is None:
            return problems.deleted(project_id)
        # A closed log is followed as well: its last events are read before the poller ends it.
        self._follow(project_id, after, head.seq)
        return None

    def _authorise(self, project_id: str) -> None:
        services = self._context.services
        caller = auth.recheck(services, self._caller)
        if caller.project_id not in (None, project_id):
            hint = "Get a ticket for it, or one for all projects: POST /api/ws-tickets"
            raise NotAllowed("Your ticket is for another project", hint=hint)
        projects.get_project(services, caller.owner_id, project_id)

    async def _position(self, frame: Subscribe) -> int | None:
        if frame.after is not None or self._acks is None:
            return frame.after
        return await self._acks.load(frame.project_id)

    def _follow(self, project_id: str, after: int | None, head_seq: int) -> None:
        # A position beyond the head is from another log; saying so is better than waiting there.
        recovered = after is not None and after <= head_seq
        start = after if after is not None and recovered else head_seq
        if self._acks:
            self._acks.moved(project_id, start)
        if earlier := self._by_project.pop(project_id, None):
            earlier.leave()
        self._outbox.push(
            protocol.subscribed_frame(
                project_id, after=start, head_seq=head_seq, recovered=recovered
            )
        )
        self._by_project[project_id] = Subscription(
            self._context.hub,
            self._outbox,
            project_id,
            after=start,
            head_seq=head_seq,
            on_behind=self._behind.set,
        )

    # ---- catching up ----------------------------------------------------------------------------

    async def catch_up(self) -> None:
        """Read the log for those that are behind, a page each in turn, until cancelled."""
        settings = self._context.settings
        pace = Pace(settings.poll_min_seconds, settings.poll_max_seconds, growth=2)
        while True:
            await self._behind.wait()
            self._behind.clear()
            while waiting := [s for s in self._by_project.values() if not s.live]:
                moved = [await self._read_page(subscription) for subscription in waiting]
                if any(moved):
                    pace.reset()
                else:
                    await asyncio.sleep(pace.seconds)
                    pace.slow_down()

    async def _read_page(self, subscription: Subscription) -> bool:
        try:
            moved = await subscription.catch_up(self._room)
        except Goodbye:
            raise
        except Exception as error:
            log.warning("subscriptions.read_failed", error=str(error))
            return False
        if subscription.over and self._by_project.get(subscription.project_id) is subscription:
            del self._by_project[subscription.project_id]
            subscription.leave()
            self._outbox.push(protocol.error_frame(problems.deleted(subscription.project_id)))
        return moved

    async def _room(self) -> None:
        try:
            async with asyncio.timeout(self._context.options.slow_seconds):
                await self._outbox.room()
        except TimeoutError:
            raise problems.too_slow() from None

    # ---- acknowledgements -----------------------------------------------------------------------

    def acknowledge(self, ack: Ack) -> Problem | bool:
        """True when the cursor moved, False when it was there already; or what is wrong."""
        subscription = self._by_project.get(ack.project_id)
        if self._acks is None:
            return problems.no_client_id(ack.project_id)
        if subscription is None:
            return problems.not_subscribed(ack.project_id)
        if ack.seq > subscription.sent:
            return problems.not_sent(ack.seq, ack.project_id)
        moved = subscription.acknowledge(ack.seq)
        if moved:
            self._acks.moved(ack.project_id, ack.seq)
        return moved

    async def resend(self) -> None:
        """Send again what nobody acknowledged; raises `Goodbye` when that does not help."""
        limit = self._context.options.ack_seconds
        while True:
            await asyncio.sleep(limit / 4)
            for subscription in self._by_project.values():
                if not subscription.resend_overdue(limit):
                    raise problems.not_acknowledged(subscription.acked + 1, subscription.project_id)
