"""Write exports of a run to their places."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from blpo.data.message_text import did_you_mean
from blpo.reports.exports.judge_module import WITH_SCORES, Door, JudgeOfTasks, judge_module
from blpo.reports.exports.label_studio import write_label_studio
from blpo.reports.exports.positive_label import require_positive, with_positive
from blpo.reports.exports.verdicts_csv import VERDICTS, write_verdicts_csv
from blpo.runs.judge_file import JudgeFile, JudgeTest, read_judge_file
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_sentence import verdict
from blpo.storage.whole_files import write_whole
from state.errors import ConfigError, RunError


def export_judge(
    run: Path, door: Door, out: Path | None = None, overrides: Iterable[str] = (), task: str | None = None
) -> Path:
    """Write the judge of a run directory or a judge.yaml as a Python file, and return the path.

    `out` is a file or a folder; None: the folder `exports` of the run. `overrides` may hold `task.positive=LABEL`.
    `task` is the one task of a judge of several. Raises `ConfigError` for a judge of several without `task`, and for an
    export with scores if no label is the positive one.
    """
    folder = _folder(run)
    whole = _judge(run)
    of_task = _one_task(whole, task)
    judge = with_positive(whole.of_task(of_task.name if of_task else ""), overrides)
    name = "judge.py" if door == "python" else f"{door}_judge.py"
    name = f"{re.sub('[^A-Za-z0-9]', '_', of_task.name)}_{name}" if of_task else name
    path = folder / "exports" / name if out is None else out / name if out.is_dir() else out
    if judge.task.kind == "ranking":
        raise RunError(
            f"{run}: a judge of rankings runs in blpo judge and blpo.load_judge alone; --to csv has its verdicts"
        )
    if judge.models.answers > 1:
        panel = f"is a panel of {len(judge.judges)} judges"
        what = panel if judge.judges else f"gives {judge.model.votes} votes"
        raise RunError(
            f"{run}: this judge {what}, and an exported file asks one judge once;"
            " use blpo judge, or blpo.load_judge in Python"
        )
    if door in WITH_SCORES:
        require_positive(judge.task)
    source = judge_module(judge, door, folder.resolve().name, of_task)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, source, durable=False)  # can be made again at no cost
    return path


def export_disagreements(
    run: Path, out: Path | None = None, overrides: list[str] | None = None, task: str | None = None
) -> tuple[Path, int]:
    """Write the disagreements of a run for Label Studio; return the folder and the number of tasks.

    `out` is a folder; None: a folder in `exports` of the run. `task` is the one task of a run of several: labels of
    different tasks need different projects.
    """
    if run.is_file():
        raise RunError(f"{run} is a file; label-studio needs the run directory, for its verdicts and its data")
    settings = RunRecord.read(run).settings
    if settings.task.kind == "ranking":
        raise RunError(f"{run}: label-studio takes no rankings; --to csv has the verdicts")
    require_one_task(settings.task_names, task)
    folder = out or run / "exports" / (f"label-studio-{task}" if task else "label-studio")
    return folder, write_label_studio(run.absolute(), folder, overrides or [], task or "")


def export_verdicts(run: Path, out: Path | None = None) -> tuple[Path, int]:
    """Write all verdicts of a run as CSV; return the path and the number of rows.

    `out` is a file or a folder; None: the folder `exports` of the run.
    """
    if run.is_file():
        raise RunError(f"{run} is a file; csv needs the run directory, for its verdicts")
    path = run / VERDICTS if out is None else out / VERDICTS.name if out.is_dir() else out
    return path, write_verdicts_csv(RunRecord.read(run), path)


def require_one_task(names: Sequence[str], task: str | None) -> None:
    """Raise `ConfigError` unless `task` is one of `names`, or both are empty."""
    if not names and task is not None:
        raise ConfigError("this judge has a single task without a name; leave out --task")
    if names and task is None:
        raise ConfigError(f"this judge has several tasks ({', '.join(names)}); an export is of one: --task NAME")
    if task is not None and task not in names:
        hint = did_you_mean(task, names) or "."
        raise ConfigError(f"this judge has no task {task!r}{hint} Its tasks are {', '.join(names)}")


def _one_task(whole: JudgeFile, task: str | None) -> JudgeOfTasks | None:
    require_one_task(whole.task_names, task)
    return None if task is None else JudgeOfTasks(whole, task)


def _judge(run: Path) -> JudgeFile:
    """Return the judge with the outcome of its run. A judge.yaml of version 0.1 holds no outcome; result.json does."""
    judge = read_judge_file(run)
    if judge.verdict or not (run / "run.json").exists():
        return judge
    result = RunRecord.read(run).result_or_none
    if result is None or result["status"] not in ("complete", "budget"):
        return judge
    return judge.model_copy(update={"test": JudgeTest.of(result), "verdict": verdict(result)})


def _folder(run: Path) -> Path:
    return run if run.is_dir() else run.parent
