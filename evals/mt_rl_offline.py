"""Two small datasets in place of the six of MT-RL-Judge, for `blpo evals --preset mt-rl --offline` without downloads.

The built-in sample with yes and no for its ratings, and the appeal of rated images if their folder lies beside the
checkout; else the sample a second time, with another threshold.
"""

from pathlib import Path
from typing import Any

from blpo.config.settings_file import load_settings
from blpo.data.builtin.dataset_folder import write_sample
from blpo.storage.user_cache import user_cache
from blpo.storage.whole_files import whole_folder
from evals.mt_rl import task_entry
from state.errors import ConfigError

_NATURAL, _USABLE = 3, 1
"""Highest ratings of the sample that are no."""


def offline_dataset(appeal: Path | None, limit: int | None) -> dict[str, Any]:
    """Return both as tasks of one dataset, as plain settings. `appeal` is the config of the rated images, if any.

    The sample is written once, into the user's cache folder. Raises `ConfigError` for a user without one.
    """
    tasks = [_of_sample("sample", "whether the image looks natural", _NATURAL, limit)]
    if appeal is not None:
        tasks.append(task_entry("appeal", "how appealing the image is", load_settings(appeal), limit))
    else:
        tasks.append(_of_sample("usable", "whether the image is of any use", _USABLE, limit))
    return {"name": "offline", "tasks": tasks}


def _of_sample(name: str, about: str, threshold: int, limit: int | None) -> dict[str, Any]:
    labels = {"kind": "categorical", "labels": ["no", "yes"], "positive": "yes"}
    data = {"path": str(_sample_folder() / "labels.csv"), "group": "group", "threshold": threshold}
    return task_entry(name, about, load_settings({"task": labels, "data": data}), limit)


def _sample_folder() -> Path:
    cache = user_cache("sample-folder")
    if cache is None:
        raise ConfigError("the built-in sample needs a cache folder; set XDG_CACHE_HOME")
    if not (cache / "labels.csv").is_file():
        with whole_folder(cache) as draft:
            write_sample(draft)
    return cache
