"""An estimate as plain JSON values."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from blpo.costs.assumptions import CASES
from blpo.costs.call_sizes import Load
from blpo.costs.estimate import RoleEstimate, total
from blpo.inference.round_plan import RoundPlan


class LoadJson(TypedDict):
    """Calls, tokens and dollars; no dollars if a price is unknown."""

    calls: int
    input_tokens: int
    output_tokens: int
    usd: float | None


class PlanJson(TypedDict):
    """Size of a round."""

    cases: int
    i2t_prompts: int


class EstimateJson(TypedDict):
    """Content of `blpo estimate --json`."""

    roles: dict[str, dict[str, str | LoadJson]]
    """By role: `model`, and a load for each case."""
    total: dict[str, LoadJson]
    """By case."""
    assumptions: list[str]
    plan: list[PlanJson]
    """Rounds of pooled trials, at most; empty for scored trials."""


def estimate_json(
    roles: Mapping[str, RoleEstimate],
    assumptions: Sequence[str],
    plans: Sequence[RoundPlan] = (),
    limit: int | None = None,
) -> EstimateJson:
    """Return the estimate of all roles and cases; `limit` is `limits.calls`."""
    return EstimateJson(
        roles={role: {"model": own.model.name, **_cases(own)} for role, own in roles.items()},
        total={case: _load(*total(roles, case, limit)) for case in CASES},
        assumptions=list(assumptions),
        plan=[PlanJson(cases=plan.cases, i2t_prompts=max(plan.inner_steps, 1)) for plan in plans],
    )


def _cases(own: RoleEstimate) -> dict[str, LoadJson]:
    loads: dict[str, Load] = {case: getattr(own, case) for case in CASES}
    return {case: _load(load, load.usd(own.price)) for case, load in loads.items()}


def _load(load: Load, usd: float | None) -> LoadJson:
    return LoadJson(
        calls=load.calls,
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        usd=None if usd is None else round(usd, 4),
    )
