"""Messages that nobody could finish."""

from typing import TYPE_CHECKING, Annotated

import typer

from agenticai_client.session import session_of
from agenticai_core.models import Agent
from agenticai_operate.commands.common import AppOption, EnvOption, YesOption, operator

if TYPE_CHECKING:
    from agenticai_operate.dlq.redrive import Done

app = typer.Typer(
    no_args_is_help=True,
    help="Dead letters: messages that three receives did not finish. See docs/operations.md.",
)

AgentOption = Annotated[
    list[Agent] | None, typer.Option("--agent", help="Only this agent's; may be repeated.")
]
LimitOption = Annotated[int, typer.Option(min=1, max=1000, help="Letters of each queue, at most.")]
MessageOption = Annotated[
    str | None, typer.Option("--message", metavar="ID", help="Only this one; `dlq show` has it.")
]


@app.command("list")
@operator
def list_letters(
    context: typer.Context,
    *,
    agent: AgentOption = None,
    app_name: AppOption = None,
    env: EnvOption = None,
) -> None:
    """Count the dead letters of each agent, and tell how old they are.

    To learn their age it receives them, and puts them back at once.

    Example: agenticai dlq list --app agenticai --env prod
    """
    from agenticai_operate.dlq.queues import looking, open_queues
    from agenticai_operate.dlq.show import counts_as_json, counts_table
    from agenticai_operate.places import find_place

    session = session_of(context)
    queues = open_queues(find_place(app_name, env), agent or list(Agent))
    counts = {which: queue.counts() for which, queue in queues.items()}
    with looking(queues, 100) as letters:
        rows = [counts_as_json(which, counts[which], letters) for which in queues]
    if session.json:
        session.emit({"queues": rows})
    else:
        session.out.print(counts_table(rows))


@app.command()
@operator
def show(
    context: typer.Context,
    *,
    agent: AgentOption = None,
    limit: LimitOption = 100,
    app_name: AppOption = None,
    env: EnvOption = None,
) -> None:
    """Show each dead letter with the state of its project and task, and what it is still worth.

    Nothing is taken out: others see the letters again as soon as this ends.

    Example: agenticai dlq show --agent dev
    """
    from agenticai_operate.dlq.letters import judge
    from agenticai_operate.dlq.queues import looking, open_queues
    from agenticai_operate.dlq.show import letter_as_json, letters_table
    from agenticai_operate.places import find_place

    session, place = session_of(context), find_place(app_name, env)
    with looking(open_queues(place, agent or list(Agent)), limit) as letters:
        found = list(zip(letters, judge(place.store, letters), strict=True))
    if session.json:
        session.emit({"letters": [letter_as_json(*one) for one in found]})
    elif found:
        session.out.print(letters_table(found))
    else:
        session.note("There are no dead letters.")


@app.command()
@operator
def redrive(
    context: typer.Context,
    *,
    agent: AgentOption = None,
    message: MessageOption = None,
    drop_ended: Annotated[
        bool, typer.Option("--drop-ended", help="Remove those whose task has ended or is gone.")
    ] = False,
    drop_unreadable: Annotated[
        bool, typer.Option("--drop-unreadable", help="Remove those that name no task.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be done.")
    ] = False,
    limit: LimitOption = 100,
    yes: YesOption = False,
    app_name: AppOption = None,
    env: EnvOption = None,
) -> None:
    """Send dead letters back to their queue, where their task has not ended.

    All others stay where they are, unless they are to be dropped.

    Example: agenticai dlq redrive --agent dev --drop-ended --yes
    """
    from agenticai_operate.dlq.queues import open_queues
    from agenticai_operate.dlq.redrive import Rules
    from agenticai_operate.dlq.redrive import redrive as treat
    from agenticai_operate.errors import NoSuchMessage
    from agenticai_operate.places import find_place

    session, place = session_of(context), find_place(app_name, env)
    agents = agent or list(Agent)
    if not (yes or dry_run):
        which = ", ".join(one.value for one in agents)
        typer.confirm(f"Send the dead letters of {which} again?", abort=True, err=True)
    rules = Rules(drop_ended, drop_unreadable, message, limit)
    done = treat(open_queues(place, agents), place.store, rules, dry=dry_run)
    if message and not done:
        raise NoSuchMessage(
            f"There is no dead letter '{message}'",
            hint="agenticai dlq show lists them; one that somebody looks at is hidden for 2 min",
        )
    if session.json:
        session.emit(_summary(done, dry_run))
    else:
        _tell(context, done, dry_run)


def _summary(done: "list[Done]", dry_run: bool) -> dict[str, object]:
    from agenticai_operate.dlq.show import letter_as_json

    rows = [letter_as_json(one.letter, one.verdict) | {"deed": one.deed} for one in done]
    return {"dry_run": dry_run, **_counted(done), "letters": rows}


def _counted(done: "list[Done]") -> dict[str, int]:
    return {deed: sum(one.deed == deed for one in done) for deed in ("sent", "dropped", "kept")}


def _tell(context: typer.Context, done: "list[Done]", dry_run: bool) -> None:
    from agenticai_operate.dlq.show import deeds_table

    session, counted = session_of(context), _counted(done)
    if done:
        session.out.print(deeds_table(done))
    words = ", ".join(f"{count} {deed}" for deed, count in counted.items())
    session.say(f"Nothing was changed; this would be: {words}" if dry_run else words)
