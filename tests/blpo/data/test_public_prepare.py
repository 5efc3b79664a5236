"""`blpo data prepare`: from downloaded files to a folder for check and optimize, or a clear error."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
import yaml

from blpo.cli.main import main
from blpo.data.public import LOADERS, Options, prepare
from state.errors import DataError
from tests import public_sources as sources
from tests.small_set import ENVIRONMENT, ROOT

SHORT = ["search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=4", "search.anchors=2", "data.limit=60"]
SETS: dict[str, list[str]] = {
    "agin": ["--scale", "1", "5"],
    "seetrue": [],
    "imagereward": ["--criterion", "fidelity"],
    "unsafebench": [],
    "mjbench": [],
}
SIZES = {"agin": (60, 40, 100), "seetrue": (120, 80, 200), "imagereward": (84, 56, 140), "unsafebench": (66, 44, 110)}


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All sets in the format of their authors."""
    place = tmp_path_factory.mktemp("downloads")
    for name in SETS:
        getattr(sources, name)(place / name)
    return place


def test_every_set_is_documented() -> None:
    page = (ROOT / "docs" / "public-data.md").read_text(encoding="utf-8")  # test_docs.py runs its commands
    assert set(re.findall(r"^blpo data prepare (\w+)", page, re.MULTILINE)) == set(LOADERS)


