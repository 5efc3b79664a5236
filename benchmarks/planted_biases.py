"""Audits of simulated judges with planted biases: do intervals cover, and is an unbiased judge rarely called biased?

    python -m benchmarks.planted_biases [--seeds 500] [--samples 50]

A seed draws samples and a judge, and runs the probes of `blpo audit` over them; only the model is simulated. Planted:

- *length*: the hidden score rises by 0.2 with the words that the probe adds, so 20 % of the ratings rise;
- *non-determinism*: a new question has another answer with probability 0.1, higher as often as lower;
- *position*: 30 % of the pairs have the answer "first" in both orders;
- *circle*: 30 % of the groups of three images are preferred in a circle;
- *none*: only the non-determinism (also of 0.6, where tests have more changes to go by), over all probes.

Bounds: the 95 % interval of the rate covers the planted rate in at least 92 % of the seeds. Without a bias each probe
has a p-value below 0.05 in at most 7 % of the seeds, and the audit (Holm) names a biased probe in at most 10 %.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from blpo.audit.all_probes import NAMES
from blpo.audit.probe import AuditContext, Question
from blpo.audit.results import ProbeResult
from blpo.audit.run_audit import Audit
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import OrderedVerdict, Verdict

LEAST_COVERED, MOST_REPORTED, MOST_AUDITS = 0.92, 0.07, 0.10
NOISE, SLOPE, LEAN, CIRCLES = 0.1, 0.2, 0.3, 0.3
RATINGS = TaskSettings(higher_is="better")
PAIRS = TaskSettings(kind="pairwise")
_TEXT = "a red cup"


@dataclass(frozen=True, slots=True)
class Drawing:
    """Image without a file: simulated judges look at names alone."""

    name: str

    def read(self) -> bytes:
        """Return no bytes."""
        return b""


class RatingJudge:
    """Judge with hidden scores. The rating is the whole part of the score; a new question moves some ratings by one."""

    def __init__(self, generator: np.random.Generator, noise: float = 0.0, slope: float = 0.0) -> None:
        self._generator, self._noise, self._slope = generator, noise, slope
        self._scores: dict[str, float] = {}

    async def ask(self, question: Question) -> Verdict:
        """Return the rating; the first question about a sample draws the sample's score."""
        sample = question.sample
        name = sample.images[0].name.partition(" (")[0]
        is_first = name not in self._scores
        if is_first:
            self._scores[name] = float(self._generator.uniform(2, 4))
        is_longer = len((sample.text or "").split()) > 30
        rating = int(self._scores[name] + self._slope * is_longer)
        if not is_first and self._generator.uniform() < self._noise:
            rating += int(self._generator.choice([-1, 1]))
        return Verdict(sample.id, "ok", rating)


class PairJudge:
    """Judge of pairs of images of three: with a lean to the first, with circles, or with noise in each answer."""

    def __init__(
        self, generator: np.random.Generator, noise: float = 0.0, lean: float = 0.0, circles: float = 0.0
    ) -> None:
        self._generator, self._noise, self._lean, self._share = generator, noise, lean, circles
        self._circles: dict[str, bool] = {}

    async def ask(self, question: Question) -> Verdict:
        """Return the answers in both orders. The better image has the lower number, but 2 beats 0 in a circle."""
        sample = question.sample
        group = str(sample.group)
        if group not in self._circles:
            self._circles[group] = bool(self._generator.uniform() < self._share)
        a, b = (int(image.name.split()[1]) for image in sample.images)
        prefers_a = (a < b) != (self._circles[group] and {a, b} == {0, 2})
        label = {True: "a", False: "b"}
        answers = [prefers_a != (self._generator.uniform() < self._noise) for _ in range(2)]
        if self._generator.uniform() < self._lean:
            answers = [True, False]
        orders = OrderedVerdict("ab", "ok", label[answers[0]]), OrderedVerdict("ba", "ok", label[answers[1]])
        return Verdict(sample.id, "ok", None, orders=orders)


def images_of(samples: int) -> list[Sample]:
    """Return samples of one image; every second one has a text, so that all probes have a sample."""
    return [Sample(f"s{i}", (Drawing(f"s{i}"),), None, text=_TEXT if i % 2 else None) for i in range(samples)]


