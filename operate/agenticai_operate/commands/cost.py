"""What a month costs."""

from pathlib import Path
from typing import Annotated

import typer

from agenticai_client.session import session_of
from agenticai_operate.commands.common import operator

_Tokens = Annotated[
    int | None, typer.Option(min=0, help="Per project that a language model writes.")
]


@operator
def cost(
    context: typer.Context,
    *,
    env: Annotated[str, typer.Option(help="The environment whose manifests count.")] = "test",
    projects: Annotated[int, typer.Option(min=0, help="Projects created in a month.")] = 100,
    stored: Annotated[
        int | None, typer.Option(min=0, help="Projects that are kept. Default: a year's.")
    ] = None,
    size: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=CPU/MBxTASKS", help="Instead of a manifest's: --size worker=1024/2048x2"
        ),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="As AGENTICAI_MODEL, which is the default.")
    ] = None,
    input_tokens: _Tokens = None,
    output_tokens: _Tokens = None,
    copilot: Annotated[Path, typer.Option(help="Where the manifests are.")] = Path("copilot"),
) -> None:
    """Estimate what a month on AWS costs, item by item, beside the free tier.

    Sizes come from the manifests in copilot/, calls from the benchmark, prices from a dated table;
    what is assumed is marked so. Asks AWS nothing.

    Example: agenticai cost --env prod --projects 500 --model gemini:gemini-2.5-flash
    """
    from agenticai_operate.cost.report import Wanted, as_json, print_report, report

    session = session_of(context)
    made = report(
        copilot,
        env,
        Wanted(projects, stored, tuple(size or ()), model, input_tokens, output_tokens),
    )
    if session.json:
        session.emit(as_json(made))
    else:
        print_report(session.out, made)
