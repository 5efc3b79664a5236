"""Plan of a search with pooled trials: the rounds that the budget pays for."""

from itertools import groupby

from blpo.costs.call_counts import least_calls, planned_rounds
from blpo.costs.dataset_sizes import DatasetSizes
from blpo.inference.round_plan import RoundPlan
from state.settings import Settings


def plan_of(settings: Settings, sizes: DatasetSizes) -> list[RoundPlan]:
    """Return the plans of all rounds; empty for scored trials, whose rounds have a fixed size."""
    if settings.search.trials == "scored":
        return []
    return planned_rounds(sizes, settings.search, settings.search.outer_rounds, settings.limits.calls)


def plan_in_words(settings: Settings, plans: list[RoundPlan], sizes: DatasetSizes) -> str | None:
    """Return the plan in one line; None for scored trials."""
    if settings.search.trials == "scored":
        return None
    limit = settings.limits.calls
    if not plans:
        if limit is None or settings.search.outer_rounds == 0:
            return "plan: no round"
        least = least_calls(sizes, settings.search)
        return f"plan: limits.calls ({limit}) pays for no round; one round needs at least {least}, the test included"
    parts = []
    for plan, group in groupby(plans):
        count = len(list(group))
        prompts = f"{plan.inner_steps or 1} I2T prompt{'s' if plan.inner_steps > 1 else ''}"
        parts.append(f"{count} round{'' if count == 1 else 's'} of {plan.cases} cases x {prompts}")
    short = limit is not None and len(plans) < settings.search.outer_rounds
    end = f"; then limits.calls ({limit}) pays for no more" if short else ""
    return f"plan: {', '.join(parts)}, unless the search stops before{end}"
