"""Every command and Python example of pages and help texts runs, in order (see tests/documented.py)."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml

import blpo
from blpo.cli.help import EXAMPLES
from blpo.runs.judge_file import JudgeFile
from blpo.runs.judge_tasks import JudgeTask
from state.events import Event
from state.metrics import Metrics
from state.result import Result
from state.settings import ModelSettings, TaskSettings
from tests import criteria_sources, pair_sources, public_sources
from tests.clip_set import draw_clips
from tests.documented import Step, given, run, run_python, steps
from tests.list_set import draw_lists
from tests.pair_set import draw_pairs
from tests.parquet_set import draw_shards
from tests.small_set import ROOT, draw_dataset, edit_labels

DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.glob("*.md")), ROOT / "README.md"]
EXEMPT = {
    **{line: "needs the extra train; make test-train trains" for line in EXAMPLES["train run"]},
    **{line: "serves until Ctrl-C; tests/blpo/view opens the pages" for line in EXAMPLES["view"]},
    "blpo evals --preset table1 --offline --out runs/table1": "takes minutes; test_evals.py runs experiments",
}
"""Examples of help pages that are not run, with reasons."""
GATE_MISSED = 3


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with all things for pages. The run is of the built-in sample."""
    place = tmp_path_factory.mktemp("docs")
    code, output = run(f"blpo optimize --quiet --run-dir {place}/runs/first")
    assert code == 0, output
    draw_dataset(place / "photos", 40)
    (place / "photos" / "config.yaml").unlink()
    draw_clips(place / "clips")
    draw_lists(place / "lists")
    draw_pairs(place / "photo-pairs")
    for name in ("agin", "seetrue", "imagereward", "unsafebench", "mjbench"):
        getattr(public_sources, name)(place / "downloads" / name)
    for name in ("hpdv2", "pickapic", "genaibench", "mmrb2", "vlrewardbench", "multicrit"):
        getattr(pair_sources, name)(place / "downloads" / name)
    for name in ("agiqa3k", "evalmuse", "richhf18k"):
        getattr(criteria_sources, name)(place / "downloads" / name)
    pair_sources.rated(place / "rated")
    return place


def _run_directory(prepared: Path, target: Path) -> None:
    shutil.copytree(prepared / "runs" / "first", target)
    shutil.copy(prepared / "runs" / "checkpoints.sqlite", target.parent)


def _config(prepared: Path, target: Path) -> None:
    search = {"outer_rounds": 1, "inner_steps": 1, "error_batch": 4}
    target.write_text(yaml.safe_dump({"data": {"path": "photos/labels.csv"}, "search": search}))


