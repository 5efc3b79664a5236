"""The search, measured: sets x rules x budgets x seeds, with embedded models.

    python -m benchmarks.search [--sets sample taste ...] [--rules pooled scored ...] [--calls 800 2000] [--seeds 20]
    python -m benchmarks.search --avt FOLDER --nlvr FOLDER --sets open
    python -m benchmarks.search --sets drawn --train 0.67
    python -m benchmarks.search --sets taste --shuffled 40
    python -m benchmarks.search --trials

Budgets are calls of the search over all roles; the calls of the test come on top. Tables show the mean of the metric on
test, its difference to the pooled search with the 95 % interval over seeds and samples, the share of the way from p_0
to a logistic regression on all labels of train and validation (`evals/attribute_classifier.py`), and calls by role. A
seed draws the splits anew. `cells.csv` has a line for every cell. `--shuffled` runs on shuffled labels and counts the
runs that are called better. `--trials` runs no cell, and prints the rank correlation of trial scores with the true gain
within a round of scored trials (`benchmarks/trial_scores.py`).

Cells run in two processes. The same call continues: a finished cell is not run again.
"""

import argparse
import asyncio
import csv
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

from langgraph.runtime import RunControl

from benchmarks.drawn_sets import DRAWN_SETS, drawn_config
from benchmarks.search_tables import Row, budget_table, rows_of, shuffled_line
from benchmarks.trial_scores import correlations
from blpo.config.settings_file import load_settings
from blpo.data.dataset import load_dataset
from blpo.data.run_dataset import dataset_of
from evals.cells import Cell
from evals.experiment_settings import EvalDataset, EvalSettings
from evals.harness import Harness, OnExperimentEvent
from state.errors import BlpoError
from state.settings import DataSettings, Settings
from state.settings.data_settings import SplitShares

