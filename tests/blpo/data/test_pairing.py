"""`blpo data pairs`: pairs from ratings and ranks of a folder or of a config."""

import csv
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from blpo.cli.main import main
from blpo.data.pairing import PairingOptions, write_pairs
from blpo.data.public.ranked_pairs import preference
from state.errors import ConfigError, DataError
from tests.pair_sources import rated
from tests.public_sources import noisy_image, write_images
from tests.small_set import ROOT

SHARED = ROOT.parent / "shared" / "data" / "avt_ai_images"


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def write_table(file: Path, rows: list[dict[str, str]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def pairs(folder: Path) -> list[dict[str, str]]:
    return table(folder / "labels.csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rated(tmp_path_factory.mktemp("source") / "rated")


@pytest.mark.parametrize(
    ("first", "second", "least", "side"),
    [(3, 2, 0, 0), (2, 3, 0, 1), (2, 2, 0, None), (2.3, 2.0, 0.3, 0), (2.0, 2.3, 0.3, 1), (2.2, 2.0, 0.3, None)],
)
def test_the_higher_score_is_preferred_from_the_least_difference_on(
    first: float, second: float, least: float, side: int | None
) -> None:
    assert preference(first, second, least) == side


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real ratings are not beside this checkout")
@pytest.mark.parametrize(("criterion", "count", "one_rater"), [("appeal", 269, 0.760), ("realism", 265, 0.808)])
def test_pairs_of_real_ratings(criterion: str, count: int, one_rater: float, tmp_path: Path) -> None:
    config = ROOT / "examples" / f"avt-{criterion}-median.yaml"
    ratings = {"file": str(SHARED / "ratings_raw.csv"), "by": "user_ID", "label": criterion, "label_from": "column"}
    overrides = [
        f"data.path={SHARED / ('labels_appeal.csv' if criterion == 'appeal' else 'labels.csv')}",
        *(f"data.raters.{name}={value}" for name, value in ratings.items()),
    ]
    prepared = write_pairs(config, tmp_path / "out", PairingOptions(least=0.3), overrides)
    rows = pairs(tmp_path / "out")
    assert len(rows) == count == sum(prepared.counts["all"].values())
    assert abs(prepared.counts["all"]["a"] - prepared.counts["all"]["b"]) < 40
    assert len({row["group"] for row in rows}) == 27
    for row in rows:
        numbers = {side: float(row[f"rating_{side}"]) for side in "ab"}
        assert max(numbers, key=lambda side: numbers[side]) == row["label"]
        assert abs(numbers["a"] - numbers["b"]) >= 0.3 - 1e-9
    labels = {row["id"]: row["label"] for row in rows}
    votes = table(tmp_path / "out" / "ratings.csv")
    agreeing = sum(vote["rating"] == labels[vote["id"]] for vote in votes) / len(votes)
    assert len({vote["rater"] for vote in votes}) in (26, 27)  # one person rated few images
    assert agreeing == pytest.approx(one_rater, abs=0.01)  # equal ratings count half


def test_pairs_of_a_config_have_the_preferences_of_each_rater(folder: Path, tmp_path: Path) -> None:
    prepared = write_pairs(folder / "config.yaml", tmp_path / "out", PairingOptions(seed=1))
    rows, votes = pairs(tmp_path / "out"), table(tmp_path / "out" / "ratings.csv")
    assert len(rows) == 15 * 6 and not prepared.left_out
    scores = {(row["image"], row["rater"]): int(row["rating"]) for row in table(folder / "ratings.csv")}
    preferences = {(vote["id"], vote["rater"]): vote["rating"] for vote in votes}
    assert len(preferences) == len(votes) == 3 * len(rows)
    counts = Counter[bool]()
    for row in rows:
        for rater in ("r0", "r1", "r2"):
            first, second = (scores[row[f"image_id_{side}"], rater] for side in "ab")
            if first == second:  # a forced choice
                counts[preferences[row["id"], rater] == row["label"]] += 1
            else:
                assert preferences[row["id"], rater] == ("a" if first > second else "b")
    assert sum(counts.values()) == 12 and 2 <= counts[True] <= 10
    assert any(note.startswith("ratings.csv: 12 of 270 preferences are drawn from the seed") for note in prepared.notes)


def test_ranks_and_ratings_give_the_same_pairs(folder: Path, tmp_path: Path) -> None:
    write_pairs(folder / "labels.csv", tmp_path / "rated", PairingOptions(group="scene"))
    write_pairs(folder / "labels.csv", tmp_path / "ranked", PairingOptions("rank", "scene", "lowest"))
    by_rating, by_rank = ({row["id"]: row for row in pairs(tmp_path / name)} for name in ("rated", "ranked"))
    assert {name: row["label"] for name, row in by_rating.items()} == {
        name: row["label"] for name, row in by_rank.items()
    }
    for row in by_rank.values():  # numbers stay as they are in the source
        better, other = row["label"], "ba"["ab".index(row["label"])]
        assert float(row[f"rating_{better}"]) < float(row[f"rating_{other}"])
        image = (tmp_path / "ranked" / row[f"image_{better}"]).read_bytes()
        assert image == (folder / row[f"image_id_{better}"]).read_bytes()


def test_a_config_of_a_ranking_says_which_end_is_best(folder: Path, tmp_path: Path) -> None:
    config = "task: {kind: ranking, best: lowest}\ndata: {path: labels.csv, label: rank, group: scene}\n"
    source = _copy(folder, tmp_path)
    (source / "config.yaml").write_text(config)
    write_pairs(source, tmp_path / "out")
    write_pairs(folder / "labels.csv", tmp_path / "rated", PairingOptions(group="scene"))
    ranked, by_rating = ({row["id"]: row["label"] for row in pairs(tmp_path / name)} for name in ("out", "rated"))
    assert ranked == by_rating


def test_ratings_without_a_label_are_averaged(folder: Path, tmp_path: Path) -> None:
    write_pairs(folder / "config.yaml", tmp_path / "out", overrides=["data.raters.label_from=ratings"])
    scores: dict[str, list[int]] = {}
    for row in table(folder / "ratings.csv"):
        scores.setdefault(row["image"], []).append(int(row["rating"]))
    for row in pairs(tmp_path / "out"):
        means = [sum(scores[row[f"image_id_{side}"]]) / 3 for side in "ab"]
        assert [float(row["rating_a"]), float(row["rating_b"])] == pytest.approx(means)
        assert row["label"] == ("a" if means[0] > means[1] else "b")


def test_images_in_cells_of_a_table_become_files(tmp_path: Path) -> None:
    rows = [
        {"image": {"bytes": noisy_image(i), "path": f"{i}.png"}, "score": float(i % 3), "prompt": f"p{i // 3}"}
        for i in range(90)
    ]
    write_images(tmp_path / "set" / "labels.parquet", rows)
    options = PairingOptions(label="score", group="prompt", least=2)
    write_pairs(tmp_path / "set" / "labels.parquet", tmp_path / "out", options)
    for i, row in enumerate(pairs(tmp_path / "out")):
        assert (tmp_path / "out" / row[f"image_{row['label']}"]).read_bytes() == noisy_image(3 * i + 2)
    assert main(["check", str(tmp_path / "out" / "config.yaml")]) == 0


def test_a_smaller_difference_is_left_out_or_a_tie(folder: Path, tmp_path: Path) -> None:
    left_out = write_pairs(folder, tmp_path / "out", PairingOptions(least=2))
    assert "left out: 45 pairs that differ by less than 2; --ties keeps such pairs with a third label, tie" in (
        left_out.notes
    )
    assert Counter(row["difference"] for row in pairs(tmp_path / "out")) == {"2.0": 30, "3.0": 15}
    tied = write_pairs(folder, tmp_path / "ties", PairingOptions(least=2, ties=True))
    assert tied.counts["all"]["tie"] == 45 and sum(tied.counts["all"].values()) == 90
    assert "  ties: true\n" in (tmp_path / "ties" / "config.yaml").read_text()
    assert {vote["rating"] for vote in table(tmp_path / "ties" / "ratings.csv")} == {"a", "b", "tie"}


def test_at_most_so_many_pairs_of_a_group_follow_from_the_seed(folder: Path, tmp_path: Path) -> None:
    drawn = {}
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        write_pairs(folder, tmp_path / name, PairingOptions(most=2, seed=seed))
        rows = pairs(tmp_path / name)
        assert Counter(row["group"] for row in rows) == {f"s{i}": 2 for i in range(15)}
        drawn[name] = [(row["id"], row["image_a"], row["label"]) for row in rows]
    assert drawn["one"] == drawn["same"] != drawn["other"]
    assert {name for name, *_ in drawn["one"]} != {name for name, *_ in drawn["other"]}
    write_pairs(folder, tmp_path / "least", PairingOptions(most=2, least=2))
    assert {row["difference"] for row in pairs(tmp_path / "least")} <= {"2.0", "3.0"}
    assert len(pairs(tmp_path / "least")) == 30  # no place of the two is lost to a smaller difference


def test_sides_are_shuffled(folder: Path, tmp_path: Path) -> None:
    counts = Counter[str]()
    for seed in range(4):
        write_pairs(folder, tmp_path / str(seed), PairingOptions(seed=seed))
        counts.update(row["label"] for row in pairs(tmp_path / str(seed)))
    assert abs(counts["a"] - counts["b"]) < 2 * sum(counts.values()) ** 0.5


def test_groups_come_from_the_text_without_a_column(folder: Path, tmp_path: Path) -> None:
    write_pairs(folder / "labels.csv", tmp_path / "out")
    rows = pairs(tmp_path / "out")
    assert len(rows) == 90 and {row["text"] for row in rows} == {f"scene {i}" for i in range(15)}
    assert len({(row["group"], row["text"]) for row in rows}) == 15
    assert {len(row["group"]) for row in rows} == {17}  # a long text makes no long id


def test_groups_of_different_texts_have_no_text(folder: Path, tmp_path: Path) -> None:
    source = _copy(folder, tmp_path)
    rows = table(source / "labels.csv")
    rows[0]["text"] = "another text"
    write_table(source / "labels.csv", rows)
    write_pairs(source, tmp_path / "out")
    texts = {(row["group"], row["text"]) for row in pairs(tmp_path / "out")}  # of the config's data.group
    assert ("s0", "") in texts and ("s1", "scene 1") in texts


def test_splits_of_a_column_stay_and_shares_are_kept(folder: Path, tmp_path: Path) -> None:
    source = _copy(folder, tmp_path)
    rows = table(source / "labels.csv")
    for row in rows:
        row["split"] = "test" if row["scene"] in ("s1", "s2", "s3") else "train"
    write_table(source / "labels.csv", rows)
    write_pairs(source / "labels.csv", tmp_path / "out", PairingOptions(group="scene"))
    assert {row["split"] == "test" for row in pairs(tmp_path / "out") if row["group"] in ("s1", "s2", "s3")} == {True}
    assert "  split:\n    column: split\n" in (tmp_path / "out" / "config.yaml").read_text()
    assert "source_split" not in pairs(tmp_path / "out")[0]
    write_pairs(folder, tmp_path / "shares", overrides=["data.split.train=0.7", "data.split.seed=4"])
    text = (tmp_path / "shares" / "config.yaml").read_text()
    assert "    train: 0.7\n" in text and "    seed: 4\n" in text and "split" not in pairs(tmp_path / "shares")[0]


def _copy(folder: Path, place: Path) -> Path:
    shutil.copytree(folder, place / "copy")
    return place / "copy"


def test_faulty_rows_are_named(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = _copy(folder, tmp_path)
    rows = table(source / "labels.csv")
    rows[1]["label"] = "good"
    rows[2]["image"] = "images/gone.png"
    write_table(source / "labels.csv", rows)
    (source / "images" / "005.png").write_bytes(b"no image")
    arguments = ["data", "pairs", str(source), "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "labels.csv:3: label good is not a number" in error and "1000000000" not in error
    assert "images/gone.png does not exist" in error and "--skip-bad-rows leaves such rows out" in error
    assert not (tmp_path / "out").exists()
    assert main([*arguments, "--skip-bad-rows", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["rows"]["sampled"] == 90 - 5 - 3 and len(card["left_out"]) >= 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"best": "high"}, "--best high: is not highest or lowest; did you mean 'highest'"),
        ({"least": -1.0}, "--least -1: the least difference is a number from 0"),
        ({"least": float("nan")}, "--least nan"),
        ({"most": 0}, "--most 0: at least one pair"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PairingOptions(**options)


def test_a_source_without_groups_or_pairs_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no column 'scenes' \(--group\)"):
        write_pairs(folder, tmp_path / "out", PairingOptions(group="scenes"))
    with pytest.raises(DataError, match=r"no usable row was found.*left out: 90 pairs that differ by less than 9"):
        write_pairs(folder, tmp_path / "out", PairingOptions(least=9))
    source = _copy(folder, tmp_path)
    (source / "config.yaml").unlink()
    write_table(
        source / "labels.csv", [{"image": row["image"], "label": row["label"]} for row in table(folder / "labels.csv")]
    )
    with pytest.raises(DataError, match="has no group and no text; name the column of the prompt with --group"):
        write_pairs(source, tmp_path / "out")
    with pytest.raises(ConfigError, match=r"names no data.path"):
        (tmp_path / "empty.yaml").write_text("search: {seed: 1}\n")
        write_pairs(tmp_path / "empty.yaml", tmp_path / "out")
    write_pairs(folder, tmp_path / "done", PairingOptions(most=1))
    with pytest.raises(ConfigError, match="the rows are pairs already"):
        write_pairs(tmp_path / "done", tmp_path / "out")


def test_the_command_prints_the_pairs(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["--question", "Which photo is sharper?", "--least", "1", "--most", "3"]
    assert main(["data", "pairs", str(folder), "--out", str(out), *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{out}: Pairs of rated"
    assert lines[1].startswith("all 45 (a: ") and "note: 60 images in 15 groups" in lines
    assert lines[-1] == f"next: blpo check {out / 'config.yaml'}"
    assert "  judge: Which photo is sharper?\n" in (out / "config.yaml").read_text()
    card = json.loads((out / "source.json").read_text())
    assert (card["least"], card["most"], card["question"]) == (1, 3, "Which photo is sharper?")
    assert list(card["files"]) == ["labels.csv"]
    assert main(["check", str(out / "config.yaml")]) == 0
    checked = capsys.readouterr().out
    assert "no problem found: 45 samples" in checked and "raters: 3, " in checked
