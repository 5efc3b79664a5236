"""A real MLflow server shows runs, forks and cells as they go, also after a kill."""

import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.runs.run_record import RunRecord
from blpo.tracking.sent_parts import SENT
from evals.experiment import run_evals
from evals.experiment_settings import EvalDataset, EvalJudge, EvalSettings
from state.events import Event
from state.settings import DataSettings
from tests.forked_blpo import ForkedBlpo
from tests.small_set import ROOT

SEARCH = ("search.outer_rounds=3", "search.inner_steps=2", "search.error_batch=12")
METRIC = "validation/quadratic_kappa"


@pytest.fixture(autouse=True)
def experiment(mlflow_server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", request.node.name)
    return str(request.node.name)


class Records:
    """Runs of an experiment, as the server shows them."""

    def __init__(self, server: str, experiment: str) -> None:
        from mlflow import MlflowClient

        self.client = MlflowClient(server)
        self.experiment = experiment

    def all(self) -> dict[str, Any]:
        experiment = self.client.get_experiment_by_name(self.experiment)
        return (
            {}
            if experiment is None
            else {run.info.run_name: run for run in self.client.search_runs([experiment.experiment_id])}
        )

    def series(self, run: Any, metric: str) -> list[tuple[int, float]]:
        return sorted((each.step, each.value) for each in self.client.get_metric_history(run.info.run_id, metric))

    def files(self, run: Any, folder: str | None = None) -> Iterator[str]:
        for item in self.client.list_artifacts(run.info.run_id, folder):
            if item.is_dir:
                yield from self.files(run, item.path)
            else:
                yield item.path


@pytest.fixture
def records(mlflow_server: str, experiment: str) -> Records:
    return Records(mlflow_server, experiment)


def check(records: Records, run: Any, record: RunRecord) -> None:
    """Compare a run on the server with the run directory: every value of every step once."""
    result = record.result
    rounds = [(t, each["validation"]["strict"].get("quadratic_kappa")) for t, each in enumerate(result["rounds"])]
    assert records.series(run, METRIC) == [each for each in rounds if each[1] is not None]
    assert [step for step, _ in records.series(run, "validation/coverage")] == [t for t, _ in rounds]
    first = record.info.lineage["fork"]["round"] if record.info.lineage else 0  # the trials before are the parent's
    trials = sum(len(each["trials"]) for each in result["rounds"][first:])
    assert [step for step, _ in records.series(run, "trial/failed")] == list(range(trials))
    calls = records.series(run, "spend/calls")
    assert [step for step, _ in calls] == list(range(len(calls)))
    assert [value for _, value in calls] == sorted(value for _, value in calls)
    assert run.data.metrics["total/calls"] == sum(usage["issued"] for usage in result["calls"].values())
    assert result["test"] is not None
    assert run.data.metrics["test/p_value"] == pytest.approx(result["test"]["p_value"])
    assert run.data.params["search.outer_rounds"] == str(record.settings.search.outer_rounds)
    assert (run.info.status, run.data.tags["blpo.status"]) == ("FINISHED", "complete")
    prompts = {f"rounds/{t:02d}/{name}" for t, _ in rounds for name in ("judge.md", "i2t.md", "trials.jsonl")}
    assert set(records.files(run)) == prompts | {"config.yaml", "judge.yaml", "result.json", "report.html"}
    page = Path(records.client.download_artifacts(run.info.run_id, "report.html"))
    assert page.read_bytes() == (record.directory / "report.html").read_bytes()


def wait_for(file: Path, text: str, process: ForkedBlpo) -> None:
    """Wait until a file holds a text."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if file.exists() and text in file.read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"{file} never held {text}: {process.stderr}")


def test_a_killed_run_goes_on_in_the_same_record(
    dataset: Path, tmp_path: Path, records: Records, experiment: str, mlflow_server: str
) -> None:
    run = tmp_path / "run"
    settings = [f"data.path={dataset / 'labels.csv'}", f"run.dir={run}", "run.tracking=mlflow", *SEARCH]
    options = [option for setting in settings for option in ("--set", setting)]
    environment = {"MLFLOW_TRACKING_URI": mlflow_server, "MLFLOW_EXPERIMENT_NAME": experiment}
    with ForkedBlpo("optimize", "--quiet", *options, environment=environment, folder=ROOT) as process:
        wait_for(run / "rounds" / "01" / "record.json", "{", process)
        process.signal(signal.SIGSTOP)  # until the record has come so far
        wait_for(run / SENT, "rounds/01/judge.md", process)
        assert process.kill() == -signal.SIGKILL
    [(name, before)] = records.all().items()
    assert (name, before.info.status) == ("run", "RUNNING")
    assert records.series(before, METRIC)
    assert "rounds/01/judge.md" in set(records.files(before))
    assert "report.html" not in set(records.files(before))
    with ForkedBlpo("resume", "--quiet", str(run), environment=environment, folder=ROOT) as process:
        assert process.wait(400) == 0, process.stderr
    [after] = records.all().values()
    assert after.info.run_id == before.info.run_id
    check(records, after, RunRecord.read(run))


async def test_forks_are_nested_and_cells_are_grouped(dataset: Path, tmp_path: Path, records: Records) -> None:
    data = f"data.path={dataset / 'labels.csv'}"
    events: list[Event] = []
    options: Mapping[str, Any] = {"progress": False, "on_event": events.append}
    overrides = [data, f"run.dir={tmp_path / 'parent'}", "run.tracking=mlflow", *SEARCH[1:], "search.outer_rounds=1"]
    parent = await blpo.optimize(overrides=overrides, **options)
    await blpo.fork(parent.directory, 1, overrides=[f"run.dir={tmp_path / 'fork'}", "search.outer_rounds=2"], **options)
    cells = EvalSettings(
        methods=("none",),
        datasets=(EvalDataset(name="noise", data=DataSettings(path=str(dataset / "labels.csv"))),),
        judges=(EvalJudge(name="embedded"),),
        seeds=(0,),
        tracking="mlflow",
    )
    await run_evals(cells, tmp_path / "comparison")
    assert [event for event in events if event["event"] == "warning"] == []
    shown = records.all()
    check(records, shown["parent"], RunRecord.read(parent.directory))
    check(records, shown["fork"], RunRecord.read(tmp_path / "fork"))
    tags = shown["fork"].data.tags
    assert tags["mlflow.parentRunId"] == shown["parent"].info.run_id
    assert (tags["blpo.parent"], tags["blpo.parent.round"]) == ("parent", "1")
    groups = {name: run.data.tags["blpo.group"] for name, run in shown.items() if "blpo.group" in run.data.tags}
    assert groups == {"none_noise_embedded_seed0": "comparison"}


async def test_a_deleted_record_is_begun_anew_by_a_resume(
    dataset: Path, tmp_path: Path, records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = [f"data.path={dataset / 'labels.csv'}", f"run.dir={tmp_path / 'run'}", "run.tracking=mlflow", *SEARCH]
    with monkeypatch.context() as away:
        away.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
        await blpo.optimize(overrides=[*overrides, "search.outer_rounds=1"], progress=False)
    assert records.all() == {}
    events: list[Event] = []
    record = await blpo.resume(tmp_path / "run", progress=False, on_event=events.append)
    assert events == []
    first = records.all()["run"]
    check(records, first, record)
    records.client.delete_run(first.info.run_id)
    (tmp_path / "run" / SENT).write_text(
        (tmp_path / "run" / SENT).read_text().replace('"ended": true', '"ended": false')
    )
    await blpo.resume(tmp_path / "run", progress=False)
    second = records.all()["run"]
    assert second.info.run_id != first.info.run_id
    check(records, second, record)
