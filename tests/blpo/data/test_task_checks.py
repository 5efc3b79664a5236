"""The check of a dataset before a run with several criteria."""

from pathlib import Path

from blpo.config.settings_file import load_settings
from blpo.data.dataset_check import check_dataset
from tests.short_runs import criteria_config
from tests.small_set import edit_labels


def test_check_reads_every_criterion(tmp_path: Path) -> None:
    settings = load_settings(criteria_config(tmp_path / "set"))
    assert check_dataset(settings) == []

    edit_labels(tmp_path / "set", lambda rows: rows[2].update(mood="middling"))
    (problem,) = check_dataset(settings)
    assert problem.startswith("mood: ") and "middling" in problem and ":4:" in problem
