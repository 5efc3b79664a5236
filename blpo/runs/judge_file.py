"""judge.yaml: the judge of a run with all settings to judge new images."""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from blpo.config.yaml_text import read_yaml, write_yaml
from blpo.metrics.readings import strict_reading
from blpo.runs.judge_examples import JudgeExample, placed
from blpo.runs.judge_tasks import JudgeTask, JudgingSettings
from blpo.storage.whole_files import write_whole
from state.errors import ConfigError
from state.metrics import Metrics
from state.result import Result
from state.sample import Example
from state.settings import (
    FurtherColumn,
    LimitSettings,
    ModelSettings,
    ModelsSettings,
    PanelSettings,
    PromptSettings,
    PromptText,
    SearchSettings,
    Settings,
    TaskSettings,
    panel_problem,
)
from state.settings.model_settings import ConfidenceSource


def figures(metrics: Metrics, metric: str) -> dict[str, float | None]:
    """Return `metric` with failures as wrong (None if undefined), `n` and `coverage`."""
    number = strict_reading(metrics, metric)
    rounded = None if number is None else round(number, 12)
    return {metric: rounded, "n": metrics["n"], "coverage": metrics["coverage"]}


class JudgeTest(BaseModel):
    """Agreement with people on the test split, with failures as wrong, and the paired test of the two prompts."""

    model_config = ConfigDict(frozen=True)

    initial: dict[str, float | None]
    """Search metric, `n` and `coverage` of the first prompt."""
    best: dict[str, float | None]
    """Search metric, `n` and `coverage` of the judge's prompt."""
    p_value: float
    difference_ci95: tuple[float, float]
    """Interval (low, high) of best - initial."""

    @classmethod
    def of(cls, result: Result) -> "JudgeTest | None":
        """Return the numbers of the test; None for a run without a test."""
        test = result["test"]
        if test is None:
            return None
        initial, best = (figures(test[prompt], result["metric"]) for prompt in ("initial", "best"))
        low, high = test["difference_ci95"]
        return cls(initial=initial, best=best, p_value=test["p_value"], difference_ci95=(low, high))


