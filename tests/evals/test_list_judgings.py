"""Ways to rank lists, as methods of an experiment."""

import asyncio
import json
from pathlib import Path

import pytest
import yaml

from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.costs.estimate import estimate
from blpo.costs.workload import workload_of
from blpo.data.run_dataset import dataset_of
from blpo.deployment.judge import Judge
from blpo.deployment.list_judging import JudgeOfLists
from blpo.inference.initial_prompts import initial_prompts
from blpo.runs.judge_file import read_judge_file
from blpo.runs.verdict_rows import read_verdict_rows
from tests.list_set import draw_lists
from tests.small_set import draw_dataset

pytestmark = pytest.mark.slow


def test_lists_are_ranked_by_sorted_ratings_and_by_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    folder, out = draw_lists(tmp_path / "set", 12), tmp_path / "out"
    config = {
        "methods": ["none", "blpo", "pointwise_sort", "bradley_terry"],
        "datasets": [{"name": "calm", "config": "config.yaml"}],
        "judges": [{"name": "embedded"}],
        "seeds": [0],
        "parallel": 1,
        "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 4},
    }
    (folder / "evals.yaml").write_text(yaml.safe_dump(config))
    command = ["evals", str(folder / "evals.yaml"), "--out", str(out)]
    assert main([*command, "--estimate", "--json"]) == 0
    costs = {group["method"]: group for group in json.loads(capsys.readouterr().out)["groups"]}
    assert {name: group["cells"] for name, group in costs.items()} == {"": 2, "pointwise_sort": 1, "bradley_terry": 1}
    assert main([*command, "-q"]) == 0
    table = capsys.readouterr().out
    assert "ratings sorted" in table and "Bradley-Terry" in table and "macro" not in table
    rows = {row["method"]: row for row in json.loads((out / "table.json").read_text())["rows"]}
    assert all(row["metric"] == "kendall_tau_b" and row["coverage"] == 1 for row in rows.values())
    for method, order in (("pointwise_sort", "apart"), ("bradley_terry", "pairs")):
        cell = out / "cells" / f"{method.replace('_', '-')}_calm_embedded_seed0"
        settings = load_settings(cell / "config.yaml")
        work = workload_of(settings)
        sizes = [len(sample.images) for sample in dataset_of(settings).by_id.values()]
        assert rows[method]["calls"] == sum(n if order == "apart" else n * (n - 1) for n in sizes)
        assert estimate(settings, work)["judge"].high.calls == rows[method]["calls"] == costs[method]["high"]["calls"]
        assert rows[method]["test"]["samples"] == work.sizes.samples["test"]
        parts = settings.task.parts
        assert parts is not None
        judge = read_judge_file(cell).model_copy(update={"task": parts, "judge_prompt": initial_prompts(settings)[0]})
        samples = {sample.id: sample for sample in dataset_of(settings).splits["test"]}
        verdicts = asyncio.run(JudgeOfLists(Judge(judge), "highest")(samples.values()))
        best = {row.id: row.verdict for row in read_verdict_rows(cell / "verdicts" / "best.jsonl")}
        assert {verdict.sample_id: verdict.label for verdict in verdicts} == {name: best[name] for name in samples}


def test_ways_to_rank_refuse_other_tasks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = draw_dataset(tmp_path / "set")
    config = {
        "methods": ["blpo", "bradley_terry"],
        "datasets": [{"name": "noise", "data": {"path": "labels.csv"}}],
        "judges": [{"name": "embedded"}],
    }
    (folder / "evals.yaml").write_text(yaml.safe_dump(config))
    assert main(["evals", str(folder / "evals.yaml"), "--out", str(tmp_path / "out")]) == 2
    assert "method bradley_terry: needs lists (task.kind: ranking)" in capsys.readouterr().err