def texts_of(samples: int) -> list[Sample]:
    """Return samples of one image with a text."""
    return [Sample(f"s{i}", (Drawing(f"s{i}"),), None, text=_TEXT) for i in range(samples)]


def pairs_of(samples: int, pairs: Sequence[tuple[int, int]] = ((0, 1), (1, 2))) -> list[Sample]:
    """Return pairs of images of three, in groups of that many pairs."""
    places = [(number, *pairs[place % len(pairs)]) for place in range(samples) for number in (place // len(pairs),)]
    return [
        Sample(f"p{place}", (Drawing(f"g{g} {a}"), Drawing(f"g{g} {b}")), None, group=f"g{g}")
        for place, (g, a, b) in enumerate(places)
    ]


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted rate of one probe."""

    name: str
    probe: str
    rate: float
    task: TaskSettings
    samples: Callable[[int], list[Sample]]
    judge: Callable[[np.random.Generator], Callable[[Question], Awaitable[Verdict]]]


PLANTED = (
    Planted("length", "length", SLOPE, RATINGS, texts_of, lambda g: RatingJudge(g, slope=SLOPE).ask),
    Planted("non-determinism", "repeat", NOISE, RATINGS, images_of, lambda g: RatingJudge(g, NOISE).ask),
    Planted("position", "swap", LEAN, PAIRS, pairs_of, lambda g: PairJudge(g, lean=LEAN).ask),
    Planted(
        "circle", "transitivity", CIRCLES, PAIRS, lambda n: pairs_of(2 * n), lambda g: PairJudge(g, circles=CIRCLES).ask
    ),
)
UNBIASED = (
    Planted("ratings", "", NOISE, RATINGS, images_of, lambda g: RatingJudge(g, NOISE).ask),
    Planted("unsteady", "", 0.6, RATINGS, images_of, lambda g: RatingJudge(g, 0.6).ask),
    Planted("pairs", "", NOISE, PAIRS, pairs_of, lambda g: PairJudge(g, NOISE).ask),
)


def audits(planted: Planted, seeds: int, samples: int, names: Sequence[str]) -> Iterator[dict[str, ProbeResult]]:
    """Yield the results of the probes for each seed."""
    for seed in range(seeds):
        ask = planted.judge(np.random.default_rng(seed))
        work = Audit(ask, AuditContext(planted.task, "the same in other words"), 1, lambda name: None)
        results, _ = asyncio.run(work.run(planted.samples(samples), names))
        yield results


def share_covered(planted: Planted, seeds: int, samples: int) -> float:
    """Return the share of seeds whose interval covers the planted rate."""
    intervals = [each[planted.probe]["ci95"] for each in audits(planted, seeds, samples, [planted.probe])]
    return sum(ends is not None and ends[0] <= planted.rate <= ends[1] for ends in intervals) / seeds


def reports(planted: Planted, seeds: int, samples: int) -> tuple[dict[str, float], float]:
    """Return the share of seeds with a p-value below 0.05 by probe, and that of audits with a biased probe."""
    single, whole = Counter[str](), 0
    for results in audits(planted, seeds, samples, NAMES):
        tested = {name: each["p_value"] for name, each in results.items() if "p_value" in each}
        single.update({name: int(p_value < 0.05) for name, p_value in tested.items()})
        whole += any(each.get("biased", False) for each in results.values())
    return {name: count / seeds for name, count in single.items()}, whole / seeds


def main() -> int:
    """Print a row for each planted bias and for each probe of an unbiased judge; return 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=500)
    parser.add_argument("--samples", type=int, default=50)
    options = parser.parse_args()
    is_kept = True
    for planted in PLANTED:
        covered = share_covered(planted, options.seeds, options.samples)
        is_kept &= covered >= LEAST_COVERED
        print(f"{planted.name:16} {planted.rate:.2f} by {planted.probe:13} covered {covered:6.1%}", flush=True)
    for planted in UNBIASED:
        single, whole = reports(planted, options.seeds, options.samples)
        is_kept &= max(single.values()) <= MOST_REPORTED and whole <= MOST_AUDITS
        for probe, share in single.items():
            print(f"unbiased {planted.name:8} {probe:16} reported {share:6.1%}")
        print(f"unbiased {planted.name:8} {'the audit (Holm)':16} reported {whole:6.1%}", flush=True)
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
