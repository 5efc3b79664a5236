"""Run directories written by tests: any number of verdicts, with images, without a model."""

import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from blpo.config.settings_file import load_settings
from blpo.data.run_dataset import dataset_of
from blpo.metrics.agreement import metrics
from blpo.metrics.significance import compare_prompts
from blpo.runs.run_directory import RunDirectory
from blpo.runs.verdict_rows import verdict_line
from state.loops import RoundRecord
from state.metrics import SplitMetrics
from state.metrics_on_test import TestMetrics as OnTest
from state.result import Result
from state.role_usage import RoleUsage
from state.round_result import RoundResult, TrialResult
from state.sample import Label, Sample
from state.verdict import OrderedVerdict, Verdict
from tests.small_set import write_labels

Answer = Callable[[int, Sample], Label | tuple[Label | None, Label | None] | None]
"""The judge's label for the i-th sample; None for a refusal. Two labels: of a pair in the orders ab and ba."""


def draw_images(folder: Path, labels: Sequence[str], side: int, noise: float = 8.0) -> None:
    """Write a dataset of `len(labels)` images with soft colours and noise."""
    generator = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    rows = []
    for i, label in enumerate(labels):
        soft = Image.fromarray(generator.integers(0, 255, (6, 6, 3), dtype=np.uint8)).resize((side, side))
        pixels = np.asarray(soft, dtype=np.float64) + generator.normal(0, noise, (side, side, 3))
        name = f"images/{i:04}.jpg"
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name, quality=85)
        rows.append({"id": f"s{i:04}", "image": name, "label": label})
    write_labels(folder, rows)


def draw_image_pairs(folder: Path, labels: Sequence[str], side: int) -> None:
    """Write a dataset of pairs: every image of `draw_images` with an image of its own shape and colour."""
    draw_images(folder, labels, side)
    rows = []
    for i, label in enumerate(labels):
        name = f"images/{i:04}b.png"
        Image.new("RGB", (side, side * 2 // 3), (i % 250, 90, 160 + i // 250)).save(folder / name)
        rows.append({"id": f"p{i:04}", "image_a": f"images/{i:04}.jpg", "image_b": name, "label": label})
    write_labels(folder, rows)


def make_run(
    folder: Path,
    task: dict[str, object],
    prompts: Sequence[str],
    before: Answer,
    after: Answer,
    best: int = -1,
    metric: str = "macro_f1",
    columns: dict[str, object] | None = None,
) -> Path:
    """Write a finished run over the dataset in `folder`, with prompt t in round t; return the run directory.

    `columns` are settings of `data` beside the path and the split.
    """
    path = folder / "run"
    data = {
        **(columns or {}),
        "path": str(folder / "labels.csv"),
        "split": {"train": 0.25, "validation": 0.25, "test": 0.5},
    }
    search = {} if metric == "macro_f1" else {"metric": metric}
    settings = load_settings({"task": task, "data": data, "search": search, "run": {"dir": str(path)}})
    dataset = dataset_of(settings)
    run = RunDirectory.create(settings, path, dataset.fingerprint, "00000000-0000-0000-0000-000000000000")
    rows = [(split, sample) for split in ("train", "validation", "test") for sample in dataset.splits[split]]
    answers = {}
    for name, answer in (("initial", before), ("best", after)):
        verdicts = [_verdict(sample, answer(i, sample)) for i, (_, sample) in enumerate(rows)]
        answers[name] = verdicts
        lines = zip(rows, verdicts, strict=True)
        run.write_lines(
            f"verdicts/{name}.jsonl", [verdict_line(sample, v) | {"split": split} for (split, sample), v in lines]
        )

    def measured(name: str, part: str) -> tuple[list[Verdict], list[Label | None]]:
        chosen = [i for i, (split, _) in enumerate(rows) if split == part]
        return [answers[name][i] for i in chosen], [rows[i][1].label for i in chosen]

    validation = {name: metrics(*measured(name, "validation"), settings.task) for name in answers}
    (old, labels), (new, _) = measured("initial", "test"), measured("best", "test")
    p_value, interval = compare_prompts(old, new, labels, settings.task, metric, 0)
    last = len(prompts) - 1
    usage = RoleUsage(issued=1200, cached=300, failed=1, input_tokens=345678, output_tokens=9876, usd=1.5)
    result = Result(
        format=1,
        status="complete",
        stop_reason="rounds",
        metric=metric,
        validation=SplitMetrics(initial=validation["initial"], best=validation["best"]),
        test=OnTest(
            initial=metrics(old, labels, settings.task),
            best=metrics(new, labels, settings.task),
            p_value=p_value,
            difference_ci95=list(interval),
        ),
        rounds=[
            RoundResult(
                round=t,
                judge_prompt=prompt,
                i2t_prompt=f"Describe {t} things.",
                validation=validation["best" if t == last else "initial"],
                errors=0,
                trials=[TrialResult(i2t_prompt="q", score=0.1)] if t < last else [],
            )
            for t, prompt in enumerate(prompts)
        ],
        best_round=best % len(prompts),
        calls={"judge": usage, "verbalizer": {**usage, "usd": 0.25}, "optimizer": {**usage, "issued": 12}},
        seconds=754.2,
    )
    run.write("result.json", json.dumps(result))
    for t, record in enumerate(result["rounds"]):
        _write_round(run, t, record)
    run.close()
    return path


def _write_round(run: RunDirectory, t: int, result: RoundResult) -> None:
    digests = [sha256(text.encode()).hexdigest() for text in (result["judge_prompt"], result["i2t_prompt"])]
    record = RoundRecord(
        round=t,
        judge_prompt_sha256=digests[0],
        i2t_prompt_sha256=digests[1],
        validation=result["validation"],
        errors=[],
        anchors=[],
        trials=[],
    )
    run.write(f"rounds/{t:02d}/judge.md", result["judge_prompt"] + "\n")
    run.write(f"rounds/{t:02d}/i2t.md", result["i2t_prompt"] + "\n")
    run.write(f"rounds/{t:02d}/record.json", json.dumps(record))
    run.write_lines(f"rounds/{t:02d}/errors.jsonl", [])
    run.write_lines(f"rounds/{t:02d}/trials.jsonl", [])


def _verdict(sample: Sample, label: Label | tuple[Label | None, Label | None] | None) -> Verdict:
    reason = "because of its colours"
    if isinstance(label, tuple):
        orders = OrderedVerdict("ab", "ok", label[0], reason), OrderedVerdict("ba", "ok", label[1], reason)
        return Verdict(sample.id, "ok", label[0] if label[0] == label[1] else None, reason, orders=orders)
    return Verdict(sample.id, "ok" if label is not None else "refused", label, reason)
