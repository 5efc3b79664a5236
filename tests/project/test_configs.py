"""Every YAML block of README.md, docs/ and evals/README.md loads as a configuration."""

import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from blpo.config.settings_file import load_settings
from evals.config import load_eval_settings
from state.settings import Settings
from tests.documented import Block, blocks
from tests.small_set import ROOT

RUN_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EVALS_PAGE = ROOT / "evals" / "README.md"
ROLES = {"judge", "verbalizer", "optimizer"}
PREPARED = re.compile(r"^blpo data prepare .* --out (datasets/\S+)", re.MULTILINE)
"""Folders that the commands of a page prepare."""
YES_NO = "{task: {kind: categorical, labels: ['no', 'yes']}, data: {path: labels.csv}}"


def configurations(page: Path) -> list[Block]:
    """All YAML blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [block for block in blocks(text, str(page.relative_to(ROOT))) if block.language == "yaml"]


def completed(text: str) -> str:
    """Return a YAML block as a whole configuration, with models in the section `models` and with an optimizer."""
    if yaml.safe_load(text).keys() <= ROLES:
        text = "models:\n" + textwrap.indent(text, "  ")
    if "optimizer" not in yaml.safe_load(text).get("models", {"optimizer": {}}):
        text = text.replace("models:\n", 'models:\n  optimizer: {name: "embedded:optimizer"}\n', 1)
    return text


@pytest.mark.parametrize(
    "block", [b for page in RUN_PAGES for b in configurations(page)], ids=lambda block: block.place
)
def test_a_block_is_the_configuration_of_a_run(block: Block, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(completed(block.text))
    load_settings(config)


@pytest.mark.parametrize("block", configurations(EVALS_PAGE), ids=lambda block: block.place)
def test_a_block_is_the_configuration_of_an_experiment(block: Block, tmp_path: Path) -> None:
    config = tmp_path / "examples" / "evals" / "config.yaml"
    files = {config: block.text, tmp_path / "datasets" / "agin" / "config.yaml": "task: {min: 1, max: 5}\n"}
    for folder in PREPARED.findall(EVALS_PAGE.read_text(encoding="utf-8")):
        files[config.parent / folder / "config.yaml"] = YES_NO
    for file, text in files.items():
        file.parent.mkdir(parents=True)
        file.write_text(text)
    load_eval_settings(config)


def test_pages_have_configurations() -> None:
    assert len([block for page in RUN_PAGES for block in configurations(page)]) >= 6
    assert len(configurations(EVALS_PAGE)) >= 1


def names_of(values: Mapping[str, Any], prefix: str = "") -> set[str]:
    """Return the full names of all settings, without the parts of a setting in flow style."""
    inner = [names_of(value, f"{prefix}{name}.") for name, value in values.items() if isinstance(value, dict)]
    return {f"{prefix}{name}" for name in values}.union(*inner)


def test_the_sample_configuration_lists_every_setting_with_its_default() -> None:
    sample = ROOT / "examples" / "sample.yaml"
    assert load_settings(sample).model_dump() == Settings().model_dump()
    missing = names_of(Settings().model_dump()) - names_of(yaml.safe_load(sample.read_text()))
    assert missing == {"data.split.seed", "data.split.calibration"}  # named in the comment on data.split
