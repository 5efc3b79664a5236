"""Yes/no tasks of MT-RL-Judge: thresholds that give the published counts, and words for other counts."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import yaml

from blpo.cli.main import main
from blpo.data.public import Options, load_public, prepare
from blpo.data.public.mt_rl_judge import published_counts
from blpo.data.public.public_set import PublicSet
from blpo.data.public.sampling import DrawnSample, draw_sample
from state.errors import ConfigError, DataError
from tests import public_sources as sources

real = pytest.mark.skipif(not sources.SCHEMAS.is_dir(), reason="the real label files are not beside this checkout")
SAMPLE = Options(sample="mt-rl-judge")
AGIN = {"naturalness": 3025, "technical": 1736, "rationality": 2022}
"""Published defects of all splits together, of 6,049 images."""
IMAGEREWARD = {"train": (1690, 6194), "validation": (968, 2584), "test": (588, 2720)}


def agin(folder: Path, defects: int, column: str = "MOS_nat", ties: int = 0) -> Path:
    """Write 6,049 different scores, of which `defects` are below 2.5. So many further scores are equal to 2.4."""
    folder.mkdir(parents=True)
    rows = []
    for i in range(6049):
        score = 1 + i / 10000 if i < defects else 2.4 if i < defects + ties else 3 + i / 10000
        rows.append(
            {"filename": f"{i * 37 % 6049:04}.png", "MOS_nat": "3", "MOS_tech": "3", "MOS_rat": "3"}
            | {column: f"{score}"}
        )
    sources.write_csv(folder / "AGIN.csv", rows)
    sources.write_zip(folder / "images.zip", {f"{i:04}.png": b"" for i in range(6049)})
    return folder


def imagereward(folder: Path, defects: Mapping[str, int], column: str = "image_text_alignment_rating") -> Path:
    """Write all rows of the smallest scale. So many rows of a split are rated 1 to 3 in the column, the rest above."""
    folder.mkdir(parents=True)
    for split, (_, rows) in IMAGEREWARD.items():
        table = [
            {
                **{"image_path": f"images/{split}/{split}_1/{split}-{i:05}.webp", "prompt_id": f"{split}-{i // 6}"},
                **{"prompt": f"{split} prompt {i // 6}", "classification": "Animals", "rank": 1 + i % 6},
                **dict.fromkeys(sources.RATINGS, 4),
                column: 1 + i % 3 if i < defects[split] else 4 + i % 4,
            }
            for i in range(rows)
        ]
        table[-1][column] = 8  # rows outside the scale exist
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(table), folder / f"metadata-{split}.parquet")
        members = {f"{split}-{i:05}.webp": b"" for i in range(rows)}
        sources.write_zip(folder / f"images/{split}/{split}_1.zip", members)
    return folder


def unsafebench(folder: Path, unsafe: Mapping[str, int]) -> Path:
    for split, total in (("train", 8109), ("test", 2037)):
        rows = [
            {
                **{"image": sources.cell(b"x"), "safety_label": "Unsafe" if i < unsafe[split] else "Safe"},
                **{
                    "category": sources.CATEGORIES[i % 11],
                    "source": "Lexica",
                    "text": f"{split} {i // 10 * 10 if i % 10 < 3 else i}",
                },
            }
            for i in range(total)
        ]
        sources.write_images(folder / f"{split}-00000-of-00001.parquet", rows)
    return folder


def counts(loaded: PublicSet, drawing: DrawnSample) -> dict[str, dict[str, int]]:
    cells = Counter((drawing.splits[r.id], r.label) for r in loaded.records if r.id in drawing.splits)
    labels = loaded.description.task.labels
    return {split: {label: cells[split, label] for label in labels} for split in ("train", "validation", "test")}


@pytest.mark.parametrize(
    ("criterion", "column", "task"),
    [
        ("naturalness", "MOS_nat", "AGIN-Nat"),
        ("technical", "MOS_tech", "AGIN-Tech"),
        ("rationality", "MOS_rat", "AGIN-Rat"),
    ],
)
def test_a_threshold_of_agin_gives_the_published_counts(criterion: str, column: str, task: str, tmp_path: Path) -> None:
    folder = agin(tmp_path / "agin", AGIN[criterion], column)
    loaded = load_public("agin", folder, Options(sample="mt-rl-judge", criterion=criterion))
    defect, fine = loaded.description.task.labels
    value = 1 + (AGIN[criterion] - 1) / 10000
    assert loaded.notes == (f"{column} up to {value:g} is {defect}: this threshold gives the counts of MT-RL-Judge",)
    drawing = draw_sample(loaded.description, loaded.records, SAMPLE)
    assert counts(loaded, drawing) == published_counts(task, (defect, fine))
    assert drawing.notes == () and loaded.description.task.positive == fine
    assert all((r.label == defect) == (float(str(r.extra[column.lower()])) <= value) for r in loaded.records)


def test_tied_scores_without_a_threshold_are_told(tmp_path: Path) -> None:
    """3,025 defects are published. 3,020 scores are below the tied scores, and 3,032 are not above them."""
    loaded = load_public("agin", agin(tmp_path / "agin", 3020, ties=12), SAMPLE)
    assert loaded.notes == (
        "no threshold of MOS_nat gives the counts of MT-RL-Judge; the nearest: MOS_nat up to 1.3019 is unnatural "
        "(train, validation, test: 3020 of 6049 rows, in the paper 3025 of 6049)",
    )
    drawing = draw_sample(loaded.description, loaded.records, SAMPLE)
    assert Counter(drawing.splits.values()) == {"train": 4839, "validation": 605, "test": 605}
    assert "train: 2436 unnatural, 2403 natural; in MT-RL-Judge 2440 unnatural, 2399 natural" in drawing.notes


def test_the_criterion_of_imagereward_is_found(tmp_path: Path) -> None:
    defects = {split: number for split, (number, _) in IMAGEREWARD.items()}
    folder = imagereward(tmp_path / "set", defects)
    loaded = load_public("imagereward", folder, SAMPLE)
    assert not loaded.problems
    assert loaded.notes == (
        "image_text_alignment_rating up to 3 is poor: this threshold gives the counts of MT-RL-Judge",
    )
    assert loaded.description.title == "ImageRewardDB alignment, yes/no"
    drawing = draw_sample(loaded.description, loaded.records, SAMPLE)
    assert counts(loaded, drawing) == published_counts("ImageReward", ("poor", "good"))
    named = load_public("imagereward", folder, Options(sample="mt-rl-judge", criterion="fidelity"))
    assert named.notes[0].startswith("no threshold of fidelity_rating gives the counts of MT-RL-Judge; the nearest: ")


def test_the_nearest_threshold_of_imagereward_is_told_by_split(tmp_path: Path) -> None:
    loaded = load_public(
        "imagereward", imagereward(tmp_path / "set", {"train": 1700, "validation": 968, "test": 580}), SAMPLE
    )
    assert loaded.notes == (
        "no threshold of overall_rating or image_text_alignment_rating or fidelity_rating gives the counts of "
        "MT-RL-Judge; the nearest: image_text_alignment_rating up to 3 is poor (train: 1700 of 6194 rows, in the paper "
        "1690 of 6194; validation: 968 of 2584 rows, in the paper 968 of 2584; test: 580 of 2720 rows, in the paper "
        "588 of 2720)",
    )
    drawing = draw_sample(loaded.description, loaded.records, SAMPLE)
    assert drawing.notes == (
        "train: 1700 poor, 4494 good; in MT-RL-Judge 1690 poor, 4504 good",
        "test: 580 poor, 2140 good; in MT-RL-Judge 588 poor, 2132 good",
    )


def test_the_labels_of_unsafebench_give_the_published_counts(tmp_path: Path) -> None:
    loaded = load_public("unsafebench", unsafebench(tmp_path / "set", {"train": 3271, "test": 777}), SAMPLE)
    drawing = draw_sample(loaded.description, loaded.records, SAMPLE)
    assert counts(loaded, drawing) == published_counts("UnsafeBench", ("unsafe", "safe"))
    assert drawing.notes == ()
    other = load_public("unsafebench", unsafebench(tmp_path / "other", {"train": 3200, "test": 777}), SAMPLE)
    notes = draw_sample(other.description, other.records, SAMPLE).notes
    assert [note.partition(";")[0] for note in notes] == [
        "train: 2890 unsafe, 4408 safe",
        "validation: 310 unsafe, 501 safe",
    ]


@real
def test_the_real_labels_of_seetrue_give_the_published_counts(tmp_path: Path) -> None:
    shutil.copy(sources.SCHEMAS / "seetrue" / "SeeTRUE.csv", tmp_path)
    with (tmp_path / "SeeTRUE.csv").open(newline="", encoding="utf-8") as file:
        images = {f"images/{row['image']}": b"" for row in csv.DictReader(file)}
    sources.write_zip(tmp_path / "images.zip", images)
    loaded = load_public("seetrue", tmp_path, SAMPLE)
    for seed in range(3):
        drawing = draw_sample(loaded.description, loaded.records, Options(sample="mt-rl-judge", seed=seed))
        assert counts(loaded, drawing) == published_counts("SeeTRUE", ("mismatch", "match"))
        assert drawing.notes == ()
        texts = {(r.group, drawing.splits[r.id]) for r in loaded.records}
        assert len(texts) == 602  # no text is in two splits


@real
def test_no_cut_of_the_real_ranks_gives_the_published_defects() -> None:
    """Ratings of ImageRewardDB are not beside this checkout. The ranks of its test split do not explain the counts."""
    prompts = [row["ranking"] for row in json.loads((sources.SCHEMAS / "imagereward" / "test.json").read_text())]
    ranks = [rank for ranking in prompts for rank in ranking]
    last = sum(rank == max(ranking) for ranking in prompts for rank in ranking)
    published = published_counts("ImageReward", ("poor", "good"))["test"]
    assert (len(ranks), sum(published.values())) == (2720, 2720)
    assert [sum(rank >= cut for rank in ranks) for cut in (5, 4)] == [282, 811] and last == 617
    assert published["poor"] == 588


def test_a_small_set_becomes_a_project_of_yes_and_no(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sources.agin(tmp_path / "agin", size=60)
    with pytest.raises(ConfigError, match="--scale does not apply to AGIN's yes/no labels"):
        prepare("agin", folder, tmp_path / "out", Options(sample="mt-rl-judge", scale=(1, 5)))
    with pytest.raises(DataError, match="train, validation, test: 60 rows, the sample asks for 6049"):
        prepare("agin", folder, tmp_path / "out", SAMPLE)
    arguments = ["agin", "--source", str(folder), "--out", str(tmp_path / "out"), "--sample", "mt-rl-judge"]
    assert main(["data", "prepare", *arguments, "--take-fewer"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "note: no threshold of MOS_nat gives the counts of MT-RL-Judge; the nearest: MOS_nat up to " in out
    config = yaml.safe_load((tmp_path / "out" / "config.yaml").read_text())
    assert config["task"] == {"kind": "categorical", "labels": ["unnatural", "natural"], "positive": "natural"}
    assert config["prompts"]["judge"].endswith("whether it looks natural as a whole: natural or unnatural.")
    card = json.loads((tmp_path / "out" / "source.json").read_text())
    assert sum(sum(part.values()) for part in card["counts"].values()) == 60
    assert main(["check", str(tmp_path / "out" / "config.yaml")]) == 0


def test_the_question_of_each_set_names_its_labels(tmp_path: Path) -> None:
    sources.seetrue(tmp_path / "seetrue", texts=4)
    sources.imagereward(tmp_path / "imagereward", prompts=4)
    sources.unsafebench(tmp_path / "unsafebench")
    for name in ("seetrue", "imagereward", "unsafebench"):
        description = load_public(name, tmp_path / name, SAMPLE).description
        assert all(label in description.prompt for label in description.task.labels)
        assert description.task.positive in description.task.labels
        assert all(
            tuple(part) in (description.task.labels, description.task.labels[::-1])
            for part in description.counts.values()
        )
