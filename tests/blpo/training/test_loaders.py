"""The script that reads exports by the trainers' loaders: what it says of a trainer that is not here."""

import sys
from pathlib import Path

from benchmarks.training_loaders import TRAINERS, Environment, Trainer, missing
from blpo.training.frameworks import FRAMEWORKS

HERE = Environment(sys.executable)


def test_every_stage_of_every_trainer_is_read() -> None:
    assert {trainer.name: trainer.stages for trainer in TRAINERS} == {
        name: each.stages for name, each in FRAMEWORKS.items()
    }


def test_a_missing_package_is_named_with_the_option() -> None:
    reason = missing(Trainer("trl", ("pyyaml", "no-such-trainer"), ("sft",)), HERE)
    assert reason is not None and "no-such-trainer" in reason and "--trl names its Python" in reason
    assert missing(Trainer("trl", ("pyyaml",), ("sft",)), HERE) is None
    assert missing(Trainer("trl", ("pyyaml",), ("sft",)), Environment("/no/python")) is not None


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    trainer = Trainer("easyr1", ("pyyaml",), ("grpo",))
    for source in (None, tmp_path):
        assert "--easyr1-source" in (missing(trainer, Environment(sys.executable, source)) or "")
    (tmp_path / "verl").mkdir()
    assert missing(trainer, Environment(sys.executable, tmp_path)) is None
