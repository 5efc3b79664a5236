"""An estimate as plain JSON values."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from blpo.costs.assumptions import CASES
from blpo.costs.call_sizes import Load
from blpo.costs.estimate import RoleEstimate, total


class LoadJson(TypedDict):
    """Calls, tokens and dollars; no dollars if a price is unknown."""

    calls: int
    input_tokens: int
    output_tokens: int
    usd: float | None


class EstimateJson(TypedDict):
    """Content of `blpo estimate --json`."""

    roles: dict[str, dict[str, str | LoadJson]]
    """By role: `model`, and a load for each case."""
    total: dict[str, LoadJson]
    """By case."""
    assumptions: list[str]


def estimate_json(roles: Mapping[str, RoleEstimate], assumptions: Sequence[str]) -> EstimateJson:
    """Return the estimate of all roles and cases."""
    return EstimateJson(
        roles={role: {"model": own.model.name, **_cases(own)} for role, own in roles.items()},
        total={case: _load(*total(roles, case)) for case in CASES},
        assumptions=list(assumptions),
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
