"""config.yaml of a prepared dataset folder."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from blpo.config.yaml_text import write_yaml
from blpo.data.public.label_columns import LabelColumns
from blpo.data.public.public_set import SetDescription
from state.sample import SplitName

CONFIG_SHARES: Mapping[str, float] = {"train": 0.4, "validation": 0.3, "test": 0.3}
"""Shares of splits that a config draws."""

_RATERS = (
    "# ratings.csv holds the raters' own labels. The label of a row stays the label in labels.csv. The report says\n"
    "# how far one rater agrees with the other raters.\n"
)
_TEST_SET = (
    "# In labels.csv every row is a test row, because this is a test set. `blpo judge JUDGE .` judges all rows. check\n"
    "# and optimize need three splits, so the settings below draw splits.\n"
)


def write_config(
    folder: Path,
    description: SetDescription,
    columns: LabelColumns,
    splits: Iterable[SplitName | None],
    seed: int,
    command: str,
    shares: Mapping[str, float] = CONFIG_SHARES,
) -> None:
    """Write config.yaml for `check` and `optimize`. `shares` divide a set without train and test rows."""
    names, data = set(splits), columns.settings()
    has_splits = {"train", "test"} <= names
    data["split"] = {"column": "split"} if has_splits else dict(shares)
    task = {name: value for name, value in description.task.changes().items() if name != "kind"}
    prompts = {"prompts": {"judge": description.prompt}} if description.prompt else {}
    criteria = _criteria(description)
    if len(criteria) == 1:
        data["label"] = description.criteria[0].column
    elif description.is_pair and criteria:
        data["unlabelled"] = "skip"
    content: dict[str, Any] = {
        "task": {"kind": description.task.kind, **task},
        "data": data,
        **({"criteria": criteria} if len(criteria) > 1 else {}),
        **prompts,
        "search": {"seed": seed},
    }
    notes = [_TEST_SET] if columns.has_splits and not has_splits else []
    notes += [_RATERS] if columns.has_ratings else []
    header = f"# {description.title}, as `blpo data {command}` made it; source.json says how.\n"
    (folder / "config.yaml").write_text("".join([header, *notes]) + write_yaml(content), encoding="utf-8")


def _criteria(description: SetDescription) -> list[dict[str, str]]:
    return [
        {"name": each.name, **({"label": each.column} if each.column != each.name else {}), "about": each.about}
        for each in description.criteria
    ]
