"""Sources of an export: configurations and runs, one or several under one judge (unified).

Each source asks about its own samples as its own judge is asked, and keeps its own splits. A source is named for its
folder, or by `NAME=` before the path. The judge prompt of a run is the selected prompt; of a configuration, the first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from blpo.config.settings_file import load_settings
from blpo.data.dataset import Dataset
from blpo.data.run_dataset import dataset_of
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.run_store import StorePlace, store_place
from blpo.runs.run_record import RunRecord
from state.errors import ConfigError
from state.settings import Settings

_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9 _-]{0,39})=(.+)", re.DOTALL)
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Source:
    """A configuration, or a run with the answers of its judge."""

    path: Path
    name: str
    is_alone: bool
    """True for the only source of an export."""
    settings: Settings
    prompts: tuple[str, ...]
    """Judge prompts: the prompt of the export first, then the other prompts of a run."""
    store: StorePlace | None
    """Answers of a run; None for a configuration."""

    @cached_property
    def dataset(self) -> Dataset:
        """Samples by split. Raises `DataError`."""
        return dataset_of(self.settings)

    def id_of(self, sample_id: str) -> str:
        """Return the id of a sample or a question in the export: of several sources with the name in front."""
        return sample_id if self.is_alone else f"{self.name}/{sample_id}"


def read_sources(paths: Sequence[str], overrides: Sequence[str] = ()) -> tuple[Source, ...]:
    """Read configurations (YAML files) and run directories; raises `ConfigError` and `RunError`.

    `overrides` are `key=value` for the settings of each source.
    """
    sources = tuple(_source(path, overrides, is_alone=len(paths) == 1) for path in paths)
    names = [source.name for source in sources]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two sources are called {twice}; name them, as in first={paths[0]}")
    return sources


def _source(argument: str, overrides: Sequence[str], *, is_alone: bool) -> Source:
    named = None if Path(argument).exists() else _NAMED.fullmatch(argument)
    path = Path(named[2] if named else argument)
    name = named[1] if named else _name(path)
    if (path / "run.json").is_file():
        run = RunRecord.read(path, overrides)
        settings, store = run.settings, store_place(run.settings, path, run.info.thread_id)
        prompts = _prompts(run)
    else:
        _require_file(path)
        settings, store = load_settings(path, overrides), None
        prompts = (initial_prompts(settings)[0],)
    if settings.prompts.examples:
        raise ConfigError(f"{path}: prompts.examples: a trained judge sees no examples; set it to 0")
    return Source(path, name, is_alone, settings, prompts, store)


def _prompts(run: RunRecord) -> tuple[str, ...]:
    """Return the selected prompt of a run, then all others, the last first."""
    rounds = run.result["rounds"]
    if not rounds:
        return (initial_prompts(run.settings)[0],)
    selected = rounds[run.result["best_round"]]["judge_prompt"]
    return tuple(dict.fromkeys([selected, *(each["judge_prompt"] for each in reversed(rounds))]))


def _require_file(path: Path) -> None:
    if not path.is_dir():
        return
    inside = path / "config.yaml"
    hint = f"give the config in it, {inside}" if inside.is_file() else "give a YAML file, or the directory of a run"
    raise ConfigError(f"{path} is a folder without a run; {hint}")


def _name(path: Path) -> str:
    resolved = path.resolve()
    text = resolved.parent.name if path.stem == "config" else resolved.stem
    return _FOREIGN.sub("-", text).strip("-_")[:40] or "task"
