"""Votes and panels beside one judge at equal judge calls, on noisy judges of known accuracy.

Each simulated judge gives the right one of two labels with a known probability, independently of its other answers and
of other judges. The code from the request to the verdict is that of every run. The binomial distribution tells the
accuracy to expect, so the table shows what votes and panels are worth where errors are independent: the best case.

    python -m evals.panels [--calls 2400] [--seed 0]
"""

import argparse
import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod, sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from blpo.data.image_sources import file_sample
from blpo.inference.open_models import OpenModels, open_models
from blpo.inference.panel_comparison import JudgedSplit, panel_test
from blpo.inference.panel_weights import learned_weights, with_weights
from blpo.inference.verdicts import judge_samples
from blpo.runs.panel_sentence import sentence_of
from evals.noisy_judge import LABELS, register_noisy_judges
from state.sample import Sample
from state.settings import (
    LimitSettings,
    ModelSettings,
    ModelsSettings,
    PanelSettings,
    SearchSettings,
    Settings,
    TaskSettings,
)

_TASK = TaskSettings(kind="categorical", labels=LABELS)
_PROMPT = "Is the image safe?"


@dataclass(frozen=True, slots=True)
class Jury:
    """Judges of known accuracy that answer together."""

    name: str
    accuracies: tuple[float, ...]
    """Accuracy of each judge."""
    votes: int = 1
    """Votes of each judge."""
    rule: str = "majority"

    def models(self, seed: int) -> ModelsSettings:
        """Return the models of the judges; two of equal accuracy are different judges."""
        judges = tuple(
            ModelSettings(name=f"noisy:{accuracy}/{place}/{seed}", votes=self.votes, vision=True)
            for place, accuracy in enumerate(self.accuracies)
        )
        optimizer = ModelSettings(name="embedded:optimizer")
        if len(judges) == 1:
            return ModelsSettings(judge=judges[0], optimizer=optimizer)
        return ModelsSettings(
            judges=judges, panel=PanelSettings.model_validate({"rule": self.rule}), optimizer=optimizer
        )

    @property
    def expected(self) -> float:
        """Accuracy by the binomial distribution, for the majority of two labels; ties count as half right."""
        chances = [accuracy for accuracy in self.accuracies for _ in range(self.votes)]
        total = 0.0
        for outcome in product((True, False), repeat=len(chances)):
            share = 2 * sum(outcome) - len(chances)
            weight = prod(chance if right else 1 - chance for chance, right in zip(chances, outcome, strict=True))
            total += weight * (1.0 if share > 0 else 0.5 if share == 0 else 0.0)
        return total


JURIES = (
    Jury("one call", (0.7,)),
    Jury("five votes", (0.7,), votes=5),
    Jury("best member, three votes", (0.8,), votes=3),
    Jury("three equal judges", (0.7, 0.7, 0.7)),
    Jury("a good and two poor judges", (0.8, 0.6, 0.6)),
    Jury("the same, weighted", (0.8, 0.6, 0.6), rule="weighted"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A jury at work."""

    jury: Jury
    calls: int
    questions: int
    accuracy: float
    noise: float
    """Standard error of `accuracy`."""
    sentence: str
    """The paired test against the best member, or against one answer; empty for one call."""


async def rows(calls: int, seed: int, juries: Sequence[Jury] = JURIES) -> list[Row]:
    """Judge as many samples as the calls pay for, by each jury. Weights come from a tenth of the samples, beside."""
    register_noisy_judges()
    with TemporaryDirectory() as folder:
        item = Path(folder) / "item.png"
        Image.new("RGB", (8, 8)).save(item)
        images = file_sample(item).images
        labels = random.Random(seed).choices(LABELS, k=calls)
        samples = [
            Sample(f"{place}", images, label, text=f"item {place}, truth {label}") for place, label in enumerate(labels)
        ]
        return [await _row(jury, samples, seed) for jury in juries]


async def _row(jury: Jury, samples: Sequence[Sample], seed: int) -> Row:
    models = jury.models(seed)
    settings = Settings.model_construct(
        task=_TASK, models=models, limits=LimitSettings(), search=SearchSettings(metric="accuracy")
    )
    test_samples = samples[: len(samples) // models.answers]
    earlier_samples = samples[len(test_samples) :][: len(samples) // 10] if models.panel else []
    async with open_models(settings) as open_ones:
        validation = JudgedSplit(earlier_samples, await judge_samples(open_ones, _PROMPT, earlier_samples))
        verdicts = await judge_samples(_with_learned(open_ones, validation, settings), _PROMPT, test_samples)
        issued = (await open_ones.caller.usage())["judge"]["issued"] - models.answers * len(earlier_samples)
    test = JudgedSplit(test_samples, verdicts)
    accuracy = sum(verdict.label == sample.label for verdict, sample in zip(verdicts, test_samples, strict=True)) / len(
        test_samples
    )
    compared = panel_test(validation if earlier_samples else test, test, settings)
    sentence = "" if compared is None else sentence_of(compared, "accuracy", jury.name.capitalize())
    return Row(jury, issued, len(test_samples), accuracy, sqrt(accuracy * (1 - accuracy) / len(test_samples)), sentence)


def _with_learned(models: OpenModels, validation: JudgedSplit, settings: Settings) -> OpenModels:
    panel = settings.models.panel
    if panel is None or panel.rule != "weighted":
        return models
    weights = learned_weights(validation.verdicts, validation.samples, settings)
    return replace(models, settings=with_weights(settings, weights))


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a Markdown table, then the sentences of the paired tests."""
    yield "| judge | accuracies | calls | questions | accuracy | by the binomial |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        expected = "" if row.jury.rule == "weighted" else f"{row.jury.expected:.3f}"
        alone = ", ".join(map(str, row.jury.accuracies))
        accuracy = f"{row.accuracy:.3f} ± {row.noise:.3f}"
        yield f"| {row.jury.name} | {alone} | {row.calls} | {row.questions} | {accuracy} | {expected} |"
    yield ""
    yield from (f"- {row.sentence}" for row in rows if row.sentence)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Votes and panels beside one judge, at equal judge calls.")
    parser.add_argument("--calls", type=int, default=2400, help="judge calls of each row")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print("\n".join(table(asyncio.run(rows(options.calls, options.seed)))))


if __name__ == "__main__":
    main()
