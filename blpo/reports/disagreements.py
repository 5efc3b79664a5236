"""Where the best prompt and people still differ."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blpo.config.settings_file import load_settings
from blpo.inference.session import dataset_of
from blpo.metrics.loss import loss
from blpo.runs.run_directory import read_info
from state.errors import DataError, RunError
from state.sample import Label
from state.settings import Settings, TaskSettings
from state.verdict import Verdict

ORDER = {
    True: "by the probability that the judge holds its own label for, highest first",
    False: (
        "by distance from people's label, then those that the initial prompt judged the same way (the judge gave no"
        " probabilities: set models.judge.logprobs where its server has them)"
    ),
}
"""How disagreements are ordered: with label scores, and without."""


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A sample that the best prompt judges otherwise than people."""

    id: str
    split: str
    label: Label
    """What people say."""
    verdict: Label
    """What the judge says under the best prompt."""
    confidence: float | None
    """How probable the judge holds its own label, in [0, 1]; None where it gave no log-probabilities."""
    distance: float
    """The verdict's loss, in [0, 1]."""
    steady: bool
    """Whether the initial prompt gave the same verdict."""
    reason: str
    """The judge's own."""
    image: str
    """Its file or row; empty where the dataset is not there any more."""


def disagreements(run: str | Path) -> list[Disagreement]:
    """The samples of a finished run whose best verdict differs from people's label, most confident first (`ORDER`).

    Raises `RunError` where `run` is no run directory, or not finished.
    """
    path = Path(run)
    read_info(path)
    settings = load_settings(path / "config.yaml")
    initial = {row["id"]: row["verdict"] for row in verdicts_of(path, "initial")}
    wrong = [r for r in verdicts_of(path, "best") if r["status"] == "ok" and r["verdict"] != r["label"]]
    images = _images(settings)
    found = [_disagreement(row, initial.get(row["id"]), settings.task, images.get(row["id"], "")) for row in wrong]
    return sorted(found, key=_rank)


def verdicts_of(run: Path, name: str) -> list[dict[str, Any]]:
    """The rows of verdicts/NAME.jsonl; raises `RunError` where there are none."""
    file = run / "verdicts" / f"{name}.jsonl"
    try:
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:
        raise RunError(f"{run} has no verdicts yet; they are written when it is finished: blpo resume {run}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{file} can't be read ({error}); restore it") from None


def _disagreement(row: dict[str, Any], before: Label | None, task: TaskSettings, image: str) -> Disagreement:
    verdict = Verdict(row["id"], "ok", row["verdict"])
    confidence = row.get("scores", {}).get(str(row["verdict"]))
    distance = loss(verdict, row["label"], task) or 0.0
    steady = before == row["verdict"]
    return Disagreement(
        row["id"], row["split"], row["label"], row["verdict"], confidence, distance, steady, row["reason"], image
    )


def _rank(found: Disagreement) -> tuple[bool, float, float, bool, str]:
    return found.confidence is None, -(found.confidence or 0.0), -found.distance, not found.steady, found.id


def _images(settings: Settings) -> dict[str, str]:
    try:
        samples = dataset_of(settings).by_id.values()
    except DataError:
        return {}
    return {s.id: ", ".join(str(getattr(image, "path", image.name)) for image in s.images) for s in samples}


def rows(found: Sequence[Disagreement]) -> list[dict[str, Any]]:
    """As plain values."""
    return [{name: getattr(each, name) for name in Disagreement.__slots__} for each in found]