class JudgeFile(BaseModel):
    """Content of judge.yaml. Unknown fields are ignored, so that a file of a later version can be read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    judge_prompt: PromptText
    """The selected prompt. The frame with the answer's format is added at judging."""
    task: TaskSettings = TaskSettings()
    """The single task; without a meaning for several tasks."""
    tasks: tuple[JudgeTask, ...] = ()
    """Several tasks or criteria under the prompt; empty for a single task."""
    criteria_calls: Literal["one", "each"] | None = None
    """Requests about an image under several criteria; None for a single task, and for tasks with data of their own."""
    criteria_aggregate: Literal["share"] | None = None
    """Aggregate of an image's criteria; None for a judge that is no checklist."""
    parts: Literal["one", "per_task"] = "one"
    """Text of the prompt that the judge sees, as in `prompts.parts`."""
    images: int | None = None
    """Most images of a sample that are labelled together; None for rankings, and in files of version 0.1."""
    image_names: tuple[str, ...] | None = None
    """Names of several images with one label, as in `data.image_names`; None where a message has no such names."""
    judges: tuple[ModelSettings, ...] = ()
    """Members of a panel; empty for one judge."""
    model: ModelSettings
    """Model and `part_order` of the optimization. A different model or order changes verdicts and needs a new
    validation. Of a panel the first of `judges`; files of a panel have no such field."""
    panel: PanelSettings | None = None
    """Rule of the panel, with the weights that the run has learned; None for one judge."""
    seed: int | None = None
    """Seed of the run under `task.order: random`: the seed and a pair's id draw the order. None for other tasks."""
    further_columns: tuple[FurtherColumn, ...] | None = None
    """Columns beside images and text that the judge sees, such as a reference. None: the run's data had no such
    columns; files of older versions have no such field."""
    examples: tuple[JudgeExample, ...] = ()
    """Labelled examples that the judge is shown before each item."""
    validation: dict[str, float | None] = {}
    """Agreement with people on the validation split, for the record. This split selected the prompt: it flatters."""
    test: JudgeTest | None = None
    """Agreement on the test split; None for a run without a test, and in files of version 0.1."""
    verdict: str = ""
    """Outcome of the test in one sentence; empty before the end of the run."""
    test_used_up: bool = False
    """True once the test split set a threshold of trusted verdicts: `test` does not tell how good these are."""

    @model_validator(mode="before")
    @classmethod
    def _with_the_first_judge(cls, content: Any) -> Any:
        judges = content.get("judges") if isinstance(content, dict) else None
        return {"panel": {}, **content, "model": judges[0]} if isinstance(judges, list | tuple) and judges else content

    @model_validator(mode="after")
    def _has_a_usable_panel(self) -> Self:
        if problem := panel_problem(self.model, self.judges, self.panel):
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _has_a_task(self) -> Self:
        if "task" not in self.model_fields_set and not self.tasks:
            raise ValueError("must have a task, or several tasks")
        return self

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of all tasks or criteria; empty for a single task."""
        return tuple(task.name for task in self.tasks)

    @property
    def scales(self) -> dict[str, TaskSettings]:
        """Labels of all tasks by name; of a single task under the name ""."""
        return {task.name: task.task for task in self.tasks} or {"": self.task}

    @property
    def labelled_examples(self) -> tuple[Example, ...]:
        """Examples for the judge's messages; images are read when a message needs them."""
        return tuple(example.example() for example in self.examples)

    def of_task(self, name: str) -> "JudgeFile":
        """Return the facts about one of several tasks as a judge of it alone; itself for the name "" of a single task.

        Only the whole file judges: the judge is told about all tasks.
        """
        if not name:
            return self
        own = next(task for task in self.tasks if task.name == name)
        shared = ("task", "images", "image_names", "further_columns", "validation")
        changes = {field: getattr(own, field) for field in shared} | {"tasks": (), "test": None, "verdict": ""}
        return self.model_copy(update=changes)

    @property
    def models(self) -> ModelsSettings:
        """The judge's model or models; there are no others."""
        return ModelsSettings.model_construct(
            judge=self.model, judges=self.judges, panel=self.panel, verbalizer=None, optimizer=None
        )

    def with_confidence(self, source: ConfidenceSource | None) -> "JudgeFile":
        """Return the judge with another source of confidence; of a panel all members."""
        own, *others = (model.model_copy(update={"confidence": source}) for model in self.judges or (self.model,))
        return self.model_copy(update={"model": own, "judges": (own, *others) if self.judges else ()})

    @property
    def settings(self) -> Settings:
        """Settings for judging with the judge, without a dataset."""
        prompts = PromptSettings(
            judge=self.judge_prompt,
            parts=self.parts,
            reference="verbalizer" if self._hides_reference else "both",
            examples=len({example.item for example in self.examples}),
            examples_as="descriptions" if any(example.description for example in self.examples) else "images",
        )
        if self.tasks:
            entries = tuple(task.entry for task in self.tasks)
            return JudgingSettings.of(entries, self.criteria_calls, self.models, prompts, self.seed)
        return Settings.model_construct(
            task=self.task,
            models=self.models,
            prompts=prompts,
            limits=LimitSettings(max_failure_rate=1.0),
            search=SearchSettings(seed=self.seed or 0),
        )

    @property
    def _hides_reference(self) -> bool:
        """True if the judge of the run did not see the references of the data."""
        columns = [task.further_columns for task in self.tasks] or [self.further_columns]
        column_sets = [set(each) for each in columns if each is not None]
        return bool(column_sets) and not any({"reference", "reference_text"} & each for each in column_sets)

    def dump(self) -> str:
        """Return the file's YAML, with the prompt as readable text."""
        content = self.model_dump(mode="json")
        optional = ("seed", "image_names", "further_columns", "criteria_calls", "criteria_aggregate")
        absent = {name for name in optional if content[name] is None}
        absent |= {"task", "images"} if self.tasks else {"tasks"}
        absent |= {"model"} if self.judges else {"judges", "panel"}
        absent |= {"parts"} if self.parts == "one" else set()
        absent |= set() if self.examples else {"examples"}
        absent |= set() if self.test_used_up else {"test_used_up"}
        content["tasks"] = [task.dump() for task in self.tasks]
        return write_yaml({name: value for name, value in content.items() if name not in absent})


def read_judge_file(path: Path) -> JudgeFile:
    """Read a judge.yaml, or the judge.yaml of a run directory; raises `ConfigError` with the file and the problem."""
    if path.is_dir():
        path = path / "judge.yaml"
    if not path.exists():
        raise ConfigError(f"{path} does not exist; give the judge.yaml of a run directory")
    try:
        file = JudgeFile.model_validate(read_yaml(path))
        return file.model_copy(update={"examples": placed(file.examples, path.absolute().parent)})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "the whole file"
        problem = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{path} is no judge file: {field}: {problem}") from None


def mark_test_used_up(run: Path) -> None:
    """Write into the judge.yaml of a run directory that the test split set a threshold; no other byte changes.

    Raises `ConfigError` if the file can't be written.
    """
    path = run / "judge.yaml"
    if read_judge_file(path).test_used_up:
        return
    try:
        write_whole(path, path.read_text(encoding="utf-8").rstrip("\n") + "\ntest_used_up: true\n")
    except OSError as error:
        raise ConfigError(
            f"{path}: can't be written ({error.strerror}), and must say that its test is used up"
        ) from None
