"""collect_errors: draw I_B, a batch of wrong verdicts, and anchors, samples with right verdicts.

The batch is drawn from train and validation if both select (`search.select_on`), else from train, as published. Split
batch, as published: as many errors and anchors as set. Filled batch: errors as frequent as among all samples, and half
of the cases at least; where one kind is short, the other kind fills the batch. Pooled trials: the budget sets the size
of the round (`round_plan`). Scored trials outside the paper's preset: samples of train and validation outside the batch
score a trial. These samples are drawn uniformly, because the search metric counts labels as frequent as they are.

A pair is wrong if the judge is wrong in at least one order, a ranking if two images are reversed. Only answered
verdicts count: a refusal or an outage is no wrong verdict. The draw derives from (seed, round), never from a live
generator, so a resumed run draws the same batch as an uninterrupted run.
"""

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence

from langgraph.runtime import Runtime

from blpo.inference.open_run import run_of
from blpo.inference.progress import send_event
from blpo.inference.round_plan import RoundPlan, plan_round
from blpo.inference.verdicts import judge_samples
from blpo.models.sentences import sentence
from state.errors import TooManyFailures
from state.events import ErrorsEvent
from state.loops import OuterState
from state.ranking import agrees
from state.sample import Sample
from state.settings import Settings
from state.settings.search_settings import SCORE_SIZE
from state.verdict import Verdict


async def collect_errors(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Draw I_B and the anchors under p_t; I_B is empty if no verdict is wrong."""
    async with run_of(runtime) as run:
        search, labelled = run.settings.search, run.labelled
        judged: list[tuple[Sample, Verdict]] = []
        for split in search.batch_splits:
            verdicts = await judge_samples(run, state["judge_prompt"], run.split(split), split=split)
            judged += zip(run.split(split), verdicts, strict=True)
        plan = RoundPlan(search.error_batch, search.inner_steps)
        if search.trials == "pooled":
            affordable = await plan_round(run, state["judge_prompt"], state["round"])
            if affordable is None:
                return {"stop_reason": "budget"}
            plan = affordable
    answered = [(s, v) for s, v in judged if v.status == "ok"]
    if not answered:
        _, first = judged[0]
        raise TooManyFailures(
            f"none of {len(judged)} verdicts of {' and '.join(search.batch_splits)} names a label; the first is"
            f" {first.status}: {sentence(first.reason[:200] or 'an empty reply')} Try the judge with one image, or"
            " another model"
        )
    wrong = [(s.id, _cell(s, v)) for s, v in answered if not agrees(v.label, s.label)]
    right = [(s.id, _cell(s, v)) for s, v in answered if agrees(v.label, s.label)]
    most_wrong, most_right = search.error_batch, search.anchors
    if search.batch == "filled":
        most_wrong = max(plan.cases - plan.cases // 2, round(plan.cases * len(wrong) / len(answered)))
        most_right = plan.cases - min(most_wrong, len(wrong))
    seed = f"{search.seed}/{state['round']}"
    errors = draw(wrong, most_wrong, f"{seed}/errors", spread=search.draw == "spread")
    anchors = draw(right, most_right, f"{seed}/anchors", spread=True)
    event = ErrorsEvent(event="errors", round=state["round"], wrong=len(wrong), drawn=len(errors), anchors=len(anchors))
    if search.trials == "pooled":
        event["inner_steps"] = plan.inner_steps
    send_event(runtime, event)
    update: OuterState = {"errors": errors, "anchors": anchors, "inner_steps": plan.inner_steps}
    if search.trials == "scored" and search.score_on == "unseen":
        batch = {*errors, *anchors}
        outside = [(sample.id, None) for sample in labelled if sample.id not in batch]
        update["scored_on"] = draw(outside, SCORE_SIZE * len(batch), f"{seed}/score", spread=False)
    return update


def _cell(sample: Sample, verdict: Verdict) -> Hashable:
    """Return the cell of a draw that is spread: human label and verdict; first the task, if there are several."""
    cell = (sample.label, _answer(verdict))
    return (sample.task, *cell) if sample.task else cell


def _answer(verdict: Verdict) -> Hashable:
    """Return the judge's label; for a pair the labels in all orders, so that leaning to a position has its own cell."""
    return tuple(ordered.label for ordered in verdict.orders) or verdict.label


def draw(rows: Sequence[tuple[str, Hashable]], size: int, seed: str, *, spread: bool) -> list[str]:
    """Draw up to `size` of the ids in `rows` = (id, cell), without replacement.

    `spread` takes an id of every cell in turn, so a frequent confusion can't crowd out a rare confusion. Otherwise the
    draw is uniform. The result depends on the ids, the cells and the seed, not on the order of `rows`.
    """
    generator = random.Random(seed)
    rows = sorted(rows, key=lambda row: row[0])
    if not spread:
        return [sample_id for sample_id, _ in generator.sample(rows, min(size, len(rows)))]
    cells: defaultdict[str, list[str]] = defaultdict(list)
    for sample_id, cell in rows:
        cells[repr(cell)].append(sample_id)
    queues = [cells[name] for name in sorted(cells)]
    for queue in queues:
        generator.shuffle(queue)
    generator.shuffle(queues)
    batch: list[str] = []
    while len(batch) < size and any(queues):
        batch += [queue.pop() for queue in queues if queue]
    return batch[:size]