RULES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "pooled": ("blpo", {}),
    "scored": ("blpo", {"trials": "scored"}),
    "paper": ("blpo", {"preset": "paper"}),
    "frozen q": ("blpo", {"inner_steps": 0}),
    "n = 20": ("blpo", {"error_batch": 20}),
    "n = 40": ("blpo", {"error_batch": 40}),
    "K = 1": ("blpo", {"inner_steps": 1}),
    "K = 5": ("blpo", {"inner_steps": 5}),
    "random I2T": ("random_i2t", {}),
    "random I2T, pooled": ("random_i2t_pooled", {}),
    "fixed I2T": ("fixed_i2t", {}),
    "no image": ("no_image", {}),
    "apo": ("apo", {}),
    "opro": ("opro", {}),
    "textgrad": ("textgrad", {}),
    "gepa": ("gepa", {}),
}
"""Method and search settings by rule. `pooled` is the default search; the other rules are compared with it."""
_EXAMPLES = Path(__file__).parent.parent / "examples"
_FILES = {
    "appeal": ("avt-appeal-median.yaml", "labels_appeal.csv"),
    "realism": ("avt-realism-median.yaml", "labels.csv"),
    "nlvr": ("nlvr.yaml", "labels.csv"),
    "appeal-ordinal": ("avt-appeal-ordinal.yaml", "labels_appeal.csv"),
    "realism-ordinal": ("avt-realism-ordinal.yaml", "labels.csv"),
    "match-ordinal": ("avt-match-ordinal.yaml", "labels_alignment.csv"),
}
_USUAL_RULES = ("pooled", "scored", "random I2T", "fixed I2T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cells and print the tables; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.trials:
            return _print_correlations(options)
        datasets = list(_datasets(options))
        rows = [row for calls in options.calls for row in _measure(datasets, calls, options)]
        _write(options.out / "cells.csv", rows)
        if options.shuffled:
            print("\n".join(shuffled_line(rows, rule, calls) for calls in options.calls for rule in options.rules))
        else:
            print("\n\n".join(budget_table(rows, calls) for calls in options.calls))
    except BlpoError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _measure(datasets: Sequence[EvalDataset], calls: int, options: argparse.Namespace) -> Iterator[Row]:
    """Yield a row for every cell of a budget. An experiment is a rule on all sets with test splits of the same size."""
    seeds = (0,) if options.shuffled else tuple(range(options.seeds))
    by_size: dict[int, list[EvalDataset]] = {}
    for dataset in datasets:
        by_size.setdefault(_test_size(dataset), []).append(dataset)
    for rule, (size, group) in product(options.rules, by_size.items()):
        method, search = RULES[rule]
        evals = EvalSettings.model_validate(
            {
                "methods": [method],
                "datasets": group,
                "judges": [{"name": "embedded"}],
                "seeds": seeds,
                "budget": {"calls": calls + 2 * size},
                "search": search,
                "parallel": options.parallel,
            }
        )
        name = f"{calls}-{rule.replace(' ', '')}-{size}{'-shuffled' if options.shuffled else ''}"
        harness = Harness(evals, options.out / name, _progress(name), RunControl())
        asyncio.run(harness.run())
        done = [cell for cell in harness.cells if _is_done(cell)]
        yield from rows_of(rule, calls, done, is_shuffled=bool(options.shuffled))


def _print_correlations(options: argparse.Namespace) -> int:
    for name in _names(options):
        seeds = (["search.trials=scored", f"search.seed={seed}"] for seed in range(options.seeds))
        runs = [load_settings(_config(name), [*_overrides(name, options), *seed]) for seed in seeds]
        print(correlations(name, runs), flush=True)
    return 0


def _test_size(dataset: EvalDataset) -> int:
    return len(load_dataset(dataset.data, dataset.task, 0).splits["test"])


def _is_done(cell: Cell) -> bool:
    return (cell.path / "verdicts" / "best.jsonl").exists()


def _progress(name: str) -> OnExperimentEvent:
    def tell(event: Mapping[str, Any]) -> None:
        if event["event"] == "cell_ended":
            result = event["result"]
            print(f"{name}  {event['cell']}  {result.value:.3f}  {result.reason}", file=sys.stderr, flush=True)

    return tell


def _datasets(options: argparse.Namespace) -> Iterator[EvalDataset]:
    for name in _names(options):
        settings = load_settings(_config(name), _overrides(name, options))
        data = _with_train_share(settings.data, options.train)
        parts: dict[str, Any] = {"task": settings.task, "data": data, "prompts": settings.prompts}
        if not options.shuffled:
            yield EvalDataset(name=name, **parts)
        for number in range(options.shuffled):
            corrections = options.out / "labels" / f"{name}-{number}.csv"
            _write_shuffled(name, settings, number, corrections)
            shuffled = data.model_copy(update={"corrections": str(corrections.absolute())})
            yield EvalDataset(name=f"{name}-{number}", **{**parts, "data": shuffled})


def _names(options: argparse.Namespace) -> list[str]:
    return list(dict.fromkeys(name for each in options.sets for name in _expanded(each, options)))


def _with_train_share(data: DataSettings, share: float | None) -> DataSettings:
    """Return the settings with `share` of the samples of train and validation in train; unchanged for None."""
    if share is None or not isinstance(data.split, SplitShares):
        return data
    both = data.split.train + data.split.validation
    split = data.split.model_copy(update={"train": both * share, "validation": both * (1 - share)})
    return data.model_copy(update={"split": split})


def _expanded(name: str, options: argparse.Namespace) -> list[str]:
    if name == "drawn":
        return list(DRAWN_SETS)
    if name == "open":
        return ["sample", *(["appeal", "realism"] if options.avt else []), *(["nlvr"] if options.nlvr else [])]
    if name == "ordinal":
        return [each for each in _FILES if each.endswith("-ordinal") and options.avt]
    return [name]


def _config(name: str) -> Path | None:
    if name == "sample":
        return None
    return _EXAMPLES / _FILES[name][0] if name in _FILES else drawn_config(name)


def _overrides(name: str, options: argparse.Namespace) -> list[str]:
    folder = options.nlvr if name == "nlvr" else options.avt
    return [f"data.path={folder.absolute() / _FILES[name][1]}"] if name in _FILES and folder else []


def _write_shuffled(name: str, settings: Settings, number: int, file: Path) -> None:
    """Write the labels of all samples in a random order, as a file of corrections."""
    samples = list(dataset_of(settings).by_id.values())
    labels = [sample.label for sample in samples]
    Random(f"{name}/{number}").shuffle(labels)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("id", "label"), *zip((s.id for s in samples), labels, strict=True)])


def _write(file: Path, rows: Sequence[Row]) -> None:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(Row)])
        writer.writeheader()
        writer.writerows(map(asdict, rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["drawn"], help="names, `drawn`, `open` or `ordinal`")
    parser.add_argument("--rules", nargs="+", choices=RULES, default=_USUAL_RULES)
    parser.add_argument("--calls", nargs="+", type=int, default=[800, 2000], help="budgets of a cell, without the test")
    parser.add_argument("--seeds", type=int, default=20, help="number of seeds, from 0")
    parser.add_argument("--train", type=float, help="share of train in train and validation")
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--avt", type=Path, help="folder of avt_ai_images")
    parser.add_argument("--nlvr", type=Path, help="folder of nlvr")
    parser.add_argument("--shuffled", type=int, default=0, metavar="N", help="run on N shuffles of the labels")
    parser.add_argument("--trials", action="store_true", help="rank correlations of trial scores, without runs")
    parser.add_argument("--out", type=Path, default=Path("runs/search"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
