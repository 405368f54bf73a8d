"""What the next model call may take of a project's budgets."""

from agenticai_core.configuration import to_dollars
from agenticai_core.models import Project
from agenticai_worker.work import PermanentFailure


def check_budgets(project: Project, tokens: int, microusd: int | None) -> None:
    """Raise `PermanentFailure` when a call that may take this much goes beyond a budget.

    ``microusd`` None: nobody knows what the model costs.
    """
    _check_tokens(project, tokens)
    _check_cost(project, microusd)


def _check_tokens(project: Project, tokens: int) -> None:
    if project.token_budget is None:
        return
    left = project.token_budget - project.usage.total - project.tokens_reserved
    if tokens > left:
        raise PermanentFailure(
            "BUDGET_EXCEEDED",
            f"The next model call may take {tokens} tokens; {left} of the budget of "
            f"{project.token_budget} are left",
            "Set a higher token_budget and retry",
        )


def _check_cost(project: Project, microusd: int | None) -> None:
    budget = project.cost_budget_microusd
    if budget is None:
        return
    if microusd is None:
        raise PermanentFailure(
            "PRICE_UNKNOWN",
            "The project has a cost budget, and the price of the model is not known",
            "Set AGENTICAI_MODEL_PRICE_INPUT and AGENTICAI_MODEL_PRICE_OUTPUT (US dollars per "
            "million tokens) for the workers and retry, or set cost_budget_usd to null",
        )
    left = budget - project.usage.cost_microusd - project.cost_reserved_microusd
    if microusd > left:
        raise PermanentFailure(
            "BUDGET_EXCEEDED",
            f"The next model call may cost {_shown(microusd)}; {_shown(left)} of the cost budget "
            f"of {_shown(budget)} are left",
            "Set a higher cost_budget_usd and retry",
        )


def _shown(microusd: int) -> str:
    return f"${to_dollars(microusd):.6f}".rstrip("0").rstrip(".")
