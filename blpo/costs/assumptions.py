"""Assumptions behind an estimate, in words, and limits that the estimate exceeds."""

from collections.abc import Iterator, Mapping

from blpo.costs.call_sizes import LONG, SHORT, long_replies
from blpo.costs.estimate import RoleEstimate, total
from blpo.costs.workload import MOST_MEASURED
from blpo.inference.answer_forms import asks_once
from blpo.models.catalogue import AS_OF, facts
from state.settings import Settings, TaskSettings

CASES = {
    "low": "stops after search.patience rounds without a gain; prompts as long as the initial ones, short replies",
    "high": "all rounds of the plan, each adopting a new prompt; prompts that grow to search.max_prompt_tokens, long"
    " replies",
    "most": "the same with the longest prompts from the start and every repair used up; no run issues more calls",
}
"""Cases of an estimate, with their meaning."""


def assumptions(settings: Settings, roles: Mapping[str, RoleEstimate], named_images: int = 0) -> Iterator[str]:
    """Yield the assumptions, then a line for each limit that may end the search early.

    `named_images` is the number of `Workload.named_images`.
    """
    yield from (f"{case}: {meaning}" for case, meaning in CASES.items())
    for role, estimate in roles.items():
        yield ", ".join(_role(settings, role, estimate))
    yield f"text: four characters a token; images: the mean of up to {MOST_MEASURED} samples, scaled as they are sent"
    longest = long_replies(settings, named_images)
    lengths = ", ".join(
        f"{name}s {getattr(SHORT, name)} to {getattr(longest, name)}" for name in ("verdict", "description", "critique")
    )
    yield f"tokens of replies: {lengths}; cached input counts in full"
    if (answers := settings.models.answers) > 1:
        setting = "models.judges" if settings.models.judges else "models.judge.votes"
        yield f"judge: {answers} calls a question ({setting})"
    if (calls := settings.models.calls) > answers:
        yield f"judge: {calls} calls a question where members differ (models.panel.discussion); all cases count so many"
    for name in settings.task_names or ("",):
        yield from (f"{name}: {line}" if name else line for line in _requests(settings.of_task(name).task))
    if asks_once(settings):
        yield "judge: one call an image and prompt for all criteria (criteria_calls: one)"
    if settings.criteria:
        yield "verbalizer: one description an image for all criteria"
    yield from _low_limits(settings, roles)


def _requests(task: TaskSettings) -> Iterator[str]:
    if task.questions > 1:
        each = "order" if task.has_both_orders else "image; an image in several pairs is paid once"
        yield f"judge: two calls a pair and prompt, one for each {each} (task.order)"
    if task.parts is not None:
        each = "image" if task.order == "apart" else "order of every two images"
        yield f"judge: a call for each {each} of a list (task.order)"


def _role(settings: Settings, role: str, estimate: RoleEstimate) -> Iterator[str]:
    model = estimate.model
    is_judge = role == "verbalizer" and settings.models.verbalizer is None
    setting = settings.models.judge_roles[0] if is_judge else role
    yield f"{role}: {model.name}"
    yield _price(setting, estimate)
    if role != "optimizer":
        yield f"images {facts(model).image_formula.value.words}"
    if facts(model).reasons.value:
        yield f"{SHORT.thinking} to {LONG.thinking} tokens of thinking a reply"


def _price(setting: str, estimate: RoleEstimate) -> str:
    price, own = estimate.price, estimate.model.price
    if price is None:
        return f"price unknown (set models.{setting}.price)"
    if own is None and price.input == price.output == 0:
        return "free"
    source = f"list price of {AS_OF}; override with models.{setting}.price" if own is None else "as set"
    return f"US $ {price.input:g} in and {price.output:g} out for a million tokens ({source})"


def _low_limits(settings: Settings, roles: Mapping[str, RoleEstimate]) -> Iterator[str]:
    load, usd = total(roles, "high", settings.limits.calls)
    needs = {"calls": load.calls, "tokens": load.input_tokens + load.output_tokens, "usd": usd}
    for name, need in needs.items():
        limit = getattr(settings.limits, name)
        if limit is not None and need is not None and need > limit:
            yield f"limits.{name} ({limit:g}) may end the search before all rounds are done"
