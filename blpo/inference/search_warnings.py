"""Warnings at the end of a search: what the numbers of the result do not show."""

from collections import Counter
from collections.abc import Sequence

from blpo.data.rater_agreement import left_out_sentence
from blpo.inference.cut_off import cut_off_at
from blpo.inference.missing_answers import missing_answers
from blpo.inference.open_run import OpenRun
from blpo.models.server_errors import is_cut_off
from state.loops import RoundRecord


async def search_warnings(run: OpenRun, rounds: Sequence[RoundRecord]) -> list[str]:
    """Return a sentence for every warning; an empty list if all is well."""
    cut = await run.store.replies_by_role(is_cut_off)
    sentences = [
        _no_prompt(rounds),
        *(_cut_replies(count, cut_off_at(run.settings.models, role)) for role, count in sorted(cut.items())),
        await missing_answers(run, rounds),
        left_out_sentence(run.dataset.left_out),
    ]
    return [f"{sentence.rstrip('. ')}." for sentence in sentences if sentence]


def _no_prompt(rounds: Sequence[RoundRecord]) -> str | None:
    """Say that no trial gave a prompt, and the most frequent reason. The failure of an update is one of its trials."""
    trials = [(trial, trial["failure"] or record.get("failure")) for record in rounds for trial in record["trials"]]
    if not trials or any(trial["judge_prompt_sha256"] is not None or failure is None for trial, failure in trials):
        return None
    reason, _ = Counter(failure for _, failure in trials).most_common(1)[0]
    failures = "the only trial failed" if len(trials) == 1 else f"all {len(trials)} trials failed, most often"
    return f"The search found no new prompt to try: {failures} because {reason}"


def _cut_replies(count: int, cut: str) -> str:
    return f"{count} repl{'y was' if count == 1 else 'ies were'} {cut}; raise the setting if answers are missing"
