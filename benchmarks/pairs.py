"""Pairs, measured: which of two images people prefer, with embedded models.

    python -m benchmarks.pairs --avt FOLDER [--sets appeal realism] [--seeds 5] [--out DIR]
    python -m benchmarks.pairs --sets sample

The pairs are those of `blpo data pairs`: every two images of one prompt whose mean ratings differ by at least 0.3, in
sides drawn from a seed. FOLDER is a copy of avt_ai_images (145 AI images and photographs, rated by people). `sample` is
the built-in sample, whose ratings a program made: pairs of scenes of one kind, or of crops of one region.

A line for every seed: accuracy over both orders and `first_rate` of p_0 and of the selected prompt, consistent
accuracy, and the p-value of the run. A seed draws the splits anew; pairs of a prompt stay together. Then the mean over
seeds, and the test of all seeds together, with the prompts as clusters (`blpo/metrics/seed_comparison.py`).

Cells run in two processes. The same call continues: a finished cell is not run again.
"""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from langgraph.runtime import RunControl

from blpo.config.settings_file import load_settings
from blpo.data.builtin.dataset_folder import write_sample
from blpo.data.pairing import PairingOptions, write_pairs
from blpo.metrics.seed_comparison import PairedAnswer, compare_seeds
from blpo.runs.run_record import RunRecord
from evals.attribute_classifier import ceiling
from evals.cells import Cell
from evals.experiment_settings import EvalDataset, EvalSettings
from evals.harness import Harness
from state.errors import BlpoError
from state.metrics import Metrics
from state.settings import Settings


def _question(quality: str) -> str:
    return f"Look at the two images and decide which one is more {quality}."


_RATED = PairingOptions(label="label", group="prompt_id", least=0.3)
_SAMPLE = PairingOptions(label="label", group="content", least=1, most=30)
SETS: Mapping[str, tuple[str, PairingOptions]] = {
    "appeal": ("labels_appeal.csv", replace(_RATED, question=_question("appealing"))),
    "realism": ("labels.csv", replace(_RATED, question=_question("realistic"))),
    "sample": ("labels.csv", replace(_SAMPLE, question=_question("natural"))),
}
"""File with the ratings, and the rule of the pairs, by set."""
_SPLIT = "data.split={train: 0.4, validation: 0.3, test: 0.3}"
"""Every seed draws new splits, whatever splits the source names."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Line:
    """Result of one seed on the test split."""

    seed: int
    run: RunRecord
    initial: Metrics
    best: Metrics
    p_value: float
    ceiling: float
    """Accuracy of the logistic regression on differences of attributes."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cells and print the tables; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.avt is None and set(options.sets) != {"sample"}:
        parser.error("give the folder of avt_ai_images with --avt, or --sets sample")
    try:
        for name in options.sets:
            print(table(name, _lines(name, options)), flush=True)
    except BlpoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def table(name: str, lines: Sequence[Line]) -> str:
    """Return the lines of the seeds, their mean, and the test of all seeds."""
    rows = [
        f"{name}: {_size(lines[0])}",
        f"{'seed':>6}{'pairs':>7}{'groups':>8}{'p_0':>8}{'first':>7}{'best':>8}{'first':>7}{'both':>8}{'ceiling':>9}"
        f"{'p':>8}",
    ]
    rows += [_row(str(line.seed), [line], f"{line.p_value:8.3f}") for line in lines]
    rows.append(_row("mean", lines, ""))
    test = compare_seeds([_answers(line.run) for line in lines], lines[0].run.settings.task, "accuracy")
    rows.append(
        f"  difference of accuracy {test.difference:+.3f} [{test.interval[0]:+.3f}, {test.interval[1]:+.3f}],"
        f" p = {test.p_value:.2g}; {test.seeds} seeds, {test.samples} answers, {test.groups} groups;"
        f" p < {LEVEL} within a seed: {sum(line.p_value < LEVEL for line in lines)} of {len(lines)}"
    )
    return "\n".join(rows)


def _row(head: str, lines: Sequence[Line], tail: str) -> str:
    means = [
        fmean(float(metrics["strict"][metric] or 0.0) for metrics in (getattr(line, prompt) for line in lines))
        for prompt, metric in (
            ("initial", "accuracy"),
            ("initial", "first_rate"),
            ("best", "accuracy"),
            ("best", "first_rate"),
            ("best", "consistent_accuracy"),
        )
    ]
    counts = f"{fmean(line.best['n'] for line in lines):7.0f}{fmean(map(_groups, lines)):8.1f}"
    numbers = "".join(f"{mean:{width}.3f}" for mean, width in zip(means, (8, 7, 8, 7, 8), strict=True))
    return f"{head:>6}{counts}{numbers}{fmean(line.ceiling for line in lines):9.3f}{tail}"


def _size(line: Line) -> str:
    rows = line.run.best.values()
    return f"{len(rows)} pairs in {len({row.group for row in rows})} groups"


def _groups(line: Line) -> int:
    return len({row.group for row in line.run.best.values() if row.split == "test"})


def _answers(run: RunRecord) -> list[PairedAnswer]:
    """Return a row for every order of every test pair."""
    return [
        PairedAnswer(f"{name}/{old.order}", row.label, old.label, new.label, row.group)
        for name, row in run.initial.items()
        if row.split == "test"
        for old, new in zip(row.orders, run.best[name].orders, strict=True)
        if "error" not in (old.status, new.status)
    ]


def _lines(name: str, options: argparse.Namespace) -> list[Line]:
    folder = _pairs(name, options)
    settings = load_settings(folder / "config.yaml")
    dataset = EvalDataset(name=name, task=settings.task, data=settings.data, prompts=settings.prompts)
    evals = EvalSettings.model_validate(
        {
            "methods": ["blpo"],
            "datasets": [dataset],
            "judges": [{"name": "embedded"}],
            "seeds": tuple(range(options.first_seed, options.first_seed + options.seeds)),
            "budget": {"calls": options.calls},
            "test": "on_top",
            "parallel": options.parallel,
        }
    )
    harness = Harness(evals, options.out / name, _progress, RunControl())
    asyncio.run(harness.run())
    return [_line(cell) for cell in harness.cells if (cell.path / "verdicts" / "best.jsonl").exists()]


def _line(cell: Cell) -> Line:
    run = RunRecord.read(cell.path)
    test = run.result["test"]
    assert test is not None
    same_data = Settings(task=cell.settings.task, data=cell.settings.data)
    top = ceiling(same_data, cell.seed).test["accuracy"] or 0.0
    return Line(cell.seed, run, test["initial"], test["best"], test["p_value"], top)


def _pairs(name: str, options: argparse.Namespace) -> Path:
    """Return the dataset folder of the pairs, which is made if it does not exist."""
    file, rule = SETS[name]
    folder: Path = options.out / "pairs" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        write_pairs(_source(name, options) / file, folder, rule, (_SPLIT,))
    return folder


def _source(name: str, options: argparse.Namespace) -> Path:
    if name != "sample":
        return Path(options.avt).absolute()
    folder = Path(options.out).absolute() / "sample-images"
    if not folder.exists():
        write_sample(folder)
    return folder


def _progress(event: Mapping[str, Any]) -> None:
    if event["event"] == "cell_ended":
        print(f"{event['cell']}  {event['result'].value:.3f}  {event['result'].reason}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--avt", type=Path, help="folder of avt_ai_images")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=["appeal", "realism"])
    parser.add_argument("--seeds", type=int, default=5, help="number of seeds")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--calls", type=int, help="budget of a search, without the test; default: none")
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/pairs"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
