"""Records in MLflow: a run of the experiment MLFLOW_EXPERIMENT_NAME (default: blpo) on MLFLOW_TRACKING_URI."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from blpo.tracking.tracker import PROJECT, Point, RecordHead
from state.result import RunStatus

_T = TypeVar("_T")
_MOST_METRICS = 1000
"""Most metrics of a request; the server takes no more."""
_MOST_PARAMETERS = 100
"""The same of parameters, and of tags."""
_LONGEST_PARAMETER = 6000
_THREAD = "blpo.thread"
"""Tag by which a record is found whose id was lost in a kill."""
_STATUSES: dict[RunStatus, str] = {
    "complete": "FINISHED",
    "budget": "FINISHED",
    "interrupted": "KILLED",
    "failed": "FAILED",
}


class MlflowTracker:
    """Client of an MLflow tracking server, or of a database that MLflow can open."""

    def __init__(self) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient()
        self._record = ""

    def start(self, head: RecordHead, record: str | None) -> str:
        """Go on with a record, or create one. Parameters never change, so missing ones alone are sent."""
        from mlflow.entities import Param, RunTag

        experiment = self._experiment()
        tags = {**head.tags, _THREAD: head.thread, **_parent_tags(head)}
        run = self._known(record) or self._of_thread(experiment, head.thread)
        if run is None:
            run = self._client.create_run(experiment, head.time, {_THREAD: head.thread}, head.name).info.run_id
        self._record = run
        self._client.update_run(run, status="RUNNING")
        there = self._client.get_run(run).data.params
        missing = [Param(key, text[:_LONGEST_PARAMETER]) for key, text in head.parameters.items() if key not in there]
        for params in _batches(missing, _MOST_PARAMETERS):
            self._client.log_batch(run, params=params)
        for some in _batches([RunTag(key, text) for key, text in tags.items()], _MOST_PARAMETERS):
            self._client.log_batch(run, tags=some)
        return run

    def metrics(self, points: Sequence[Point]) -> None:
        """Send points. The server knows a repeated point by name, step, time and value."""
        from mlflow.entities import Metric

        for some in _batches(points, _MOST_METRICS):
            metrics = [Metric(point.name, point.value, point.time, point.step) for point in some]
            self._client.log_batch(self._record, metrics=metrics)

    def artefact(self, file: Path, name: str) -> None:
        """Send a file as an artifact. The file on disk has the name that the artifact gets."""
        folder = Path(name).parent.as_posix()
        self._client.log_artifact(self._record, str(file), None if folder == "." else folder)

    def end(self, status: RunStatus, tags: Mapping[str, str]) -> None:
        """Write the tags, and end the run."""
        for key, text in tags.items():
            self._client.set_tag(self._record, key, text)
        self._client.set_terminated(self._record, _STATUSES[status])

    def _experiment(self) -> str:
        """Return the id of the experiment; another run may create it at the same time."""
        from mlflow.exceptions import MlflowException

        if identity := os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return identity
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or PROJECT
        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            try:
                return self._client.create_experiment(name)
            except MlflowException:
                experiment = self._client.get_experiment_by_name(name)
                if experiment is None:
                    raise
        return experiment.experiment_id

    def _known(self, record: str | None) -> str | None:
        """Return the id of a record that is still there; None for a deleted one."""
        from mlflow.exceptions import MlflowException

        if record is None:
            return None
        try:
            run = self._client.get_run(record)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return record if run.info.lifecycle_stage == "active" else None

    def _of_thread(self, experiment: str, thread: str) -> str | None:
        runs = self._client.search_runs([experiment], f"tags.`{_THREAD}` = '{thread}'", max_results=1)
        return runs[0].info.run_id if runs else None


def _parent_tags(head: RecordHead) -> dict[str, str]:
    """Return MLflow's own tag of a nested run: the page shows a fork below its parent."""
    record = head.parent.record if head.parent is not None else None
    return {} if record is None else {"mlflow.parentRunId": record}


def _batches(items: Sequence[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
