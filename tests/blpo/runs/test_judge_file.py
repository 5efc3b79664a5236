"""judge.yaml: outcome of the run beside the prompt, and files of other versions."""

import asyncio
import runpy
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.config.yaml_text import read_yaml, write_yaml
from blpo.reports.exports.write import export_judge
from blpo.runs.judge_file import read_judge_file
from blpo.runs.verdict_sentence import verdict
from state.result import Result
from tests.small_set import draw_dataset

SEARCH = {"outer_rounds": 1, "inner_steps": 0, "error_batch": 4}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> blpo.Run:
    """A finished run."""
    place = tmp_path_factory.mktemp("judge_file")
    data = {"path": str(draw_dataset(place / "set"))}
    return asyncio.run(blpo.optimize({"data": data, "search": SEARCH, "run": {"dir": str(place / "run")}}))


def exported(source: Path, out: Path) -> dict[str, Any]:
    """Constants of an exported judge."""
    return runpy.run_path(str(export_judge(source, "python", out)), run_name="exported")


def expected(result: Result) -> dict[str, Any]:
    """Test metrics in the form of judge.yaml."""
    test = result["test"]
    assert test is not None
    assert result["metric"] == "quadratic_kappa"  # the default for ratings
    figures = {
        side: {
            "quadratic_kappa": pytest.approx(metrics["strict"]["quadratic_kappa"]),
            "n": metrics["n"],
            "coverage": 1.0,
        }
        for side, metrics in (("initial", test["initial"]), ("best", test["best"]))
    }
    return {**figures, "p_value": test["p_value"], "difference_ci95": tuple(test["difference_ci95"])}


def test_the_judge_carries_the_outcome_of_the_test(run: blpo.Run, tmp_path: Path) -> None:
    judge = read_judge_file(run.directory)
    assert judge.test is not None
    assert judge.test.model_dump() == expected(run.result)
    assert judge.verdict == verdict(run.result) != ""
    assert judge.validation["n"] == run.result["rounds"][0]["validation"]["n"]
    constants = exported(run.directory, tmp_path / "judge.py")
    assert (constants["TEST"], constants["VERDICT"]) == (judge.test.model_dump(), judge.verdict)


def test_files_of_other_versions_are_read(run: blpo.Run, tmp_path: Path) -> None:
    content = read_yaml(run.directory / "judge.yaml")
    old = tmp_path / "judge.yaml"
    old.write_text(write_yaml({key: content[key] for key in ("format", "judge_prompt", "task", "model", "validation")}))
    assert (read_judge_file(old).test, read_judge_file(old).verdict) == (None, "")
    assert exported(old, tmp_path / "old.py")["TEST"] is None
    old.write_text(write_yaml({**content, "owner": "Ada"}))
    assert read_judge_file(old) == read_judge_file(run.directory)


def test_an_older_run_gets_its_outcome_from_its_result(run: blpo.Run, tmp_path: Path) -> None:
    content = read_yaml(run.directory / "judge.yaml")
    for name in ("run.json", "config.yaml", "result.json"):
        (tmp_path / name).write_bytes((run.directory / name).read_bytes())
    (tmp_path / "judge.yaml").write_text(
        write_yaml({key: value for key, value in content.items() if key not in ("test", "verdict")})
    )
    assert exported(tmp_path, tmp_path / "judge.py")["VERDICT"] == verdict(run.result)


async def test_a_run_without_a_test_says_why(run: blpo.Run, tmp_path: Path) -> None:
    data = {"path": str(run.directory.parent / "set")}
    config = {"data": data, "search": SEARCH, "limits": {"calls": 1}, "run": {"dir": str(tmp_path / "run")}}
    result = (await blpo.optimize(config)).result
    judge = read_judge_file(tmp_path / "run")
    assert (result["status"], judge.test) == ("budget", None)
    assert judge.verdict.startswith("Not tested: ")
