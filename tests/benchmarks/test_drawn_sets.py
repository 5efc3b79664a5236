"""Drawn sets: shares of labels, cues in the general caption, same bytes at every drawing."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.drawn_images import BESIDE_CAPTION, CUES, IN_CAPTION
from benchmarks.drawn_sets import DRAWN_SETS, SIZE, drawn_config, image_of, labels_and_cues
from blpo.config.settings_file import load_settings
from blpo.data.run_dataset import dataset_of
from blpo.models.embedded.perception import perceive
from blpo.models.embedded.vocabulary import ATTRIBUTES
from state.errors import DataError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return drawn_config("control", tmp_path_factory.mktemp("drawn"))


@pytest.mark.parametrize("name", DRAWN_SETS)
def test_labels_have_the_stated_shares_and_follow_the_stated_cues(name: str) -> None:
    drawn_set = DRAWN_SETS[name]
    labels, cues = labels_and_cues(name)
    counts = Counter(labels)
    for label, share in zip(drawn_set.labels, drawn_set.shares, strict=True):
        assert abs(counts[label] / SIZE - share) < 0.06
    places = np.array([drawn_set.labels.index(label) for label in labels])
    for cue in CUES:
        means = [cues[cue][places == place].mean() for place in range(len(drawn_set.labels))]
        assert (max(means) - min(means) > 0.1) == (cue in drawn_set.cues), cue


def test_the_general_caption_mentions_the_stated_cues_and_no_other(control: Path) -> None:
    rows = list(csv.DictReader((control.parent / "labels.csv").read_text(encoding="utf-8").splitlines()))
    measures = np.array([[*perceive((control.parent / row["image"]).read_bytes()).values()] for row in rows])
    general = np.array([attribute.general for attribute in ATTRIBUTES])
    for cue in CUES:
        strengths = [float(row[cue]) for row in rows]
        linked = np.abs([np.corrcoef(strengths, column)[0, 1] for column in measures.T])
        if cue in IN_CAPTION:
            assert linked[general].max() > 0.4, cue
        else:
            assert cue in BESIDE_CAPTION
            assert linked[general].max() < 0.36 < linked[~general].max(), cue


def test_a_set_is_a_dataset_folder_that_is_drawn_once(control: Path) -> None:
    dataset = dataset_of(load_settings(control))
    assert {name: len(samples) for name, samples in dataset.splits.items()} == {
        "train": 100,
        "validation": 100,
        "test": 200,
    }
    drawn_at = control.stat().st_mtime_ns
    assert drawn_config("control", control.parent.parent).stat().st_mtime_ns == drawn_at


def test_a_set_is_drawn_equal_again(control: Path) -> None:
    rows = list(csv.DictReader((control.parent / "labels.csv").read_text(encoding="utf-8").splitlines()))
    labels, cues = labels_and_cues("control")
    assert [row["label"] for row in rows] == labels
    assert all([row[cue] for row in rows] == [f"{value:.3f}" for value in cues[cue]] for cue in CUES)
    assert len([path for path in control.parent.rglob("*") if path.is_file()]) == SIZE + 2
    for number in range(0, SIZE, 20):  # an image is drawn alike whatever was drawn before
        assert image_of("control", number, cues) == (control.parent / rows[number]["image"]).read_bytes()


def test_an_unknown_set_and_a_folder_without_write_access_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no drawn set is called colours"):
        drawn_config("colours")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="can't be written"):
        drawn_config("tone", tmp_path / "file")
