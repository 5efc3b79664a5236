"""Gates of `blpo optimize` and `blpo resume`, on a finished run with two criteria."""

import shutil
from pathlib import Path

import pytest

from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.metrics.gate import parse_run_gates
from state.errors import ConfigError
from tests.criteria_set import criteria_config, draw_criteria


@pytest.mark.parametrize(
    ("gates", "code", "said"),
    [
        (["above_chance>=-1, coverage>=1", "light:recall.light>=0, n>=1"], 0, "gate light:recall.light>=0 is kept"),
        (["quality:quadratic_kappa>=-1", "quality:mae<0"], 3, "gate quality:mae<0 is missed"),
    ],
)
def test_finished_run_is_held_to_gates(
    criteria_run: Path, tmp_path: Path, gates: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(criteria_run, run)
    assert main(["resume", str(run), "-q", *(part for gate in gates for part in ("--gate", gate))]) == code
    err = capsys.readouterr().err
    assert said in err and "on the test split" in err


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        ("macro_f1>=0.5", "put one in front, as in quality:macro_f1>=0.5, or use above_chance"),
        ("ligth:macro_f1>=0.5", "ligth is no task of the run (quality, light)"),
        ("light:mae<=1", "mae needs an ordinal task"),
        ("light:recall.middling>=0.5", "'middling' is no label of the task"),
    ],
)
def test_mistakes_in_gates_are_named_before_the_run(tmp_path: Path, gate: str, message: str) -> None:
    settings = load_settings(criteria_config(draw_criteria(tmp_path / "set", 5), tmp_path / "run"))
    with pytest.raises(ConfigError) as raised:
        parse_run_gates(gate, settings)
    assert message in str(raised.value)
