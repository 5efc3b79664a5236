"""Settings of an experiment: which methods, datasets, judges and seeds, under which budget; and the presets."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evals.methods import METHODS
from state.settings import DataSettings, LimitSettings, ModelsSettings, PromptSettings, SearchSettings, TaskSettings

Preset = Literal["table1", "table2", "figure4", "figure1"]

PRESETS: dict[str, dict[str, Any]] = {
    "table1": {"methods": tuple(METHODS)},
    "table2": {"methods": ("none", "blpo", "fixed_i2t", "judge_as_i2t", "random_i2t", "no_image")},
    "figure4": {
        "methods": ("blpo",),
        "sweeps": {
            "error_batch": (1, 5, 10, 15, 20, 30),
            "inner_steps": (0, 1, 2, 3, 5, 8),
            "outer_rounds": (0, 1, 2, 3, 5, 8),
        },
    },
    "figure1": {"methods": ("apo_image",), "sweeps": {"error_batch": (1, 2, 3, 5, 8, 10, 15, 20)}},
}
"""What a preset sets unless the key is given: the methods and sweeps of the paper's tables and figures."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$")]
"""Part of a folder's name: letters, digits, dots and hyphens."""
Values = tuple[Annotated[int, Field(ge=0, le=1000)], ...]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class EvalDataset(_Section):
    """One dataset: its task, data and initial prompts, here or in the configuration of a run."""

    name: Name
    """As it stands in the table; agin, seetrue, imagereward and unsafebench have the paper's numbers beside them."""
    config: str | None = None
    """A run's YAML file, whose task, data and prompts are taken."""
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
    """One judge, with the verbalizer and the optimizer that go with it."""

    name: Name
    """As it stands in the table; llama-4-scout and llama-4-maverick have the paper's numbers beside them."""
    models: ModelsSettings = ModelsSettings()


class SweepSettings(_Section):
    """Search settings that are varied, one at a time; the others keep their value."""

    error_batch: Values = ()
    inner_steps: Values = ()
    outer_rounds: Values = ()
    anchors: Values = ()


class EvalSettings(_Section):
    """Methods x datasets x judges x seeds (x the values of each sweep): a cell each, all with the same budget."""

    preset: Preset | None = None
    """The methods and sweeps of one of the paper's tables or figures; keys given beside it override it."""
    methods: Annotated[tuple[str, ...], Field(min_length=1)] = tuple(METHODS)
    """Names of methods; `blpo` is compared with each of the others."""
    datasets: Annotated[tuple[EvalDataset, ...], Field(min_length=1)]
    judges: Annotated[tuple[EvalJudge, ...], Field(min_length=1)]
    seeds: Annotated[tuple[int, ...], Field(min_length=1)] = (0, 1, 2, 3, 4)
    """Each draws its own splits (where the data has none) and its own batches."""
    budget: LimitSettings = LimitSettings()
    """Of each cell: calls, tokens, usd; and max_failure_rate."""
    search: SearchSettings = SearchSettings()
    """Of all methods, which change what makes them what they are; `seed` is set by `seeds`."""
    sweeps: SweepSettings = SweepSettings()
    parallel: int = Field(default=2, ge=1, le=256)
    """Cells at once; those with embedded models have a process each."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        preset = given.get("preset")
        return {**PRESETS.get(preset, {}), **given} if isinstance(preset, str) else given

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: tuple[str, ...]) -> tuple[str, ...]:
        for name in methods:
            if name not in METHODS:
                raise ValueError(f"no method is called {name}; there are {', '.join(METHODS)}")
        return methods

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        named = {
            "methods": self.methods,
            "datasets": [each.name for each in self.datasets],
            "judges": [each.name for each in self.judges],
            "seeds": self.seeds,
        }
        for setting, names in named.items():
            if len(set(names)) < len(names):
                raise ValueError(f"{setting} names one twice; each is a cell of its own")
        if self.search.seed != SearchSettings().seed:
            raise ValueError("search.seed: a cell's seed is one of seeds; take it out")
        return self
