"""Cost of a search before the first call: calls, tokens and dollars by role, as a range.

- `low`: the search stops early; prompts keep their initial length, and replies are short.
- `high`: all rounds; prompts grow to the maximum length, and replies are long.
- `most`: all rounds with prompts of maximum length, and as many repairs as allowed; at most `limits.calls`.

No run exceeds the calls of `most`. No run without repairs exceeds the calls of `high`. With `limits.calls`, `high` are
the most calls of each role that the limit pays for, and all roles together stay within the limit. `low`, tokens and
dollars are estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from blpo.costs.call_counts import all_rounds, early_stop
from blpo.costs.call_sizes import SHORT, CallSizes, Load, long_replies
from blpo.costs.workload import Workload
from blpo.models.catalogue import facts
from state.settings import ModelSettings, PriceSettings, Settings


@dataclass(frozen=True, slots=True)
class RoleEstimate:
    """Estimate of one role."""

    model: ModelSettings
    price: PriceSettings | None
    low: Load
    high: Load
    most: Load


def estimate(settings: Settings, work: Workload) -> dict[str, RoleEstimate]:
    """Estimate calls and tokens of each role, without reading files, building models or sending requests."""
    search = settings.search
    limit = settings.limits.calls
    low_counts = early_stop(work.sizes, search, limit)
    high_counts = all_rounds(work.sizes, search, limit)
    most_counts = all_rounds(work.sizes, search)
    initial = (work.judge_prompt, work.i2t_prompt)
    longest = tuple(max(search.max_prompt_tokens, length) for length in initial)
    grown = tuple((first + last) // 2 for first, last in zip(initial, longest, strict=True))
    low = CallSizes(settings, work, SHORT, *initial).loads(low_counts)
    replies = long_replies(settings, work.named_images)
    high = CallSizes(settings, work, replies, *grown).loads(high_counts)
    longest_sizes = CallSizes(settings, work, replies, *longest)
    most, repairs = longest_sizes.loads(most_counts), longest_sizes.loads(most_counts.repairs, repairing=True)
    return {
        role: RoleEstimate(
            settings.models.of(role),
            facts(settings.models.of(role)).price.value,
            low[role],
            high[role],
            _within(limit and max(limit, high[role].calls), _add(most[role], repairs[role])),
        )
        for role in settings.models.roles
    }


def total(roles: Mapping[str, RoleEstimate], case: str, limit: int | None = None) -> tuple[Load, float | None]:
    """Add up all roles for `low`, `high` or `most`; return load and US dollars, None if a price is not known.

    `limit` is `limits.calls`: all roles together issue no more calls, unless `low` needs more.
    """
    load, usd = Load(0, 0, 0), 0.0
    is_priced = True
    for role in roles.values():
        own: Load = getattr(role, case)
        cost = own.usd(role.price)
        load, usd, is_priced = _add(load, own), usd + (cost or 0.0), is_priced and cost is not None
    if limit is not None and case != "low":
        within = _within(max(limit, total(roles, "low")[0].calls), load)
        load, usd = within, usd * within.calls / max(load.calls, 1)
    return load, usd if is_priced else None


def _within(limit: int | None, load: Load) -> Load:
    """Return the load with at most `limit` calls, and as large a part of the tokens."""
    if limit is None or load.calls <= limit:
        return load
    share = limit / load.calls
    return Load(limit, round(load.input_tokens * share), round(load.output_tokens * share))


def _add(one: Load, other: Load) -> Load:
    return Load(one.calls + other.calls, one.input_tokens + other.input_tokens, one.output_tokens + other.output_tokens)
