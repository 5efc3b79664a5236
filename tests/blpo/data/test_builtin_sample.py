import csv
from collections import Counter
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_image
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from blpo.data.builtin import photographs
from blpo.data.builtin.dataset_folder import write_sample
from blpo.data.builtin.drawn_images import DrawnImage
from blpo.data.builtin.photographs import REGIONS, crop
from blpo.data.builtin.recipes import CAUSES, SIZE, recipes
from blpo.data.dataset import load_dataset
from blpo.models.embedded.perception import perceive
from state.errors import DataError
from state.settings import DataSettings, SplitColumn, TaskSettings

RATED = TaskSettings(kind="ordinal", min=1, max=5)


def luma(number: int) -> Any:
    with Image.open(BytesIO(DrawnImage(number).read())) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (256, 256))
        return np.asarray(image.convert("L"), dtype=float)


def general(number: int) -> list[float]:
    """Return the contents of a general caption: brightness, contrast, saturation, colourfulness, warmth, busyness."""
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
    by_rule = Counter(5 - len(recipe.strengths) for recipe in recipes())
    assert by_rule == dict.fromkeys(range(1, 6), 48)
    assert min(Counter(recipe.rating for recipe in recipes()).values()) >= 40


def test_the_label_follows_from_the_causes_but_for_a_little_rater_noise() -> None:
    assert all(recipe.rating == 5 - len(recipe.strengths) + recipe.rater_shift for recipe in recipes())
    assert {recipe.rating for recipe in recipes()} == {1, 2, 3, 4, 5}
    strayed = [recipe for recipe in recipes() if recipe.rater_shift]
    assert 0.05 * SIZE <= len(strayed) <= 0.15 * SIZE
    assert all(abs(recipe.rater_shift) == 1 for recipe in strayed)


def test_causes_and_contents_are_spread() -> None:
    for cause in CAUSES:
        assert sum(cause in recipe.strengths for recipe in recipes()) == SIZE // 2
    for count in range(5):
        contents = Counter(recipe.content for recipe in recipes() if len(recipe.strengths) == count)
        assert contents == dict.fromkeys(REGIONS, 2) | {"landscape": 11, "town": 11, "table": 10}


def test_regions_of_a_photograph_share_no_pixel() -> None:
    for name in ("china", "flower"):
        cover = np.zeros(load_sample_image(f"{name}.jpg").shape[:2], dtype=int)
        squares = [region for region in REGIONS.values() if region.photograph == name]
        for region in squares:
            cover[region.y : region.y + region.side, region.x : region.x + region.side] += 1
        assert cover.max() == 1
        assert cover.sum() == sum(region.side**2 for region in squares)


def test_a_crop_shows_nothing_outside_its_region(monkeypatch: pytest.MonkeyPatch) -> None:
    region, seeds = REGIONS["china-3"], range(20)
    crops = [crop(region, np.random.default_rng(seed)) for seed in seeds]
    photograph = load_sample_image("china.jpg")
    outside = np.ones(photograph.shape[:2], dtype=bool)
    outside[region.y : region.y + region.side, region.x : region.x + region.side] = False
    monkeypatch.setattr(photographs, "_packaged", lambda name: np.where(outside[..., None], 0, photograph))
    for seed, before in zip(seeds, crops, strict=True):
        assert np.array_equal(before, crop(region, np.random.default_rng(seed)))


@pytest.mark.parametrize("seed", range(21))
def test_a_region_is_in_one_split_and_the_test_split_has_many_groups(seed: int) -> None:
    dataset = load_dataset(DataSettings(), TaskSettings(), seed)
    splits_of: dict[str, set[str]] = {}
    for name, samples in dataset.splits.items():
        for sample in samples:
            splits_of.setdefault(sample.group or sample.id, set()).add(name)
        counts = Counter(sample.label for sample in samples)
        assert set(counts) == {1, 2, 3, 4, 5}
        assert max(counts.values()) - min(counts.values()) <= 6
        assert {sample.group is None for sample in samples} == {True, False}
    assert all(len(names) == 1 for names in splits_of.values())
    test = dataset.splits["test"]
    assert len(test) == 72
    assert len({sample.group or sample.id for sample in test}) >= 40


def test_the_same_recipe_draws_the_same_bytes() -> None:
    first = DrawnImage(7).read()
    from blpo.data.builtin.drawn_images import _drawn_png, _png

    assert _drawn_png(7) == first
    _png.cache_clear()
    assert DrawnImage(7).read() == first
    assert DrawnImage(7).name == "built-in sample-007"


def test_all_images_differ() -> None:
    assert len({DrawnImage(recipe.number).read() for recipe in recipes()}) == SIZE


def predicted(features: Any, ratings: Any) -> Any:
    """Return ratings by ridge regression, cross-validated."""
    model = make_pipeline(StandardScaler(), Ridge(3.0))
    return np.rint(cross_val_predict(model, features, ratings, cv=5)).clip(1, 5)


@pytest.mark.slow
def test_the_causes_can_be_learnt_and_a_general_description_does_not_give_them_away() -> None:
    ratings = np.array([recipe.rating for recipe in recipes()])
    majority = Counter(ratings.tolist()).most_common(1)[0][1] / SIZE
    caption = np.array([general(recipe.number) for recipe in recipes()])
    assert (predicted(caption, ratings) == ratings).mean() < majority + 0.08
    assert max(abs(np.corrcoef(column, ratings)[0, 1]) for column in caption.T) < 0.25
    attributes = np.array([list(perceive(DrawnImage(recipe.number).read()).values()) for recipe in recipes()])
    assert (predicted(attributes, ratings) == ratings).mean() > 0.6


def test_clipping_is_where_the_recipe_says() -> None:
    for recipe in recipes():
        white = float((luma(recipe.number) >= 254).mean())
        if "clipping" in recipe.strengths:
            assert white > 0.8 * recipe.strengths["clipping"]
        else:
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
    copy = load_dataset(DataSettings(path=str(tmp_path / "sample"), group="group"), RATED, seed=4)
    original = load_dataset(DataSettings(), RATED, seed=4)
    for name, samples in original.splits.items():
        assert [sample.id for sample in copy.splits[name]] == [sample.id for sample in samples]
        assert [sample.label for sample in copy.splits[name]] == [sample.label for sample in samples]
    assert copy.by_id["sample-017"].images[0].read() == original.by_id["sample-017"].images[0].read()
    assert "A PROGRAM MADE THESE LABELS" in (tmp_path / "sample" / "README.md").read_text()
    with open(tmp_path / "sample" / "labels.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(int(r["label"]) == 5 - sum(r[c] != "" for c in CAUSES) + int(r["rater_shift"]) for r in rows)
    with pytest.raises(DataError, match="is not empty"):
        write_sample(tmp_path / "sample")
