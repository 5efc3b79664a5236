"""The method `gepa`: the real package with a served optimizer, and without the package."""

import asyncio
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage

from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.models.embedded.chat import texts
from blpo.models.embedded.message_images import images
from blpo.runs.driver import Search
from blpo.runs.start_and_resume import start_run
from evals.config import load_eval_settings
from evals.methods import METHODS, all_methods, installed_methods
from evals.methods import method as method_module
from state.errors import ModelError
from state.result import Result
from state.settings import Settings
from tests.scripted import scripted
from tests.small_set import draw_dataset

BETTER = "Rate the image from 1 to 3. Lower the rating when noise is high or above."
GEPA = METHODS["gepa"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_dataset(tmp_path_factory.mktemp("gepa") / "set")


def run_gepa(folder: Path, run: Path, *overrides: str) -> Result:
    settings = GEPA.adapt(load_settings(folder / "config.yaml", [f"run.dir={run}", *overrides]))
    return asyncio.run(start_run(settings, search=Search(GEPA.name, GEPA.builder))).result


def test_a_served_optimizer_gets_gepas_own_prompt_with_images(folder: Path, tmp_path: Path) -> None:
    requests: list[Sequence[BaseMessage]] = []

    def reflect(messages: Sequence[BaseMessage]) -> str:
        requests.append(messages)
        return f"Here is the new instruction.\n```\n{BETTER}\n```"

    name = scripted("reflecting", reflect)
    result = run_gepa(folder, tmp_path / "run", f"models.optimizer.name={name}", "limits.calls=120")
    task = texts(requests[0])
    assert "I provided an assistant with the following instructions to perform a task for me" in task
    assert result["rounds"][0]["judge_prompt"] in task
    assert "The answer is wrong. People say: " in task and "## Generated Outputs" in task
    assert all(len(images(messages)) == 3 for messages in requests)
    trials = [trial for record in result["rounds"] for trial in record["trials"]]
    assert trials and result["calls"]["verbalizer"]["issued"] == 0
    adopted = [record["judge_prompt"] for record in result["rounds"][1:]]
    assert set(adopted) <= {BETTER}
    assert result["status"] in ("complete", "budget")


def test_a_reply_without_a_usable_prompt_is_a_failed_trial(folder: Path, tmp_path: Path) -> None:
    name = scripted("verbose", lambda messages: f"```\n{'Look closely. ' * 2000}\n```")
    result = run_gepa(folder, tmp_path / "run", f"models.optimizer.name={name}", "search.outer_rounds=1")
    assert len(result["rounds"]) == 1
    lines = [json.loads(line) for line in (tmp_path / "run/rounds/00/trials.jsonl").read_text().splitlines()]
    assert lines and all(line["score"] is None and "are allowed" in line["failure"] for line in lines)


def test_the_table_names_the_messages_of_the_optimizer() -> None:
    embedded, served = Settings(), Settings.model_validate({"models": {"optimizer": {"name": "openai:o3"}}})
    assert "minibatch 20, BLPO's two messages without descriptions" in GEPA.rule(GEPA.adapt(embedded))
    assert "minibatch 3, GEPA's reflection prompt" in GEPA.rule(GEPA.adapt(served))


def test_without_the_package_the_method_is_refused_and_left_out_of_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(method_module, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"needs the extra 'gepa'; install it with: pip install -e '\.\[gepa\]'"):
        GEPA.adapt(Settings())
    assert "gepa" not in installed_methods() and "blpo" in installed_methods()
    assert "gepa" not in load_eval_settings(preset="table2", offline=True).methods
    assert main(["evals", "--offline", "--set", "methods=[gepa]", "--out", str(tmp_path)]) == 1
    assert "pip install -e '.[gepa]'" in capsys.readouterr().err


def test_the_package_is_the_pinned_one() -> None:
    assert version("gepa").startswith("0.1.")
    assert all_methods.METHODS["gepa"].package == "gepa"


def test_train_samples_without_a_verdict_have_no_line(folder: Path, tmp_path: Path) -> None:
    result = run_gepa(folder, tmp_path / "run", "limits.calls=60")
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in (tmp_path / "run/verdicts/best.jsonl").read_text().splitlines()
    ]
    assert result["test"] is not None
    assert sum(row["split"] == "test" for row in rows) == result["test"]["best"]["n"]
    assert all(row["status"] != "error" for row in rows)
