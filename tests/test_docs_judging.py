"""Every command of docs/judging.md works as it stands there."""

import io
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from cli.main import main
from driver.judge_file import JudgeFile
from state.settings import ModelSettings, TaskSettings
from tests.small_set import draw_dataset

PAGE = Path(__file__).parent.parent / "docs" / "judging.md"
PROMPT = """Rate how natural the image looks from 1 to 5.

- Lower the rating strongly when colourfulness is very high and raise it when it is low or below.
- Lower the rating strongly when local contrast is very high and raise it when it is low or below."""
COMMANDS = [
    line
    for language, block in re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
    if not language
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("docs")
    draw_dataset(place / "photos")
    run = place / "runs" / "first"
    (run / "verdicts").mkdir(parents=True)
    judge = JudgeFile(judge_prompt=PROMPT, task=TaskSettings(), model=ModelSettings(name="embedded:judge"))
    (run / "judge.yaml").write_text(judge.dump())
    row = '{"id": "s", "label": 3, "verdict": 3, "status": "ok", "reason": "", "split": "test"}\n'
    (run / "verdicts" / "best.jsonl").write_text(row + row.replace("3", "4"))
    return place


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_works(
    line: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    command, _, comment = line.partition("  #")
    before, _, command = command.rpartition(" | ")
    if before:
        given = subprocess.run(["bash", "-c", before], capture_output=True, text=True, check=True).stdout
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
    command, _, file = command.partition(" > ")
    name, *arguments = shlex.split(command)
    assert name == "blpo"
    assert main(arguments) == (3 if "exit code 3" in comment else 0)
    if file:
        Path(file.strip()).unlink(missing_ok=True)
    assert capsys.readouterr().out or "--out" in arguments


def test_there_are_commands() -> None:
    assert len(COMMANDS) == 13
