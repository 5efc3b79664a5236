"""Information in the captions about the labels.

No model compares captions with images. Two numbers need no model:

* distinct: share of captions without an equal caption in the same set;
* separation: probability of more similar captions for two images with the same label than for two images with different
  labels (0.5 is chance, 1 is always). Similarity is the cosine of TF-IDF vectors over runs of up to three words,
  without numbers. The p-value is computed by shuffling the labels. A page shows many separations, so the p-values of a
  run are corrected together (Holm).

Captions without separation can't have helped the optimizer much, even if true. Captions with separation may still be
false in parts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from blpo.metrics.holm import holm
from blpo.metrics.readings import SIGNIFICANT
from blpo.reports.evidence import Evidence
from blpo.runs.rounds import Round
from blpo.runs.run_record import RunRecord
from state.sample import Label

FEWEST = 6
"""Smallest number of captions for a separation."""
SHUFFLES = 1000
_ONE_LABEL = "ranking"
"""Label of all rankings: the numbers of images mean nothing, so equal rankings have no reason for similar captions."""
_BLOCK = 32
"""Shuffles computed at once. Many small products take less CPU than a large product by several threads."""


@dataclass(frozen=True, slots=True)
class CaptionQuality:
    """Distinctness and separation of the captions of a batch under an I2T prompt."""

    round: int
    role: str
    """`start` of the round, `kept`, `start and kept`; or `pooled` and the number of the trial. For one of several
    tasks its name stands in front."""
    prompt: str
    n: int
    words: float
    """Mean number of words."""
    distinct: float
    separation: float | None
    """In [0, 1]; None for too few captions and for equal labels."""
    p_value: float | None
    """p-value of the separation, corrected for the number of separations of the run; None without a separation."""


def caption_quality(run: RunRecord, evidence: Evidence) -> list[CaptionQuality]:
    """Measure the captions of all rounds: under the first and the selected I2T prompt, or under all pooled prompts."""
    rows = []
    for t, past in enumerate(run.rounds):
        for role, prompt in _prompts(past).items():
            for task in run.settings.task_names or ("",):
                pairs = _captions(past, prompt or "", task, run, evidence)
                if prompt is not None and pairs:
                    rows.append(_measured(t, f"{task}: {role}" if task else role, prompt, pairs))
    return _corrected(rows)


def _captions(past: Round, prompt: str, task: str, run: RunRecord, evidence: Evidence) -> list[tuple[str, Label]]:
    """Return captions of the batch with the labels of one task."""
    are_lists = run.settings.of_task(task).task.kind == "ranking"
    return [
        (evidence.captions[prompt, sample_id], _ONE_LABEL if are_lists else label)
        for sample_id in past.batch
        if (prompt, sample_id) in evidence.captions
        and (label := evidence.samples[sample_id].label) is not None
        and evidence.samples[sample_id].task == task
    ]


def _corrected(rows: Sequence[CaptionQuality]) -> list[CaptionQuality]:
    adjusted = iter(holm([row.p_value for row in rows if row.p_value is not None]))
    return [row if row.p_value is None else replace(row, p_value=next(adjusted)) for row in rows]


def _prompts(past: Round) -> dict[str, str | None]:
    """Return the I2T prompts to measure, by role."""
    if past.best_trial is None and past.i2t_prompts:
        return {f"pooled {number}": prompt for number, prompt in enumerate(past.i2t_prompts, 1)}
    prompts = {"start": past.trials[0].i2t_prompt if past.trials else None}
    if past.best_trial is not None:
        prompts["kept"] = past.best_trial.i2t_prompt
    return {"start and kept": prompts["start"]} if len(set(prompts.values())) == 1 else prompts


def _measured(t: int, role: str, prompt: str, pairs: Sequence[tuple[str, Label]]) -> CaptionQuality:
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
    value, p_value = separation(texts, labels)
    return CaptionQuality(
        round=t,
        role=role,
        prompt=prompt,
        n=len(pairs),
        words=float(np.mean([len(text.split()) for text in texts])),
        distinct=sum(texts.count(text) == 1 for text in texts) / len(texts),
        separation=value,
        p_value=p_value,
    )


def separations(rows: Sequence[CaptionQuality]) -> str:
    """Return the range of the separations, and the number of separations above chance at the 5 % level, in words."""
    values = [row.separation for row in rows if row.separation is not None]
    if not values:
        return "Captions by round: too few of a batch for a separation"
    above = sum(row.p_value is not None and row.p_value < SIGNIFICANT for row in rows)
    return (
        f"Captions by round: separation {min(values):.2f} to {max(values):.2f}, {above} of {len(values)} above chance"
    )


def separation(texts: Sequence[str], labels: Sequence[Label]) -> tuple[float | None, float | None]:
    """Return separation and p-value; None for fewer than `FEWEST` texts, and without pairs of both kinds."""
    from scipy.stats import rankdata  # takes half a second to import

    codes = np.unique([str(label) for label in labels], return_inverse=True)[1]
    first, second = np.triu_indices(len(texts), k=1)
    same = codes[first] == codes[second]
    if len(texts) < FEWEST or same.all() or not same.any():
        return None, None
    ranks = rankdata(_similarities(texts)[first, second])
    observed, *shuffled = _aucs(ranks, np.vstack([codes, codes[_orders(len(codes))]]), int(same.sum()))
    return observed, (1 + sum(value >= observed - 1e-12 for value in shuffled)) / (1 + SHUFFLES)


@lru_cache(maxsize=8)
def _orders(n: int) -> NDArray[np.int64]:
    """Return `SHUFFLES` random orders of `n` labels; the batches of a run mostly have one size."""
    return np.random.default_rng(0).permuted(np.tile(np.arange(n), (SHUFFLES, 1)), axis=1)


def _aucs(ranks: NDArray[np.float64], labelings: NDArray[np.int64], n: int) -> list[float]:
    """Return, for each labeling, the share of (same, different) pairs with the same-label pair ranked higher.

    `ranks` are the ranks of all pairs, in the order of `numpy.triu_indices`. `labelings` has a row of codes for each
    shuffle; every row has the same codes, so `n` same-label pairs. Ties count half. Ranks are multiples of one half, so
    the sums are exact in any order.
    """
    table = np.zeros((labelings.shape[1], labelings.shape[1]))
    table[np.triu_indices(len(table), k=1)] = ranks
    repeated = np.flatnonzero(np.bincount(labelings[0]) > 1)
    blocks = []
    for block in np.array_split(labelings, len(labelings) // _BLOCK + 1):
        members = (block[:, None] == repeated[:, None]).astype(np.float64)
        blocks.append(((members @ table) * members).sum(axis=(1, 2)))
    sums = np.concatenate(blocks)
    return [float(value) for value in (sums - n * (n + 1) / 2) / (n * (len(ranks) - n))]


def _similarities(texts: Sequence[str]) -> NDArray[np.float64]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        vectors = TfidfVectorizer(ngram_range=(1, 3), token_pattern=r"[^\W\d_]+").fit_transform(texts)
    except ValueError:  # no words at all
        return np.zeros((len(texts), len(texts)))
    return np.asarray((vectors @ vectors.T).toarray(), dtype=np.float64)
