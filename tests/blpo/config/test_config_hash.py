"""The hash of a configuration changes with the settings that change results."""

import re
from pathlib import Path

import pytest

from blpo.config.config_hash import config_hash
from blpo.config.settings_file import load_settings
from state.errors import ConfigError
from state.settings import PRESETS, Settings
from tests.blpo.config.config_files import write_config


@pytest.mark.parametrize(
    "override",
    [
        "search.seed=1",
        "search.preset=paper",
        "search.error_batch=3",
        "search.trials=scored",
        "search.batch=split",
        "search.select_on=validation",
        "data.limit=5",
        "models.judge.temperature=1",
        "models.judge.max_pixels=2048",
        "models.judge.votes=3",
        "models.judge.reason=after",
        "models.judge.part_order=rubric_first",
        "models.judge.arguments={top_p: 0.5}",
        "models.verbalizer.name=embedded:judge",
        "prompts.judge=other",
    ],
)
def test_what_determines_results_changes_the_hash(override: str) -> None:
    assert config_hash(load_settings(None, [override])) != config_hash(Settings())


@pytest.mark.parametrize(
    "override",
    [
        "data.path=other",
        "limits.calls=5",
        "limits.max_failure_rate=0.5",
        "run.dir=elsewhere",
        "run.checkpoints=c.sqlite",
        "run.tracking=mlflow",
        "models.judge.base_url=http://localhost:8000/v1",
        "models.judge.timeout=5",
        "models.judge.max_concurrency=5",
        "models.judge.max_retries=0",
        "models.judge.price={input: 1, output: 1}",
        "models.judge.vision=true",
        "models.optimizer.name=embedded:optimizer",
        "search.anchors=0",
    ],
)
def test_what_does_not_change_results_leaves_the_hash(override: str) -> None:
    assert config_hash(load_settings(None, [override])) == config_hash(Settings())
    assert re.fullmatch(r"[0-9a-f]{64}", config_hash(Settings()))


def test_ties_and_order_of_pairs_change_the_hash() -> None:
    pairs = {"task": {"kind": "pairwise"}, "data": {"path": "x", "image": ["a", "b"]}}
    tasks = ["task.ties=true", "task.order=one", "task.order=random"]
    hashes = {config_hash(load_settings(pairs, [task])) for task in tasks} | {config_hash(load_settings(pairs))}
    assert len(hashes) == 4


def test_a_preset_written_out_has_the_hash_of_the_preset() -> None:
    assert config_hash(load_settings({"search": PRESETS["paper"]})) == config_hash(
        load_settings({"search": {"preset": "paper"}})
    )


def test_a_prompt_file_counts_by_its_text(tmp_path: Path) -> None:
    file = write_config(tmp_path, "Rate it.\n", "p.md")
    from_file = load_settings({"prompts": {"judge_file": str(file)}})
    assert config_hash(from_file) == config_hash(load_settings({"prompts": {"judge": "Rate it."}}))
    before = config_hash(from_file)
    write_config(tmp_path, "Rate it well.\n", "p.md")
    assert config_hash(from_file) != before
    file.unlink()
    with pytest.raises(ConfigError, match=r"prompts.judge_file: .*p\.md can't be read: No such file"):
        config_hash(from_file)
