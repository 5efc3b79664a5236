"""Parts of a run for notebooks, by the public names."""

import asyncio
import shutil
from pathlib import Path

import pytest

import blpo
from state.errors import DataError, RunError
from tests.made_run import draw_images, make_run

LABELS = ["safe", "unsafe <b>"]
PROMPTS = ["Is it safe?", "Is it <script>safe</script>?\nLook at the colours."]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> blpo.Run:
    folder = tmp_path_factory.mktemp("notebook") / "set"
    draw_images(folder, [LABELS[i % 2] for i in range(24)], 16)
    task: dict[str, object] = {"kind": "categorical", "labels": LABELS}
    path = make_run(folder, task, PROMPTS, lambda i, sample: LABELS[0], lambda i, sample: LABELS[i % 3 % 2])
    return blpo.Run.read(path)


def html(part: object) -> str:
    return str(part._repr_html_())  # type: ignore[attr-defined]


def test_a_difference_of_prompts_is_coloured_and_escaped(run: blpo.Run) -> None:
    part = run.prompt_diff()
    assert html(part).count("<ins") >= 1 and "<script>" not in html(part)
    assert "[+" in repr(part) and "Look at the colours." in repr(part)
    i2t = run.prompt_diff("i2t")
    assert '<del style="background: rgba(218, 54, 51, .22)">0</del>' in html(i2t)
    assert repr(i2t) == "Describe [-0-][+1+] things."


def test_the_curve_is_an_svg_with_its_colours(run: blpo.Run) -> None:
    part = run.curve()
    assert "<svg" in html(part) and "--accent: " in html(part)
    assert repr(part).startswith("macro-F1 on validation, by round\nround 0: ")


def test_images_stand_beside_labels_and_are_blurred_if_the_labels_suggest_it(run: blpo.Run) -> None:
    differing = blpo.disagreements(run.directory)[:3]
    part = run.images(differing)
    assert html(part).count("data:image/webp") == 3 == html(part).count("blur(18px)")
    assert "unsafe <b>" not in html(part) and "unsafe &lt;b&gt;" in html(part)
    assert repr(part).startswith("3 disagreements\n") and f"{differing[0].id} (" in repr(part)
    assert "blur(" not in html(run.images(differing, blur=False))
    assert "No disagreements." in html(run.images([]))


def test_parts_need_rounds_and_data(run: blpo.Run, tmp_path: Path) -> None:
    shutil.copytree(run.directory, tmp_path / "run")
    lost = blpo.Run.read(tmp_path / "run", [f"data.path={tmp_path / 'gone.csv'}"])
    with pytest.raises(DataError):
        lost.images(blpo.disagreements(run.directory)[:1])
    overrides = [f"run.dir={tmp_path / 'none'}", "data.limit=40", "limits.calls=1"]
    stopped = asyncio.run(blpo.optimize(overrides=overrides, progress=False))
    for part in (stopped.prompt_diff, stopped.curve):
        with pytest.raises(RunError, match="no judged round"):
            part()
