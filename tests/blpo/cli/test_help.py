"""Help pages: groups, at most 80 columns, working examples, and completion by the shell."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from blpo.cli.help import EXAMPLES
from blpo.cli.main import app, main
from tests.small_set import COMMAND, ENVIRONMENT


def test_every_command_has_two_or_three_examples_of_its_own() -> None:
    commands = {name: getattr(command, "commands", None) for name, command in get_command(app).commands.items()}  # type: ignore[attr-defined]
    leaves = {f"{name} {inner}" if inner else name for name, below in commands.items() for inner in (below or [""])}
    assert leaves == EXAMPLES.keys()
    for name, lines in EXAMPLES.items():
        assert 2 <= len(lines) <= 3
        assert all(f"{line} ".startswith(f"blpo {name} ") for line in lines)


@pytest.mark.parametrize("command", ["", "data", "train", *EXAMPLES])
def test_pages_read_well_at_80_columns(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*command.split(), "--help"]) == 0
    page = capsys.readouterr().out
    assert max(map(len, page.splitlines())) <= 80
    assert "Examples:" in page or command in ("data", "train")
    assert not re.search(r"\{|\}|\[\[|<list|<path|<str>", page)
    summary = page.split("\n\n")[1]
    assert summary.strip().endswith(".") and (len(summary.splitlines()) == 1 or not command)
    listed = page[page.find("Begin:") : page.find("Examples:")]
    assert "..." not in listed


def test_the_shell_completes_commands_and_options() -> None:
    def completed(words: str) -> list[str]:
        variables = {
            "_BLPO_COMPLETE": "complete_bash",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split(" ")) - 1),
        }
        done = subprocess.run(COMMAND, env={**ENVIRONMENT, **variables}, capture_output=True, text=True, timeout=60)
        return done.stdout.split()

    assert completed("blpo re") == ["resume", "report"]
    assert "--run-dir" in completed("blpo optimize --")


def test_completion_is_installed_where_the_shell_looks_for_it(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run([*COMMAND, "--install-completion", "bash"], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "bash completion installed in" in done.stdout
    installed = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("_BLPO_COMPLETE=complete_bash" in path.read_text() for path in installed)
    assert os.listdir(tmp_path)
