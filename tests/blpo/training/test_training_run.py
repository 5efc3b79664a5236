"""Trainings without the extra `train`: refusals, arguments of TRL, and the log and checkpoints that a kill leaves."""

import json
from pathlib import Path

import pytest

from blpo.cli.main import main
from blpo.training.recipe import recipe_of
from blpo.training.training_curve import curve_svg
from blpo.training.training_log import LOG, keep_until, line_of, read_log
from blpo.training.training_run import last_checkpoint
from blpo.training.trl_files import trainer_arguments
from tests.small_set import draw_dataset


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """Folder of an export for TRL."""
    folder = draw_dataset(tmp_path / "set", 20)
    out = tmp_path / "out"
    command = ["train", "export", str(folder / "config.yaml"), "--for", "trl", "--stage", "sft", "--out", str(out)]
    assert main(command) == 0
    return out


def test_the_missing_extra_is_named(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "run", str(exported)]) == 2
    assert "needs the extra 'train'; install it with: pip install -e '.[train]'" in capsys.readouterr().err
    assert main(["train", "run", str(exported), "--set", "batch=8"]) == 2
    assert "needs the extra" in capsys.readouterr().err


def test_another_folder_and_another_setting_are_refused(exported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "run", str(exported.parent)]) == 2
    assert "make one with blpo train export --for trl" in capsys.readouterr().err
    assert main(["train", "run", str(exported), "--set", "learning_rates=1"]) == 2
    assert "did you mean learning_rate?" in capsys.readouterr().err


def test_the_log_of_a_killed_training_is_read_and_cut(tmp_path: Path) -> None:
    lines = [line_of(step, 9, {"loss": 1 / step, "epoch": step, "name": "no number"}) for step in (1, 2, 3, 4)]
    text = "".join(line.as_json() + "\n" for line in lines)
    (tmp_path / LOG).write_text(text + '{"step": 5, "ste')
    assert read_log(tmp_path) == lines
    keep_until(tmp_path, 2)
    assert read_log(tmp_path) == lines[:2]
    assert curve_svg(lines, "sft").startswith("<svg") and "http://localhost" not in curve_svg(lines, "sft")


def test_a_checkpoint_whose_writing_was_killed_is_not_gone_on_from(tmp_path: Path) -> None:
    for step, state in ((20, '{"global_step": 20}'), (40, '{"global_step"'), (100, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if state is not None:
            (tmp_path / f"checkpoint-{step}" / "trainer_state.json").write_text(state)
    last = last_checkpoint(tmp_path)
    assert last is not None and json.loads((last / "trainer_state.json").read_text()) == {"global_step": 20}
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-20"]


@pytest.mark.parametrize(
    ("changes", "devices", "at_once"),
    [
        ([], 1, 40),  # micro-batches of one completion: two prompts
        ([], 4, 40),
        (["micro_batch=8"], 1, 5),
        (["sample_batch=null"], 1, 10_240),  # the rollout batch of the paper
        (["batch=255", "rollout_batch=255"], 1, 20),  # 40 is no part of 5,100
        (["batch=8", "rollout_batch=8", "rollouts=8", "micro_batch=64"], 1, 1),
    ],
)
def test_completions_of_few_whole_prompts_are_sampled_at_once(changes: list[str], devices: int, at_once: int) -> None:
    recipe = recipe_of("grpo", changes).fitted(1000)
    arguments = trainer_arguments(recipe, devices)
    parts = arguments["steps_per_generation"]
    assert parts == at_once
    assert parts * recipe.micro_batch * devices % recipe.rollouts == 0
    assert arguments["gradient_accumulation_steps"] % parts == 0 or recipe.sample_batch is None
