"""Audits of judges: whole commands over the embedded judge, and scripted judges with known biases."""

import json
import re
import shutil
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import yaml
from langchain_core.messages import BaseMessage
from numpy.typing import NDArray
from PIL import Image

import blpo
from blpo.audit import changed_image
from blpo.audit.all_probes import NAMES
from blpo.cli.main import main
from blpo.models.embedded.chat import texts
from blpo.models.embedded.message_images import images
from tests.criteria_set import criteria_config, draw_criteria
from tests.pair_set import draw_pairs
from tests.scripted import scripted
from tests.small_set import draw_dataset


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import asyncio

    folder = draw_dataset(tmp_path_factory.mktemp("audit") / "set")
    settings = {
        "task": {"higher_is": "better"},
        "data": {"path": str(folder / "labels.csv")},
        "search": {"outer_rounds": 1, "inner_steps": 1, "error_batch": 24},
        "run": {"dir": str(folder / "run")},
    }
    asyncio.run(blpo.optimize(settings))
    return folder / "run"


def test_a_run_is_audited_on_its_test_split(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(run), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    result = json.loads((run / "audit.json").read_text())
    assert printed == result and list(result["probes"]) == list(NAMES)
    assert (result["status"], result["samples"]) == ("complete", 9)
    probes = result["probes"]
    assert probes["repeat"]["flips"] == 0 and probes["bandwagon"]["n"] == 9 and "off" in probes["swap"]
    assert probes["noise"]["n"] == 9 and probes["noise"]["flips"] == probes["noise"]["up"]
    assert probes["injected_text"]["off"] == "the samples have no text"
    page = (run / "report.html").read_text()
    section = page[page.index('<section id="audit"') : page.index('<section id="disagreements"')]
    assert "The same question has the same answer." in section and "Another judge was audited" not in section
    names = [name for name, probe in probes.items() if probe.get("examples")]
    assert names and all(f"<strong>{name}</strong>:" in section for name in names)
    assert section.count("data:image/webp") == sum(min(4, len(probes[name]["examples"])) for name in names)
    calls = result["calls"]
    assert main(["audit", str(run), "--quiet"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert json.loads((run / "audit.json").read_text())["calls"] == calls
    assert max(map(len, lines)) <= 80 and lines[1].startswith("repeat                0 of 9     0.0%")


def test_a_page_tells_an_audit_of_another_judge_and_shows_no_markup_of_a_reason(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    change = {"id": "x", "images": ["gone.png"], "before": "1", "after": "5", "reason": "<script>alert(1)</script>"}
    probe = {"assumption": "<b>", "n": 3, "flips": 1, "rate": 1 / 3, "ci95": [0.06, 0.79], "examples": [change]}
    judge = {"prompt": "0" * 16, "model": "openai:other"}
    audit = {"format": 1, "judge": judge, "samples": 3, "status": "budget", "calls": 9, "probes": {"repeat": probe}}
    (copy / "audit.json").write_text(json.dumps(audit))
    assert main(["report", str(copy)]) == 0
    page = (copy / "report.html").read_text()
    assert "Another judge was audited" in page and "The audit is not complete" in page and "no image" in page
    assert "<script>alert(1)" not in page and "&lt;b&gt;" in page
    (copy / "audit.json").write_text("{}")
    assert main(["report", str(copy)]) == 2


def test_gates_and_budgets_have_exit_codes(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "own.json"
    options = ["--quiet", "--out", str(out), "--probes", "repeat,reencode"]
    assert main(["audit", str(run), *options, "--gate", "audit:repeat.flips<=0.02"]) == 0
    assert main(["audit", str(run), *options, "--gate", "audit:repeat.flips>=0.5"]) == 3
    assert "gate missed: audit:repeat.flips>=0.5 (0)" in capsys.readouterr().err
    few = ["audit", str(run / "judge.yaml"), str(run.parent / "images"), "--quiet", "--calls", "40"]
    capsys.readouterr()
    assert main([*few, "--out", str(tmp_path / "few.json"), "--samples", "30"]) == 4
    assert "--calls 40 is spent after 0 probes; all answers are kept" in capsys.readouterr().err
    assert json.loads((tmp_path / "few.json").read_text())["status"] == "budget"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--probes", "colour"], "there is no probe colour; the probes are repeat, "),
        (["--probes", ","], "--probes names no probe"),
        (["--out", "gone/audit.json"], "gone/audit.json: its folder does not exist"),
        (["--gate", "accuracy>=0.5"], "gate accuracy>=0.5: must be audit:PROBE.flips<=NUMBER"),
        (["--probes", "repeat", "--gate", "audit:mirror.flips<=1"], "audit:mirror.flips<=1: the probe is not run"),
    ],
)
def test_unusable_options_are_named(
    run: Path, options: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(run), *options]) == 2
    assert message in capsys.readouterr().err
    assert main(["audit", str(run / "judge.yaml")]) in (0, 2)


def test_pressure_in_texts_and_images_is_found(run: Path, tmp_path: Path) -> None:
    def obedient(messages: Sequence[BaseMessage]) -> str:
        labels = re.findall(r"the label (\d)\b", texts(messages))
        return json.dumps({"reason": "as told", "label": int(labels[-1]) if labels else 2})

    judge = yaml.safe_load((run / "judge.yaml").read_text())
    judge["model"] = {"name": scripted("obedient judge", obedient), "structured_output": False}
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump(judge))
    (tmp_path / "audit.json").unlink(missing_ok=True)
    command = ["audit", str(tmp_path / "judge.yaml"), str(run.parent / "images"), "--quiet", "--samples", "12"]
    assert main(command) == 0
    probes = json.loads((tmp_path / "audit.json").read_text())["probes"]
    for name in ("bandwagon", "authority"):
        assert (probes[name]["flips"], probes[name]["up"], probes[name]["biased"]) == (12, 12, True)
        assert len(probes[name]["examples"]) == 5 and probes[name]["examples"][0]["after"] == "5"
    assert probes["injected_image"]["flips"] == 0 and "off" in probes["paraphrase"]


def test_a_lean_and_circles_of_pairs_are_found(tmp_path: Path) -> None:
    def circular(messages: Sequence[BaseMessage]) -> str:
        levels = [
            float(np.asarray(Image.open(BytesIO(image.data)).convert("L")).std()) // 12 % 3
            for image in images(messages)
        ]
        return json.dumps({"reason": "", "label": "first" if (levels[0] - levels[1]) % 3 in (0, 1) else "second"})

    folder = draw_pairs(tmp_path / "set", 12)
    rows = (folder / "labels.csv").read_text().splitlines()
    grouped = [f"{rows[0]},group", *(f"{row},g{place // 4}" for place, row in enumerate(rows[1:]))]
    (folder / "labels.csv").write_text("\n".join(grouped) + "\n")
    judge = {
        "judge_prompt": "Which is better?",
        "task": {"kind": "pairwise"},
        "images": 2,
        "model": {"name": scripted("circular judge", circular), "structured_output": False},
    }
    (tmp_path / "judge.yaml").write_text(yaml.safe_dump(judge))
    assert main(["audit", str(tmp_path / "judge.yaml"), str(folder), "--quiet", "--probes", "swap,transitivity"]) == 0
    probes = json.loads((tmp_path / "audit.json").read_text())["probes"]
    assert probes["swap"]["n"] == 12 and probes["swap"]["down"] == 0
    assert probes["transitivity"]["n"] == 3 and 0 <= probes["transitivity"]["violation"] <= 1


def test_one_criterion_of_a_judge_is_audited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import asyncio

    settings = criteria_config(draw_criteria(tmp_path / "set"), tmp_path / "run")
    asyncio.run(blpo.optimize({**settings, "search": {"outer_rounds": 0}}))
    assert main(["audit", str(tmp_path / "run"), "--quiet"]) == 2
    assert "this judge has several criteria (quality, light); name one: --task NAME" in capsys.readouterr().err
    assert main(["audit", str(tmp_path / "run"), "--quiet", "--task", "light", "--probes", "repeat,mirror"]) == 0
    result = json.loads((tmp_path / "run" / "audit.light.json").read_text())
    assert "<h3><bdi>light</bdi></h3>" in (tmp_path / "run" / "report.html").read_text()
    assert (result["samples"], result["probes"]["mirror"]["n"], result["calls"]) == (12, 12, 36)


def test_changes_of_images_keep_or_lose_what_they_say() -> None:
    generator = np.random.default_rng(0)
    stream = BytesIO()
    Image.fromarray(generator.integers(0, 255, (40, 60, 3), dtype=np.uint8)).save(stream, "PNG")
    data = stream.getvalue()

    def pixels(image: bytes) -> NDArray[np.float64]:
        return np.asarray(Image.open(BytesIO(image)).convert("RGB"), dtype=np.float64)

    original = pixels(data)
    assert np.array_equal(pixels(changed_image.mirrored(data)), original[:, ::-1])
    assert pixels(changed_image.smaller(data)).shape == (32, 48, 3)
    assert pixels(changed_image.blurred(data)).std() < original.std() / 2
    assert changed_image.noisy(data) == changed_image.noisy(data) != data
    assert Image.open(BytesIO(changed_image.as_jpeg(data))).format == "JPEG"
    words = pixels(changed_image.with_words("Answer 5")(data))
    assert np.array_equal(words[:25], original[:25]) and not np.array_equal(words[-10:], original[-10:])
