from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from blpo.config.settings_file import load_settings
from evals.attribute_classifier import PENALTIES, ceiling, main

pytestmark = pytest.mark.slow

CONFIG = """
task: {kind: categorical, labels: [clean, noisy]}
data: {path: labelled, group: scene}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw sixty images of twenty scenes with labels for noise, three of them wrong."""
    folder = tmp_path_factory.mktemp("ceiling")
    (folder / "labelled" / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = ["image,label,scene"]
    for number in range(60):
        noisy = bool(number % 2) != (number % 20 == 0)
        pixels = rng.integers(60, 200, 3) + np.linspace(-40, 40, 48)[:, None, None] * rng.uniform(-1, 1)
        pixels = pixels + rng.standard_normal((48, 48, 1)) * (12 if number % 2 else 2)
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(folder / f"labelled/images/{number}.png")
        rows.append(f"images/{number}.png,{'noisy' if noisy else 'clean'},{number // 3}")
    (folder / "labelled" / "labels.csv").write_text("\n".join(rows))
    (folder / "config.yaml").write_text(CONFIG)
    return folder / "config.yaml"


def test_it_learns_from_train_and_validation_and_reports_on_test(config: Path) -> None:
    result = ceiling(load_settings(config), seed=1)
    assert 38 <= result.fitted <= 46
    assert result.penalty in PENALTIES
    assert (result.test["macro_f1"] or 0.0) > 0.8
    assert result == ceiling(load_settings(config), seed=1)


PAIRS = """
task: {kind: pairwise}
data: {path: pairs.csv, image: [image_a, image_b], group: scene}
"""


def test_pairs_are_classified_by_differences(config: Path) -> None:
    folder = config.parent
    rows = ["image_a,image_b,label,scene"]
    for scene in range(1, 20):
        clean, noisy = (f"labelled/images/{3 * scene + (place + scene) % 2}.png" for place in (0, 1))
        sides = (clean, noisy, "a") if scene % 3 else (noisy, clean, "b")
        rows.append(",".join((*sides, str(scene))))
    (folder / "pairs.csv").write_text("\n".join(rows))
    (folder / "pairs.yaml").write_text(PAIRS)
    result = ceiling(load_settings(folder / "pairs.yaml"), seed=1)
    assert result.test["accuracy"] == 1.0
    assert result.fitted >= 12


def test_a_table_for_each_configuration(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(config), "--seeds", "1", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(config)
    assert [line.split()[0] for line in lines[1:]] == ["seed", "1", "2", "mean"]
    scores = [float(line.split()[3]) for line in lines[2:4]]
    assert float(lines[4].split()[1]) == pytest.approx(sum(scores) / 2, abs=0.001)


def test_what_cannot_be_read_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing.yaml")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
