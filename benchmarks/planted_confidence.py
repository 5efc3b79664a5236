"""Planted log-probabilities, the whole way from a server to the summary of `blpo judge`: is the error measured?

    python -m benchmarks.planted_confidence [--answers 20000] [--over-sure 0.1]

A server answers yes or no with a known probability c between 0.6 and 1. The answer is right with the probability c -
`over-sure`, so the expected calibration error of endlessly many answers is `over-sure`. Three numbers are compared: the
planted error, the error by hand from the planted probabilities, and `ece` in the summary. Bounds: hand and summary are
equal to six digits (the digits of a line); the summary is within 0.01 of the planted error at 20,000 answers.
"""

import argparse
import asyncio
import csv
import json
import math
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from PIL import Image

from blpo.deployment.judge_set import judge_set
from tests.servers.chat_server import ChatServer, Reply

MOST_DISTANCE = 0.01
"""Bound for the distance of the measured error to the planted one."""
LABELS = ("no", "yes")
_NUMBER = re.compile(r"answer number (\d+)")


@dataclass(frozen=True, slots=True)
class PlantedAnswer:
    """Answer of the server, and people's label."""

    probability: float
    """Probability of the answer's label."""
    label: str
    human: str

    @property
    def is_right(self) -> bool:
        """True if the answer is people's label."""
        return self.label == self.human

    @property
    def logprobs(self) -> dict[str, Any]:
        """Log-probabilities of the label and of the other label, as OpenAI's servers tell them."""
        other = LABELS[self.label == LABELS[0]]
        chances = {self.label: self.probability, other: 1 - self.probability}
        alternatives = [{"token": token, "logprob": math.log(chance)} for token, chance in chances.items()]
        words = ('{"reason": "planted", "label": "', self.label, '"}')
        tokens: list[dict[str, Any]] = [{"token": word, "logprob": 0.0, "top_logprobs": []} for word in words]
        tokens[1] |= {"logprob": alternatives[0]["logprob"], "top_logprobs": alternatives}
        return {"content": tokens}


@dataclass(frozen=True, slots=True)
class Measured:
    """Expected calibration errors."""

    planted: float
    by_hand: float
    told: float
    """In the summary."""


def draw_answers(count: int, over_sure: float, seed: int = 0) -> list[PlantedAnswer]:
    """Draw answers with probabilities between 0.6 and 1."""
    generator = np.random.default_rng(seed)
    probabilities = generator.uniform(0.6, 0.9999, count)
    right = generator.uniform(size=count) < probabilities - over_sure
    labels = generator.integers(0, 2, count)
    return [
        PlantedAnswer(float(probability), LABELS[label], LABELS[label if is_right else 1 - label])
        for probability, label, is_right in zip(probabilities, labels.tolist(), right.tolist(), strict=True)
    ]


def error_by_hand(answers: Sequence[PlantedAnswer]) -> float:
    """Return the mean over ten bins, by their size, of |mean probability - share of right answers|."""
    total = 0.0
    for place in range(10):
        own = [each for each in answers if place < math.ceil(each.probability * 10) <= place + 1]
        total += abs(sum(each.probability for each in own) - sum(each.is_right for each in own))
    return total / len(answers)


async def measure(folder: Path, count: int, over_sure: float) -> Measured:
    """Judge `count` samples by a served judge with planted answers."""
    answers = draw_answers(count, over_sure)

    async def respond(request: dict[str, Any]) -> Reply:
        number = _NUMBER.search(json.dumps(request["messages"]))
        assert number is not None
        answer = answers[int(number[1])]
        text = "".join(token["token"] for token in answer.logprobs["content"])
        return Reply(text, 100, 10, {"logprobs": answer.logprobs})

    async with ChatServer(respond=respond) as server:
        model = {"name": "vllm:judge", "base_url": server.base_url, "logprobs": True, "confidence": "logprobs"}
        judge = {
            "judge_prompt": "Is it so?",
            "task": {"kind": "categorical", "labels": list(LABELS)},
            "model": {**model, "max_concurrency": 64},
        }
        (folder / "judge.yaml").write_text(yaml.safe_dump(judge))
        _write_labels(folder, answers)
        summary = await judge_set(folder / "judge.yaml", folder / "labels.csv")
    quality = summary["confidence"]["quality"]
    assert quality is not None and quality["samples"] == count
    return Measured(over_sure, error_by_hand(answers), quality["ece"])


def _write_labels(folder: Path, answers: Sequence[PlantedAnswer]) -> None:
    Image.new("RGB", (8, 8)).save(folder / "image.png")
    with (folder / "labels.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "image", "text", "label"))
        rows.writerows((i, "image.png", f"answer number {i}", each.human) for i, each in enumerate(answers))


def main() -> int:
    """Print the three errors; return 1 if a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=20_000)
    parser.add_argument("--over-sure", type=float, default=0.1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blpo-planted-") as folder:
        errors = asyncio.run(measure(Path(folder), options.answers, options.over_sure))
    print(f"planted {errors.planted:.4f}, by hand {errors.by_hand:.6f}, in the summary {errors.told:.6f}")
    is_equal = math.isclose(errors.by_hand, errors.told, abs_tol=1e-6)
    return 0 if is_equal and abs(errors.told - errors.planted) <= MOST_DISTANCE else 1


if __name__ == "__main__":
    sys.exit(main())