def _prompt(prepared: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    target.write_text("Rate how natural the image looks, from 1 (worst) to 5 (best).\n")


def _two_criteria(rows: list[dict[str, str]]) -> None:
    for place, row in enumerate(rows):
        row.update(realism=row.pop("label"), match="no" if place % 2 else "yes")


def _criteria(_: Path, target: Path) -> None:
    """Draw images with the labels of two criteria, and write a judge of both."""
    draw_dataset(target, 8)
    edit_labels(target, _two_criteria)
    match = TaskSettings(kind="categorical", labels=("no", "yes"), positive="yes")
    tasks = (
        JudgeTask(name="realism", about="how real the image looks", task=TaskSettings(), label="realism", images=1),
        JudgeTask(name="match", task=match, label="match", images=1),
    )
    model = ModelSettings(name="embedded:judge")
    judge = JudgeFile(judge_prompt="Judge the image.", tasks=tasks, criteria_calls="one", model=model)
    (target / "judge.yaml").write_text(judge.dump())
    (target / "config.yaml").unlink()


def _second_judge(_: Path, target: Path) -> None:
    target.mkdir()
    file = JudgeFile(
        judge_prompt="Start from 2.", task=TaskSettings(), images=1, model=ModelSettings(name="embedded:judge")
    )
    (target / "judge.yaml").write_text(file.dump())


GIVEN: dict[str, Callable[[Path, Path], object]] = {
    "runs/first": _run_directory,
    "runs/second": _run_directory,
    "photos": lambda prepared, target: shutil.copytree(prepared / "photos", target),
    "rated": lambda prepared, target: shutil.copytree(prepared / "rated", target),
    "photo-pairs": lambda prepared, target: shutil.copytree(prepared / "photo-pairs", target),
    "clips": lambda prepared, target: shutil.copytree(prepared / "clips", target),
    "lists": lambda prepared, target: shutil.copytree(prepared / "lists", target),
    "shards": lambda _, target: draw_shards(target),
    "config.yaml": _config,
    "prompts/judge.md": _prompt,
    "criteria": _criteria,
    "strong": _second_judge,
    "downloads": lambda prepared, target: target.symlink_to(prepared / "downloads"),
}
"""Makers of things for pages: two finished runs of one dataset, a folder of labelled images, a folder of images rated
by several people, pairs, a config for the first folder, a prompt, a folder with a judge of two criteria, one with a
second judge, and the public sets as downloaded."""


def lay_out(names: list[str], prepared: Path, folder: Path) -> None:
    """Put the named things into a folder."""
    for name in names:
        GIVEN[name](prepared, folder / name)


def take(step: Step, names: dict[str, Any]) -> None:
    """Write the step's file, or run its command or example; a command must end as its page says."""
    if step.file is not None:
        Path(step.file).parent.mkdir(parents=True, exist_ok=True)
        Path(step.file).write_text(step.text)
    elif step.not_run is not None:
        return
    elif step.language == "python":
        run_python(step, names)
    else:
        code, output = run(step.text)
        assert code == step.exit_code, f"{step.place}: {step.text}\nended with {code}:\n{output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page(page: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = page.read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    lay_out(given(text), prepared, tmp_path)
    names: dict[str, Any] = {}
    for step in steps(text, str(page.relative_to(ROOT))):
        take(step, names)


@pytest.mark.parametrize("command", EXAMPLES)
def test_examples_of_a_help_page(command: str, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    lay_out([name for name in GIVEN if command != "optimize" or "runs" not in name], prepared, tmp_path)
    for line in EXAMPLES[command]:
        shutil.rmtree("my-judge", ignore_errors=True)
        exit_code = GATE_MISSED if "--gate" in line else 0
        take(Step(f"blpo {command} --help", line, None, exit_code, EXEMPT.get(line)), {})


def test_most_commands_and_examples_run(record_property: Callable[[str, object], None]) -> None:
    every = [step for page in PAGES for step in steps(page.read_text(encoding="utf-8"), page.name) if not step.file]
    exempt = [step for step in every if step.not_run is not None]
    for step in exempt:
        print(f"{step.place}: {step.text}: {step.not_run}")
    record_property("not run", len(exempt))
    for language in ("sh", "python"):
        of_language = [step for step in every if step.language == language]
        assert sum(step in exempt for step in of_language) < len(of_language) / 2, language


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_no_command_hides_in_a_block_that_is_not_run(page: Path) -> None:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    hidden = [line for language, block in fenced for line in block.splitlines() if language not in ("sh", "bash")]
    assert [line for line in hidden if re.match(r"(\$ )?(blpo|make) ", line)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    for link in links:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in headings(target), f"{page.name}: {link}"


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_index_lists_every_page() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in DOCS.glob("*.md")} - {"README.md"} == set(re.findall(r"\((\w[\w-]*\.md)\)", text))


def test_the_python_page_uses_every_public_name() -> None:
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    examples = "".join(step.text for step in steps(text, "python.md") if step.language == "python")
    assert {name for name in blpo.__all__ if f"blpo.{name}" not in examples} == set()


def test_the_python_page_lists_every_field_of_events_and_results() -> None:
    rows = [row.split("|") for row in (DOCS / "python.md").read_text(encoding="utf-8").splitlines() if row[:3] == "| `"]
    named = {row[1].strip().strip("`"): row[-2] for row in rows}
    for event in get_args(Event):
        kind = get_args(get_type_hints(event)["event"])[0]
        keys = get_type_hints(event).keys() - {"event"}
        assert {key for key in keys if f"`{key}`" not in named[kind]} == set(), kind
    text = "".join(row[1] for row in rows)
    for record in (Result, Metrics):
        assert {key for key in get_type_hints(record) if f"`{key}`" not in text} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_of_the_code_exist(page: Path) -> None:
    """A path of a source file, in backticks, exists in the project."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    paths = re.findall(r"`((?:blpo|graph|nodes|state|evals|tests|benchmarks)/[\w/.-]*)`", text)
    assert [path for path in paths if not (ROOT / path).exists()] == []
