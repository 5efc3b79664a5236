"""Settings of an experiment: methods, datasets, judges, seeds and budget; and the presets."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from blpo.config.setting_problems import setting_problems
from evals.methods import METHODS, installed_methods
from evals.presets import PRESETS, ExperimentPreset
from evals.published import MJ_BENCH_SETS, MT_RL_TASKS, MjBenchSet, MtRlTask
from state.settings import (
    CriterionEntry,
    DataSettings,
    LimitSettings,
    ModelsSettings,
    PromptSettings,
    SearchSettings,
    TaskEntry,
    TaskSettings,
    TrackerName,
)
from state.settings.task_entries import with_common_fields

DEFAULT_SEEDS = tuple(range(10))
"""Default seeds: with fewer, the interval of a difference is wide."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$")]
"""Part of a folder name: letters, digits, dots and hyphens."""
Values = tuple[Annotated[int, Field(ge=0, le=1000)], ...]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class EvalDataset(_Section):
    """A dataset: task, data and initial prompts, here or in the configuration of a run; or several tasks."""

    name: Name
    """Name in the table; agin, seetrue, imagereward and unsafebench have the paper's numbers beside them."""
    config: str | None = None
    """YAML file of a run, the source of task, data, prompts and several tasks."""
    task: TaskSettings = TaskSettings()
    data: DataSettings = DataSettings()
    prompts: PromptSettings = PromptSettings()
    tasks: tuple[TaskEntry, ...] = ()
    """Several tasks under one judge prompt, as in a run."""
    criteria: tuple[CriterionEntry, ...] = ()
    """Several criteria of the images of `data`, as in a run."""
    criteria_calls: Literal["one", "each"] = "one"
    criteria_aggregate: Literal["share"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _with_common_fields(cls, content: Any) -> Any:
        if not isinstance(content, dict) or not content.get("criteria"):
            return content
        return {**content, "criteria": with_common_fields(content["criteria"], content.get("task"))}

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.config is not None and self.sections:
            raise ValueError(f"give config, or task, data and prompts, not both (take out {', '.join(self.sections)})")
        return self

    @property
    def sections(self) -> dict[str, Any]:
        """The sections of a run's settings that are not the default."""
        names = ("task", "data", "prompts", "tasks", "criteria", "criteria_calls", "criteria_aggregate")
        default = type(self).model_fields
        values = {name: getattr(self, name) for name in names}
        return {name: value for name, value in values.items() if value != default[name].default}


class EvalJudge(_Section):
    """A judge with verbalizer and optimizer."""

    name: Name
    """Name in the table; llama-4-scout and llama-4-maverick have the paper's numbers beside them."""
    models: ModelsSettings = ModelsSettings()


class GridSettings(_Section):
    """Values of settings that cells vary together: every combination is a cell."""

    error_batch: Values = ()
    """Cases of a batch, `search.error_batch`."""
    inner_steps: Values = ()
    """K, `search.inner_steps`."""
    calls: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field()] = ()
    """Budgets in calls, in place of `budget.calls`."""


class SweepSettings(_Section):
    """Values of varied search settings. A cell varies a single setting."""

    error_batch: Values = ()
    inner_steps: Values = ()
    outer_rounds: Values = ()
    anchors: Values = ()


class MtRlSettings(_Section):
    """Datasets of the preset mt-rl, made by `blpo data prepare`."""

    folder: str = "datasets"
    """Folder that holds the dataset folders."""
    tasks: Annotated[tuple[MtRlTask, ...], Field(min_length=2)] = MT_RL_TASKS
    transfer: tuple[MjBenchSet, ...] = MJ_BENCH_SETS
    """Sets of pairs of MJ-Bench that the selected prompts judge."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Largest number of samples of a task; null: all."""
    trained: dict[Name, Annotated[float, Field(ge=0)] | None] = {}
    """Judges that are trained, by name, with the US dollars of the training; null: not known."""


class EvalSettings(_Section):
    """An experiment: methods x datasets x judges x seeds (x values of sweeps) are cells with the same budget."""

    preset: ExperimentPreset | None = None
    """Methods and sweeps of a table or figure of the paper; explicit keys override the preset."""
    methods: Annotated[tuple[str, ...], Field(min_length=1)] = Field(default_factory=installed_methods)
    """Names of methods; `blpo` is compared with each other method. Default: all for
    any task whose packages are installed."""
    datasets: Annotated[tuple[EvalDataset, ...], Field(min_length=1)]
    judges: Annotated[tuple[EvalJudge, ...], Field(min_length=1)]
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = DEFAULT_SEEDS
    """A seed draws the batches, and the splits as `splits` says."""
    splits: Literal["redraw", "fixed"] | None = None
    """redraw: every seed draws new splits, also of a dataset with a split column, with the same sizes. fixed: all seeds
    have the same splits. null: as the data says, redrawn from shares and fixed by a column."""
    budget: LimitSettings = LimitSettings()
    """Budget of each cell (calls, tokens, usd), and max_failure_rate."""
    test: Literal["included", "on_top"] = "included"
    """included: the calls of a budget also pay for the test. on_top: a cell may spend the calls on the search, and gets
    the calls to test two prompts on top."""
    search: SearchSettings = SearchSettings()
    """Search settings of all methods; a method changes the settings that define the method. `seeds` sets `seed`."""
    method_search: dict[str, dict[str, Any]] = {}
    """Search settings of single methods, such as {gepa: {error_batch: 3}}, in place of the method's own."""
    sweeps: SweepSettings = SweepSettings()
    """Search settings that cells vary one at a time."""
    grid: GridSettings = GridSettings()
    """Settings that cells vary together."""
    mt_rl: MtRlSettings = MtRlSettings()
    tracking: TrackerName | None = None
    """Experiment tracker of all cells, as `run.tracking`; a cell is a record."""
    parallel: int = Field(default=2, ge=1, le=256)
    """Cells at once; a cell with embedded models has a process of its own."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        preset = content.get("preset")
        return {**PRESETS.get(preset, {}), **content} if isinstance(preset, str) else content

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for name in methods:
            if name not in METHODS:
                raise ValueError(f"no method is called {name}; there are {', '.join(METHODS)}")
        return methods

    @field_validator("method_search")
    @classmethod
    def _known_settings(cls, changes: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for method, settings in changes.items():
            if method not in METHODS:
                raise ValueError(f"no method is called {method}; there are {', '.join(METHODS)}")
            if "seed" in settings:
                raise ValueError(f"{method}: seed: a cell's seed is one of seeds; take it out")
            try:
                SearchSettings.model_validate(settings)
            except ValidationError as error:
                problems = "; ".join(map(str, setting_problems(error, SearchSettings)))
                raise ValueError(f"{method}: {problems}") from None
        return changes

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if any(values for _, values in self.grid) and any(values for _, values in self.sweeps):
            raise ValueError("give sweeps or grid, not both")
        names_of = {
            "methods": self.methods,
            "datasets": [each.name for each in self.datasets],
            "judges": [each.name for each in self.judges],
            "seeds": self.seeds,
        }
        for setting, names in names_of.items():
            if len(set(names)) < len(names):
                raise ValueError(f"{setting} names one twice; each is a cell of its own")
        if foreign := self.mt_rl.trained.keys() - names_of["judges"]:
            raise ValueError(
                f"mt_rl.trained: {min(foreign)} is none of judges ({', '.join(judge.name for judge in self.judges)})"
            )
        if self.search.seed != SearchSettings().seed:
            raise ValueError("search.seed: a cell's seed is one of seeds; take it out")
        return self
