"""Settings: the run's context as plain data. Models are names for the registry; settings hold no secret."""

from state.settings.data_settings import DataSettings, FurtherColumn, SplitColumn, SplitShares
from state.settings.metric_names import (
    ABOVE_CHANCE,
    LABEL_METRICS,
    NOMINAL_METRICS,
    ORDINAL_METRICS,
    PAIR_METRICS,
    PAIR_RATES,
    RANKING_METRICS,
    Metric,
    metric_problem,
    split_metric,
)
from state.settings.model_settings import ModelSettings, PriceSettings
from state.settings.models_settings import ModelsSettings, counted_role, panel_problem
from state.settings.panel_settings import PanelSettings
from state.settings.prompt_settings import PromptSettings, PromptText
from state.settings.rater_settings import Aggregate, RaterSettings
from state.settings.run_settings import POSTGRES, LimitSettings, RunSettings, TrackerName
from state.settings.search_settings import PRESETS, SERVED_OPTIMIZER, SearchSettings
from state.settings.settings import Settings
from state.settings.task_entries import CriterionEntry, TaskEntry
from state.settings.task_settings import TaskSettings

__all__ = [
    "ABOVE_CHANCE",
    "LABEL_METRICS",
    "NOMINAL_METRICS",
    "ORDINAL_METRICS",
    "PAIR_METRICS",
    "PAIR_RATES",
    "POSTGRES",
    "PRESETS",
    "RANKING_METRICS",
    "SERVED_OPTIMIZER",
    "Aggregate",
    "CriterionEntry",
    "DataSettings",
    "FurtherColumn",
    "LimitSettings",
    "Metric",
    "ModelSettings",
    "ModelsSettings",
    "PanelSettings",
    "PriceSettings",
    "PromptSettings",
    "PromptText",
    "RaterSettings",
    "RunSettings",
    "SearchSettings",
    "Settings",
    "SplitColumn",
    "SplitShares",
    "TaskEntry",
    "TaskSettings",
    "TrackerName",
    "counted_role",
    "metric_problem",
    "panel_problem",
    "split_metric",
]
