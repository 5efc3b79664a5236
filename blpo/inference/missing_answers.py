"""Missing answers of a search: requests failed within `limits.max_failure_rate`. Nothing is sent."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from blpo.inference.descriptions import describe_sample
from blpo.inference.fan_out import fan_out
from blpo.inference.open_models import OpenModels
from blpo.inference.open_run import OpenRun
from blpo.inference.verdicts import judge_sample
from blpo.models.messages import Role
from blpo.models.recall import NEVER_ASKED
from state.loops import RoundRecord, TrialDigest
from state.sample import Sample
from state.verdict import Description, Verdict

_Pairs = set[tuple[str, str]]
"""Hash of a prompt, and id of a sample."""
_Recall = Callable[[OpenModels, str, Sample], Awaitable[Verdict | Description]]


async def missing_answers(run: OpenRun, rounds: Sequence[RoundRecord]) -> str | None:
    """Return a sentence with the numbers of missing verdicts and descriptions, or None if no answer is missing."""
    usage = await run.caller.usage()
    verdicts = descriptions = 0
    if usage["judge"]["failed"]:
        verdicts = await _missing(run, "judge", _judged(run, rounds), judge_sample)
    if usage["verbalizer"]["failed"]:
        descriptions = await _missing(run, "verbalizer", _described(rounds), describe_sample)
    counts = " and ".join(_count(verdicts, "verdict") + _count(descriptions, "description"))
    if not counts:
        return None
    return (
        f"The run went on without {counts}, because requests failed within limits.max_failure_rate. A resume of the"
        " finished run keeps the numbers; a new run asks again"
    )


async def _missing(run: OpenRun, role: Role, pairs: _Pairs, recall: _Recall) -> int:
    """Count the pairs with a failed request and no answer."""
    recorded, by_id = run.recall, run.dataset.by_id
    texts = {digest: await run.store.text(digest) for digest in {digest for digest, _ in pairs}}

    async def is_missing(pair: tuple[str, str]) -> bool:
        digest, sample_id = pair
        answer = await recall(recorded, texts[digest], by_id[sample_id])
        detail = answer.reason if isinstance(answer, Verdict) else answer.text
        return answer.status == "error" and not detail.startswith(NEVER_ASKED)

    return sum(await fan_out(is_missing, sorted(pairs), run.width(role)))


def _judged(run: OpenRun, rounds: Sequence[RoundRecord]) -> _Pairs:
    """Return the judge prompts of rounds with all samples, and of trials with the samples that scored the trials."""
    samples = [*run.labelled, *run.split("test")]
    of_rounds = {(record["judge_prompt_sha256"], sample.id) for record in rounds for sample in samples}
    of_trials = _of_trials(rounds, lambda trial: trial["judge_prompt_sha256"], _scored_on)
    return of_rounds | set(of_trials)


def _described(rounds: Sequence[RoundRecord]) -> _Pairs:
    """Return the I2T prompts of trials with their batch."""
    return set(_of_trials(rounds, lambda trial: trial["i2t_prompt_sha256"], _batch))


def _of_trials(
    rounds: Sequence[RoundRecord],
    prompt: Callable[[TrialDigest], str | None],
    samples: Callable[[RoundRecord], Sequence[str]],
) -> Iterator[tuple[str, str]]:
    for record in rounds:
        for digest in filter(None, map(prompt, record["trials"])):
            for sample_id in samples(record):
                yield digest, sample_id


def _batch(record: RoundRecord) -> Sequence[str]:
    return [*record["errors"], *record["anchors"]]


def _scored_on(record: RoundRecord) -> Sequence[str]:
    return record.get("scored_on") or _batch(record)


def _count(number: int, noun: str) -> list[str]:
    return [f"{number} {noun}{'' if number == 1 else 's'}"] if number else []