def labels(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def card(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "source.json").read_text(encoding="utf-8"))
    return loaded


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    """Return the lines on stderr of a command that must fail for a user's mistake."""
    assert main(["data", "prepare", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("blpo: ")
    return err.splitlines()


@pytest.mark.parametrize("name", SETS)
def test_prepare_check_optimize(name: str, downloads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / name
    assert main(["data", "prepare", name, "--source", str(downloads / name), "--out", str(out), *SETS[name]]) == 0
    assert capsys.readouterr().out.endswith(f"next: blpo check {out / 'config.yaml'}\n")
    assert sorted(path.name for path in out.parent.iterdir()) == [name]
    rows = labels(out)
    if name in SIZES:
        counts = Counter(row["split"] for row in rows)
        assert tuple(counts[split] for split in ("train", "validation", "test")) == SIZES[name]
        assert len(set(Counter((row["split"], row["label"]) for row in rows if row["split"] == "test").values())) == 1
    columns = [name for name in rows[0] if name in ("image", "image_a", "image_b")]
    paths = {path for row in rows for path in (row[column] for column in columns)}
    assert len(paths) == len(rows) * len(columns)
    assert paths == {f"images/{path.name}" for path in (out / "images").iterdir()}
    assert main(["check", str(out / "config.yaml")]) == 0
    assert "no problem found" in capsys.readouterr().out
    settings = [part for setting in SHORT for part in ("--set", setting)]
    run = tmp_path / "run"
    assert main(["optimize", str(out / "config.yaml"), *settings, "--run-dir", str(run), "--quiet"]) == 0
    result = json.loads((run / "result.json").read_text())
    assert result["status"] == "complete" and result["test"]["initial"]["coverage"] == 1.0


def test_pairs_of_imagereward_share_their_images(downloads: Path, tmp_path: Path) -> None:
    prepare("imagereward", downloads / "imagereward", tmp_path / "set", Options(form="pairs"))
    config = yaml.safe_load((tmp_path / "set" / "config.yaml").read_text())
    assert config["task"] == {"kind": "pairwise"} and config["data"]["image"] == ["image_a", "image_b"]
    rows = labels(tmp_path / "set")
    counts = Counter((row["split"], row["label"]) for row in rows)
    assert [counts["test", label] for label in "ab"] == [70, 70]
    for row in rows:  # an image has the same file in every pair
        for column in ("image_a", "image_b"):
            split, digits = re.findall(r"images/(train|validation|test)-(\d{5}).webp", row[column])[0]
            number = int(digits)
            rating = 1 + (number + number // 4) % 7
            seed = 10000 * ("train", "validation", "test").index(split) + number
            assert (tmp_path / "set" / row[column]).read_bytes() == sources.noisy_image(seed, "WEBP", 5 + 8 * rating)
    assert len(list((tmp_path / "set" / "images").iterdir())) < 2 * len(rows)


def test_unsafebench_has_ten_of_each_category(downloads: Path, tmp_path: Path) -> None:
    prepare("unsafebench", downloads / "unsafebench", tmp_path / "set")
    rows = labels(tmp_path / "set")
    test = Counter((row["category"], row["label"]) for row in rows if row["split"] == "test")
    assert test == Counter({(name, label): 5 for name in sources.CATEGORIES for label in ("safe", "unsafe")})
    assert all(row["text"] == "" for row in rows) and any(row["caption"] for row in rows)


def test_the_same_seed_writes_the_same_folder(downloads: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 3), ("same", 3), ("other", 4)):
        prepare("seetrue", downloads / "seetrue", tmp_path / name, Options(seed=seed))
    texts = {name: (tmp_path / name / "labels.csv").read_text() for name in ("one", "same", "other")}
    assert texts["one"] == texts["same"] != texts["other"]
    assert card(tmp_path / "one") == card(tmp_path / "same")
    assert card(tmp_path / "other")["seed"] == 4


def test_every_row_can_be_taken(downloads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "--source",
        str(downloads / "unsafebench"),
        "--out",
        str(tmp_path / "set"),
        "--sample",
        "all",
        "--json",
    ]
    assert main(["data", "prepare", "unsafebench", *arguments]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == card(tmp_path / "set")
    assert printed["rows"] == {"usable": 320, "sampled": 320, "left_out": 0}
    assert all((row["split"] == "test") == (row["source_split"] == "test") for row in labels(tmp_path / "set"))
    assert main(["check", str(tmp_path / "set" / "config.yaml")]) == 0


def test_bad_rows_are_refused_or_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sources.seetrue(tmp_path / "set")
    with (folder / "SeeTRUE.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["label"], rows[1]["image"] = "yes", "gone.png"
    sources.write_csv(folder / "SeeTRUE.csv", rows)
    arguments = ["seetrue", "--source", folder, "--out", tmp_path / "out"]
    first, *rest = refused(capsys, *arguments)
    assert first.startswith("blpo: 2 rows can't be used, the first: SeeTRUE.csv:2: label yes is not an integer")
    assert first.endswith("--skip-bad-rows leaves such rows out and lists them")
    assert rest == ["  SeeTRUE.csv:3: image gone.png does not exist in the dataset's folder (nor in images.zip)"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set"]
    assert main(["data", "prepare", *map(str, arguments), "--skip-bad-rows"]) == 0
    assert "left out: SeeTRUE.csv:2: label yes" in capsys.readouterr().out
    assert card(tmp_path / "out")["rows"] == {"usable": 478, "sampled": 400, "left_out": 2}
    assert len(card(tmp_path / "out")["left_out"]) == 2


def test_broken_images_are_refused_or_replaced(tmp_path: Path) -> None:
    folder = sources.agin(tmp_path / "set", size=210)
    broken = [folder / "images" / f"agin_{i:04}.png" for i in range(4)]
    for path in broken:
        path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(DataError, match=r"AGIN.csv:\d+: agin_000\d.png: can't be decoded") as caught:
        prepare("agin", folder, tmp_path / "out", Options(scale=(1, 5)))
    assert len(caught.value.problems) >= 2
    prepared = prepare("agin", folder, tmp_path / "out", Options(scale=(1, 5), skip_bad_rows=True))
    assert {split: set(counts.values()) for split, counts in prepared.counts.items()} == {
        "train": {12}, "validation": {8}, "test": {20},
    }  # fmt: skip
    rows = labels(tmp_path / "out")
    assert not {row["id"] for row in rows} & {path.name for path in broken}
    assert {row["image"] for row in rows} == {f"images/{path.name}" for path in (tmp_path / "out/images").iterdir()}
    assert 0 < card(tmp_path / "out")["rows"]["left_out"] <= 4


def damage(file: Path, at: int, length: int = 400) -> None:
    data = bytearray(file.read_bytes())
    data[at : at + length] = b"\xff" * length
    file.write_bytes(bytes(data))


def test_damaged_archives_and_tables_are_named(
    downloads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seetrue, unsafe = tmp_path / "seetrue", tmp_path / "unsafebench"
    shutil.copytree(downloads / "seetrue", seetrue)
    shutil.copytree(downloads / "unsafebench", unsafe)
    whole = (seetrue / "images.zip").read_bytes()
    out = ["--out", tmp_path / "out"]
    (seetrue / "images.zip").write_bytes(whole[: len(whole) // 2])
    assert "images.zip: can't be read as a zip archive" in refused(capsys, "seetrue", "--source", seetrue, *out)[0]
    (seetrue / "images.zip").write_bytes(whole)
    damage(seetrue / "images.zip", len(whole) // 2, 40_000)
    first = refused(capsys, "seetrue", "--source", seetrue, *out)[0]
    assert "SeeTRUE.csv:" in first and "is damaged in images.zip" in first
    shard = unsafe / "data" / "test-00000-of-00001.parquet"
    damage(shard, 4, shard.stat().st_size // 3)
    message = refused(capsys, "unsafebench", "--source", unsafe, *out)[0]
    assert re.search(r"test-00000-of-00001.parquet:\d+: ", message)
    lenient = Options(sample="all", skip_bad_rows=True)
    prepared = prepare("unsafebench", unsafe, tmp_path / "lenient", lenient)
    assert prepared.left_out and len({row.partition(": ")[0] for row in prepared.left_out}) == len(prepared.left_out)
    for row in labels(tmp_path / "lenient"):  # every remaining row has the right image
        number = int(row["id"][-5:]) - 1 + (240 if row["id"].startswith("test") else 0)
        own = sources.noisy_image(number, "JPEG", 10 + 40 * (row["label"] == "unsafe"))
        assert (tmp_path / "lenient" / row["image"]).read_bytes() == own
    shutil.rmtree(tmp_path / "lenient")
    shard.write_bytes(b"PAR1")
    assert "can't be read as a table" in refused(capsys, "unsafebench", "--source", unsafe, *out)[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["seetrue", "unsafebench"]


def test_odd_texts_and_ids_survive(tmp_path: Path) -> None:
    texts = ["a\rb", "=1+1", 'said "hi",\nand left', "\ud800 broken", "naïve 🦓", "x\0y"]
    rows = [
        {"id": f"{'../' * (i % 2)}P{i}", "caption": texts[i % 6], "image0": f"{i}.png", "image1": "x y.png", "label": 0}
        for i in range(12)
    ]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "pairs.json").write_text(json.dumps(rows))
    sources.write_zip(tmp_path / "in" / "a.zip", {f"{i}.png": sources.noisy_image(i) for i in range(12)})
    (tmp_path / "in" / "x y.png").write_bytes(sources.noisy_image(99))
    prepare("mjbench", tmp_path / "in", tmp_path / "out")
    texts_by_id = {row["id"]: row["text"] for row in labels(tmp_path / "out")}
    assert texts_by_id == {f"pairs/{row['id']}": str(row["caption"]).replace("\ud800", "\\ud800") for row in rows}
    assert len(list((tmp_path / "out" / "images").iterdir())) == 24
    assert main(["check", str(tmp_path / "out" / "config.yaml")]) == 0


def test_pairs_of_equal_images_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sources.mjbench(tmp_path / "in")
    file = folder / "data" / "alignment.parquet"
    rows = pyarrow.parquet.read_table(file).to_pylist()
    rows[4]["image1"]["bytes"] = rows[4]["image0"]["bytes"]
    sources.write_images(file, rows)
    arguments = ["mjbench", "--source", folder, "--out", tmp_path / "out"]
    assert (
        "alignment.parquet:5: both images of the pair are the same; --skip-bad-rows" in refused(capsys, *arguments)[0]
    )
    assert main(["data", "prepare", *map(str, arguments), "--skip-bad-rows"]) == 0
    assert len(labels(tmp_path / "out")) == 39 and len(list((tmp_path / "out" / "images").iterdir())) == 78


def test_ids_that_differ_by_suffix_keep_their_images(tmp_path: Path) -> None:
    folder = sources.agin(tmp_path / "set", size=200)
    for i in range(0, 200, 2):  # b1 and b1.png, both PNG
        (folder / "images" / f"agin_{i:04}.png").rename(folder / "images" / f"agin_{i + 1:04}")
    text = (folder / "AGIN.csv").read_text()
    for i in range(0, 200, 2):
        text = text.replace(f"agin_{i:04}.png", f"agin_{i + 1:04}")
    (folder / "AGIN.csv").write_text(text)
    prepare("agin", folder, tmp_path / "out", Options(scale=(1, 5)))
    for row in labels(tmp_path / "out"):
        assert (tmp_path / "out" / row["image"]).read_bytes() == (folder / "images" / row["id"]).read_bytes()


def test_too_few_rows_are_refused_or_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = sources.agin(tmp_path / "set", size=100)
    arguments = ["agin", "--source", folder, "--out", tmp_path / "out", "--scale", "1", "5"]
    first, *rest = refused(capsys, *arguments)
    assert "1: 20 rows, the sample asks for 40 (20 for train and validation, 20 for test)" in first
    assert len(rest) == 4
    assert main(["data", "prepare", *map(str, arguments), "--take-fewer"]) == 0
    assert "note: 1: 20 rows, the sample asks for 40" in capsys.readouterr().out
    assert Counter(row["split"] for row in labels(tmp_path / "out")) == {"train": 30, "validation": 20, "test": 50}


def test_a_folder_with_something_in_it_is_left_alone(
    downloads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["mjbench", "--source", downloads / "mjbench", "--out", tmp_path / "out"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    assert "exists and is not empty" in refused(capsys, *arguments)[0]
    assert (tmp_path / "out" / "mine.txt").read_text() == "mine"
    (tmp_path / "out" / "mine.txt").unlink()
    assert main(["data", "prepare", *map(str, arguments)]) == 0
    capsys.readouterr()
    assert "exists and is not empty" in refused(capsys, *arguments)[0]


KILLED = """
import os, signal, sys
from pathlib import Path
from blpo.data.public import prepare
def count(done, total):
    if done == 50:
        os.kill(os.getpid(), signal.SIGKILL)
prepare("seetrue", Path(sys.argv[1]), Path(sys.argv[2]), count=count)
"""


def test_a_killed_prepare_leaves_no_folder(downloads: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(downloads / "seetrue"), str(out)]
    assert subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, timeout=60).returncode == -signal.SIGKILL
    assert not out.exists()
    assert [path.name.startswith(".out.") for path in tmp_path.iterdir()] == [True]
    prepare("seetrue", downloads / "seetrue", out)
    assert main(["check", str(out / "config.yaml")]) == 0


PEAK = """
import sys
from pathlib import Path
from blpo.data.public import Options, prepare
import pyarrow.parquet
def high():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
name, small, large, out = sys.argv[1], *map(Path, sys.argv[2:])
options = Options(take_fewer=True)
prepare(name, small, out / "small", options)
before = high()
prepare(name, large, out / "large", options)
print((high() - before) // 1024)
"""


def peak(name: str, small: Path, large: Path, out: Path) -> int:
    """Return the peak memory of the large set beyond the peak of the small set, in MiB."""
    command = [sys.executable, "-c", PEAK, name, str(small), str(large), str(out)]
    done = subprocess.run(command, env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="peak memory is read from /proc")
def test_large_files_are_streamed(downloads: Path, tmp_path: Path) -> None:
    seetrue = tmp_path / "seetrue"
    shutil.copytree(downloads / "seetrue", seetrue)
    image = sources.noisy_image(1) + bytes(1 << 17)  # decoders stop at the image's end
    with (seetrue / "SeeTRUE.csv").open(newline="") as file:
        names = [row["image"] for row in csv.DictReader(file)]
    sources.write_zip(seetrue / "images.zip", dict.fromkeys(names, image))
    assert (seetrue / "images.zip").stat().st_size > 60 << 20
    assert peak("seetrue", downloads / "seetrue", seetrue, tmp_path / "seetrue-out") < 30
    shutil.rmtree(seetrue)
    rows = sources.unsafebench_rows(240)
    for i, row in enumerate(rows):
        row["image"]["bytes"] = sources.noisy_image(i, "JPEG") + os.urandom(1 << 18)
    large = tmp_path / "unsafebench"
    sources.write_images(large / "train.parquet", rows, size=240, write_batch_size=8)
    assert (large / "train.parquet").stat().st_size > 60 << 20
    assert peak("unsafebench", downloads / "unsafebench", large, tmp_path / "unsafebench-out") < 30
