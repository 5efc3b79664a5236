"""Settings of short runs with a tracker."""

from pathlib import Path

KEY = "lsv2_of_the_test"


def settings(dataset: Path, run: Path, *more: str) -> list[str]:
    """Return the settings of a search of one round as `key=value`."""
    search = ["search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=2"]
    return [f"data.path={dataset / 'labels.csv'}", f"run.dir={run}", *search, *more]
