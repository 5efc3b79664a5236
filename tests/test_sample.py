import csv
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from data.dataset import load_dataset
from data.sample import CAUSES, SIZE, DrawnImage, recipes
from data.write_sample import write_sample
from state.errors import DataError
from state.settings import DataSettings, SplitColumn, TaskSettings

RATED = TaskSettings(kind="ordinal", min=1, max=5)


def luma(number: int) -> Any:
    with Image.open(BytesIO(DrawnImage(number).read())) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (256, 256))
        return np.asarray(image.convert("L"), dtype=float)


def general(number: int) -> list[float]:
    """What any caption would mention: brightness, contrast, saturation, colourfulness, warmth, busyness."""
    with Image.open(BytesIO(DrawnImage(number).read())) as image:
        rgb = np.asarray(image, dtype=float)
        small = np.asarray(image.convert("L").resize((64, 64), Image.Resampling.BOX), dtype=float)
    red, green, blue = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    grey = rgb.mean(axis=2)
    saturation = (rgb.max(axis=2) - rgb.min(axis=2)) / np.maximum(rgb.max(axis=2), 1)
    colourful = np.hypot((red - green).std(), ((red + green) / 2 - blue).std())
    down, across = np.gradient(small)
    busy = float((np.hypot(down, across) > 12).mean())
    values = (grey.mean(), grey.std(), saturation.mean(), colourful, (red - blue).mean(), busy)
    return [float(value) for value in values]


def test_there_are_240_images_and_the_ratings_are_balanced() -> None:
    assert [recipe.id for recipe in recipes()][:2] == ["sample-001", "sample-002"]
    assert len({recipe.id for recipe in recipes()}) == len(recipes()) == SIZE == 240
    by_rule = Counter(5 - sum(recipe.levels) for recipe in recipes())
    assert by_rule == dict.fromkeys(range(1, 6), 48)
    assert min(Counter(recipe.rating for recipe in recipes()).values()) >= 36


def test_the_label_follows_from_the_causes_but_for_a_little_rater_noise() -> None:
    assert all(recipe.rating == 5 - sum(recipe.levels) + recipe.rater_shift for recipe in recipes())
    assert {recipe.rating for recipe in recipes()} == {1, 2, 3, 4, 5}
    strayed = [recipe for recipe in recipes() if recipe.rater_shift]
    assert 0.05 * SIZE <= len(strayed) <= 0.15 * SIZE
    assert all(abs(recipe.rater_shift) == 1 for recipe in strayed)
    assert all(sum(level > 0 for level in recipe.levels) <= 2 for recipe in recipes())


def test_causes_and_contents_are_spread() -> None:
    for position in range(len(CAUSES)):
        levels = Counter(recipe.levels[position] for recipe in recipes())
        assert levels[1] >= 30 and levels[2] >= 30
    for rating in range(1, 6):
        photographs = [
            recipe.content in ("china", "flower") for recipe in recipes() if 5 - sum(recipe.levels) == rating
        ]
        assert sum(photographs) == 24


def test_the_same_recipe_draws_the_same_bytes() -> None:
    first = DrawnImage(7).read()
    from data.sample import _png

    _png.cache_clear()
    assert DrawnImage(7).read() == first
    assert DrawnImage(7).name == "built-in sample-007"


def test_all_images_differ() -> None:
    assert len({DrawnImage(recipe.number).read() for recipe in recipes()}) == SIZE


def test_what_a_general_caption_mentions_does_not_predict_the_label() -> None:
    features = np.array([general(recipe.number) for recipe in recipes()])
    ratings = np.array([recipe.rating for recipe in recipes()])
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.3))
    assert cross_val_score(model, features, ratings, cv=folds).mean() < 0.34
    correlations = [abs(np.corrcoef(column, ratings)[0, 1]) for column in features.T]
    assert max(correlations) < 0.2


def test_clipping_is_where_the_recipe_says() -> None:
    at = CAUSES.index("clipping")
    for recipe in recipes():
        white = float((luma(recipe.number) >= 254).mean())
        if recipe.levels[at]:
            assert white > (0.03, 0.10)[recipe.levels[at] - 1]
        elif not recipe.levels[CAUSES.index("noise")]:
            assert white < 0.01


def test_the_default_settings_are_the_sample() -> None:
    dataset = load_dataset(DataSettings(), TaskSettings(), seed=0)
    assert {name: len(samples) for name, samples in dataset.splits.items()} == {
        "train": 96,
        "validation": 72,
        "test": 72,
    }
    assert len(dataset.fingerprint) == 64


def test_a_split_column_is_refused() -> None:
    with pytest.raises(DataError, match="the built-in sample has no column"):
        load_dataset(DataSettings(split=SplitColumn(column="split")), TaskSettings(), seed=0)


def test_the_written_sample_is_the_same_dataset(tmp_path: Path) -> None:
    write_sample(tmp_path / "sample")
    written = load_dataset(DataSettings(path=str(tmp_path / "sample")), RATED, seed=4)
    drawn = load_dataset(DataSettings(), RATED, seed=4)
    for name, samples in drawn.splits.items():
        assert [sample.id for sample in written.splits[name]] == [sample.id for sample in samples]
        assert [sample.label for sample in written.splits[name]] == [sample.label for sample in samples]
    assert written.by_id["sample-017"].images[0].read() == drawn.by_id["sample-017"].images[0].read()
    assert "A PROGRAM MADE THESE LABELS" in (tmp_path / "sample" / "README.md").read_text()
    with open(tmp_path / "sample" / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(int(r["label"]) == 5 - sum(int(r[c]) for c in CAUSES) + int(r["rater_shift"]) for r in rows)
    with pytest.raises(DataError, match="is not empty"):
        write_sample(tmp_path / "sample")
