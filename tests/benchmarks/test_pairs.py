"""Benchmark of pairs: real ratings in, tables out, cells run once."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.pairs import main

pytestmark = pytest.mark.slow

PROMPTS, IMAGES = 9, 4


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw four images of every prompt, with mean ratings that fall with the noise."""
    folder = tmp_path_factory.mktemp("rated")
    (folder / "images").mkdir()
    generator = np.random.default_rng(0)
    rows = ["image,label,text,split,prompt_id"]
    for prompt in range(PROMPTS):
        for noise in generator.permutation(IMAGES):
            name = f"images/{prompt}-{noise}.png"
            pixels = generator.uniform(80, 180, 3) + generator.normal(0, 2 + 9 * noise, (48, 48, 3))
            Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / name)
            rows.append(f"{name},{4.5 - noise + generator.uniform(-0.2, 0.2):.2f},scene {prompt},train,p{prompt}")
    (folder / "labels_appeal.csv").write_text("\n".join(rows))
    return folder


def test_tables_of_seeds_whose_cells_run_once(
    ratings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--avt", str(ratings), "--sets", "appeal", "--seeds", "2", "--calls", "500", "--out", str(tmp_path)]
    assert main(arguments) == 0
    first = capsys.readouterr()
    assert first.err.count("blpo_appeal_embedded_seed") == 2
    lines = first.out.splitlines()
    assert lines[0] == "appeal: 54 pairs in 9 groups"
    assert lines[1].split() == ["seed", "pairs", "groups", "p_0", "first", "best", "first", "both", "ceiling", "p"]
    assert [line.split()[0] for line in lines[2:5]] == ["0", "1", "mean"]
    initial, lean, best, remaining, both, top = map(float, lines[4].split()[3:9])
    assert lean > 0.55 and 0.45 <= remaining <= 0.55
    assert best > max(initial, 0.85) and both <= best and top > 0.85
    assert re.search(r"accuracy \+0\.\d{3} \[\+0\.\d{3}, \+\d\.\d{3}\], p = 0\.0\d+; 2 seeds, 72 answers", lines[5])
    assert main(arguments) == 0
    again = capsys.readouterr()
    assert again.out == first.out and "seed0" not in again.err


def test_a_folder_without_ratings_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--avt", str(tmp_path), "--sets", "realism", "--out", str(tmp_path / "out")]) != 0
    assert str(tmp_path) in capsys.readouterr().err


def test_ratings_of_people_need_their_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--sets", "appeal", "--out", str(tmp_path)])
    assert "--avt" in capsys.readouterr().err
