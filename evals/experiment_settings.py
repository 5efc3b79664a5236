"""Settings of an experiment: methods, datasets, judges, seeds and budget; and the presets."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from blpo.config.setting_problems import setting_problems
from evals.methods import METHODS, installed_methods
from state.settings import DataSettings, LimitSettings, ModelsSettings, PromptSettings, SearchSettings, TaskSettings

ExperimentPreset = Literal["table1", "table2", "pairs", "rankings", "figure4", "figure1", "budget"]
DEFAULT_SEEDS = tuple(range(10))
"""Default seeds: with fewer, the interval of a difference is wide."""

_PRESETS: dict[str, dict[str, Any]] = {
    "table1": {"methods": installed_methods()},
    "table2": {"methods": ("none", "blpo", "fixed_i2t", "judge_as_i2t", "random_i2t", "random_i2t_pooled", "no_image")},
    "pairs": {"methods": ("none", "blpo", "one_order", "random_order", "pointwise")},
    "rankings": {"methods": ("none", "blpo", "pointwise_sort", "bradley_terry")},
    "figure4": {
        "methods": ("blpo",),
        "sweeps": {
            "error_batch": (1, 5, 10, 15, 20, 30),
            "inner_steps": (0, 1, 2, 3, 5, 8),
            "outer_rounds": (0, 1, 2, 3, 5, 8),
        },
    },
    "budget": {
        "methods": ("blpo",),
        "test": "on_top",
        "method_search": {"blpo": {"spare_steps": 0}},
        "grid": {"error_batch": (20, 40, 80), "inner_steps": (1, 3, 5), "calls": (600, 800, 2000)},
    },
    "figure1": {"methods": ("apo_image",), "sweeps": {"error_batch": (1, 2, 3, 5, 8, 10, 15, 20)}},
}
"""Defaults of each preset: methods and sweeps of the paper's tables and figures. An explicit key overrides them."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$")]
"""Part of a folder name: letters, digits, dots and hyphens."""
Values = tuple[Annotated[int, Field(ge=0, le=1000)], ...]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class EvalDataset(_Section):
    """A dataset: task, data and initial prompts, here or in the configuration of a run."""

    name: Name
    """Name in the table; agin, seetrue, imagereward and unsafebench have the paper's numbers beside them."""
    config: str | None = None
    """YAML file of a run, the source of task, data and prompts."""
    task: TaskSettings = TaskSettings()
    data: DataSettings = DataSettings()
    prompts: PromptSettings = PromptSettings()

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        own = (self.task, self.data, self.prompts)
        if self.config is not None and own != (TaskSettings(), DataSettings(), PromptSettings()):
            raise ValueError("give config, or task, data and prompts, not both")
        return self


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
    parallel: int = Field(default=2, ge=1, le=256)
    """Cells at once; a cell with embedded models has a process of its own."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        preset = content.get("preset")
        return {**_PRESETS.get(preset, {}), **content} if isinstance(preset, str) else content

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
        if self.search.seed != SearchSettings().seed:
            raise ValueError("search.seed: a cell's seed is one of seeds; take it out")
        return self
