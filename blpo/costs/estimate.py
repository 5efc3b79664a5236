"""What a search will cost before anything is paid: calls, tokens and dollars by role, as a range.

`low` is a search that stops early, with prompts as long as the initial ones and short replies; `high` is all rounds,
with prompts that grow to the length allowed and long replies; `most` is all rounds with the longest prompts and every
repair used up. In calls `most` is a bound that no run exceeds, and `high` one that no run without repairs exceeds;
`low`, tokens and dollars are estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blpo.costs.call_counts import all_rounds, early_stop
from blpo.costs.call_sizes import LONG, SHORT, CallSizes, Load
from blpo.costs.workload import Workload
from blpo.models.catalogue import facts
from blpo.models.messages import ROLES
from state.settings import ModelSettings, PriceSettings, Settings


@dataclass(frozen=True, slots=True)
class RoleEstimate:
    """One role's share."""

    model: ModelSettings
    price: PriceSettings | None
    low: Load
    high: Load
    most: Load


def estimate(settings: Settings, work: Workload) -> dict[str, RoleEstimate]:
    """Estimate each role's calls and tokens; nothing is read, built or sent."""
    search = settings.search
    low_counts, high_counts = early_stop(work.sizes, search), all_rounds(work.sizes, search)
    initial = (work.judge_prompt, work.i2t_prompt)
    longest = tuple(max(search.max_prompt_tokens, length) for length in initial)
    grown = tuple((first + last) // 2 for first, last in zip(initial, longest, strict=True))
    low = CallSizes(settings, work, SHORT, *initial).loads(low_counts)
    high = CallSizes(settings, work, LONG, *grown).loads(high_counts)
    longest_sizes = CallSizes(settings, work, LONG, *longest)
    most, repairs = longest_sizes.loads(high_counts), longest_sizes.loads(high_counts.repairs, repairing=True)
    return {
        role: RoleEstimate(
            settings.models.of(role),
            facts(settings.models.of(role)).price.value,
            low[role],
            high[role],
            _sum(most[role], repairs[role]),
        )
        for role in ROLES
    }


def total(roles: Mapping[str, RoleEstimate], case: str) -> tuple[Load, float | None]:
    """All roles together in the case `low`, `high` or `most`, and US dollars; None where a price is not known."""
    load, usd = Load(0, 0, 0), 0.0
    known = True
    for role in roles.values():
        own: Load = getattr(role, case)
        cost = own.usd(role.price)
        load, usd, known = _sum(load, own), usd + (cost or 0.0), known and cost is not None
    return load, usd if known else None


def _sum(one: Load, other: Load) -> Load:
    return Load(one.calls + other.calls, one.input_tokens + other.input_tokens, one.output_tokens + other.output_tokens)
