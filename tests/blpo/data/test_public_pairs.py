"""Loaders of pairs: who is preferred, shuffled sides, votes of raters, and what is left out."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from blpo.cli.main import main
from blpo.config.settings_file import load_settings
from blpo.data.dataset import read_samples
from blpo.data.public import Options, load_public, prepare
from blpo.data.public.image_pairs import SourcePair, shuffled
from blpo.data.public.public_set import PublicSet, Record
from state.errors import ConfigError, DataError
from tests import pair_sources as sources
from tests.public_sources import noisy_image

SETS = ("hpdv2", "pickapic", "genaibench", "mmrb2", "vlrewardbench", "multicrit")


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All sets of pairs in the format of their authors."""
    place = tmp_path_factory.mktemp("downloads")
    for name in SETS:
        getattr(sources, name)(place / name)
    return place


def load(name: str, folder: Path, **options: Any) -> PublicSet:
    return load_public(name, folder, Options(**options))


def problems(loaded: PublicSet) -> list[str]:
    return [problem.text for problem in loaded.problems]


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def change_parquet(file: Path, change: Callable[[list[dict[str, Any]]], object]) -> None:
    rows = pyarrow.parquet.read_table(file).to_pylist()
    change(rows)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file)


def change_json(file: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def preferred(record: Record) -> bytes:
    return record.images["ab".index(str(record.label))].read()


@pytest.mark.parametrize("name", SETS)
def test_sides_are_shuffled_by_the_seed_and_say_nothing(name: str, downloads: Path) -> None:
    labels = {seed: [r.label for r in load(name, downloads / name, seed=seed).records] for seed in (0, 1)}
    assert labels[0] != labels[1]
    for of_seed in labels.values():
        share = Counter(of_seed)["a"] / len(of_seed)
        assert abs(share - 0.5) < 1.65 / len(of_seed) ** 0.5
    again = [r.label for r in load(name, downloads / name, seed=0).records]
    assert again == labels[0]


def test_everything_of_a_side_moves_together() -> None:
    pair = SourcePair(
        "x",
        "t.json:1",
        1,
        (_bytes(b"0"), _bytes(b"1")),
        votes={"ann": 1, "ben": 0, "cem": None},
        sided={"model": ("m0", "m1")},
        names=("n0", "n1"),
    )
    swaps = set()
    for seed in range(20):
        record = shuffled(pair, seed)
        swaps.add(record.extra["swapped"])
        better = "ab".index(str(record.label))
        other = "ba"[better]
        assert record.images[better].read() == b"1" and record.names[better] == "n1"
        assert record.extra[f"model_{record.label}"] == "m1" and record.extra[f"model_{other}"] == "m0"
        assert record.ratings == {"ann": record.label, "ben": other, "cem": "tie"}
    assert swaps == {0, 1}


class _bytes:
    name = "bytes"

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self) -> bytes:
        return self._data


@pytest.mark.parametrize("key", ["rank", "annotation"])
def test_hpdv2_has_all_pairs_and_the_votes_of_its_raters(key: str, tmp_path: Path) -> None:
    folder = sources.hpdv2(tmp_path / "set", prompts=6, key=key)
    loaded = load("hpdv2", folder)
    assert not loaded.problems
    assert Counter(record.shipped for record in loaded.records) == {"test": 36, "train": 4}
    assert len({record.group for record in loaded.records}) == 10
    for record in loaded.records:
        prompt = int(record.id.partition("/")[0].partition("-")[2]) - 1
        if record.shipped == "train":
            assert sources.is_preferred(preferred(record), range(9000, 9008)) and record.ratings == {}
            continue
        ranks = [_rank(image.read(), prompt) for image in record.images]
        assert record.label == ("a" if ranks[0] < ranks[1] else "b")
        assert record.extra["difference"] == abs(ranks[0] - ranks[1])
        other = "ba"["ab".index(str(record.label))]
        expected = other if sorted(ranks) == [1, 2] else record.label
        assert record.ratings == dict(zip(sources.RATERS, [expected, *[record.label] * 4], strict=True))


def _rank(image: bytes, prompt: int) -> int:
    return next(rank for rank in (1, 2, 3, 4) if image == noisy_image(4 * prompt + rank, "JPEG", 10.0 * rank))


def test_hpdv2_names_faulty_rankings(tmp_path: Path) -> None:
    folder = sources.hpdv2(tmp_path / "set", prompts=5, train=0)

    def spoil(rows: list[dict[str, Any]]) -> None:
        rows[0]["rank"] = [1, 2, 3]
        rows[1]["rank"][0] = -1
        del rows[2]["raw_annotations"][1]["rank"]
        rows[3]["raw_annotations"][0]["rank"].pop()

    change_json(folder / "test.json", spoil)
    assert [text.partition(": ")[2][:50] for text in problems(load("hpdv2", folder))] == [
        "image_path and rank are not two lists of one lengt",
        "rank -1 is not a rank from 0",
        "raw_annotations {'user_hash': 'user1'} has no user",
        "raw_annotations {'rank': [4, 2, 1], 'user_hash': '"[:50],
    ]
    change_json(folder / "test.json", lambda rows: [row.pop("raw_annotations") for row in rows])
    records = load("hpdv2", folder).records  # as the first version of the file
    assert records and all(record.ratings == {} for record in records)


def test_mmrb2_t2i_has_three_raters(downloads: Path, tmp_path: Path) -> None:
    loaded = load("mmrb2", downloads / "mmrb2")
    assert (len(loaded.records), loaded.problems) == (24, ())
    for record in loaded.records:
        number = int(record.id.split("_")[1])
        assert preferred(record) == sources.side(2 * number + number % 2, better=True)
        other = "ba"["ab".index(str(record.label))]
        assert list(record.ratings.values()) == [record.label, record.label, other]
        assert {record.extra["model_a"], record.extra["model_b"]} == {"imagen4", "gemini"}
        assert record.text == f"a lion on a hill, {number}" and record.before is None
    prepare("mmrb2", downloads / "mmrb2", tmp_path / "out")
    labels = {row["id"]: row["label"] for row in table(tmp_path / "out" / "labels.csv")}
    votes = table(tmp_path / "out" / "ratings.csv")
    assert len(votes) == 72 and {row["rater"] for row in votes} == {"rater_1", "rater_2", "rater_3"}
    assert Counter(row["rating"] == labels[row["id"]] for row in votes) == {True: 48, False: 24}


def test_mmrb2_edits_have_the_image_before(downloads: Path, tmp_path: Path) -> None:
    loaded = load("mmrb2", downloads / "mmrb2", form="edit")
    assert loaded.notes == ("left out: 1 pairs: the prompt has several images",)
    assert len(loaded.records) == 23 and len({record.group for record in loaded.records}) == 12
    for record in loaded.records:
        number = int(record.id.split("_")[1])
        assert record.before is not None
        assert record.before.read() == noisy_image(7000 + number // 2, "JPEG", 30)
    prepare("mmrb2", downloads / "mmrb2", tmp_path / "out", Options(form="edit"))
    for row in table(tmp_path / "out" / "labels.csv"):
        number = int(row["id"].split("_")[1])
        image = (tmp_path / "out" / row["before"]).read_bytes()
        assert image == noisy_image(7000 + number // 2, "JPEG", 30)
        better = (tmp_path / "out" / row[f"image_{row['label']}"]).read_bytes()
        assert better == sources.side(1000 + 2 * number + number % 2, better=True)


def test_mmrb2_names_faulty_pairs(tmp_path: Path) -> None:
    folder = sources.mmrb2(tmp_path / "set", size=7)

    def spoil(content: dict[str, list[dict[str, Any]]]) -> None:
        pairs = content["pairs"]
        pairs[0]["chosen"] = "C"
        pairs[1]["response_a"]["response_content"][0][1] = "images/gone.jpg"
        pairs[2]["human_annotations"][1] = 7
        pairs[3]["response_b"] = None
        pairs[4]["prompt_content"] = [["video", "a.mp4"]]
        pairs[5]["response_a"]["response_content"].append(["text", "Here it is."])

    change_json(folder / "t2i.json", spoil)
    loaded = load("mmrb2", folder)
    assert [text.split(": ", 1)[1] for text in problems(loaded)] == [
        "chosen C is not A or B",
        "image images/gone.jpg does not exist in the dataset's folder",
        "human_annotations 7 is not a grade from 1 to 6",
        "response_b is no object with response_content",
        "prompt_content has a part that is not [text, ...] or [image, PATH]: ['video', 'a.mp4']",
    ]
    assert loaded.notes == ("left out: 1 pairs: a reply is not one image",)
    with pytest.raises(ConfigError, match="--form reasoning: MMRB2 has t2i, edit"):
        load("mmrb2", folder, form="reasoning")
    (folder / "edit.json").unlink()
    with pytest.raises(DataError, match=r"build_from_hf.py or run_release.sh makes them is expected, edit.json"):
        load("mmrb2", folder, form="edit")


def test_images_in_an_archive_are_found(tmp_path: Path) -> None:
    folder = sources.mmrb2(tmp_path / "set", size=6)
    before = [record.images[0].read() for record in load("mmrb2", folder).records]
    sources.zipped(folder, "images")
    assert [record.images[0].read() for record in load("mmrb2", folder).records] == before


def test_genaibench_votes(downloads: Path) -> None:
    loaded = load("genaibench", downloads / "genaibench")
    assert len(loaded.records) == 32 and "left out: 16 pairs without a preferred side" in loaded.notes[0]
    for record in loaded.records:
        assert sources.is_preferred(preferred(record), range(3000, 3100))
        swapped = int(str(record.extra["swapped"]))
        assert (record.extra["vote"] == "leftvote") == (record.label == "ab"[swapped])
        assert (record.extra["model_a"] == "SDXL") == (swapped == 0)
    tied = load("genaibench", downloads / "genaibench", ties=True)
    assert tied.description.task.ties and not tied.notes
    assert Counter(r.label == "tie" for r in tied.records) == {False: 32, True: 16}
    assert {r.extra["vote"] for r in tied.records if r.label == "tie"} == {"tievote", "bothbad_vote"}


def test_genaibench_editions_have_the_image_before(downloads: Path, tmp_path: Path) -> None:
    loaded = load("genaibench", downloads / "genaibench", form="edition", ties=True)
    assert len({record.group for record in loaded.records}) == 24
    for i, record in enumerate(loaded.records):
        assert record.before is not None and record.before.read() == noisy_image(6000 + i // 2, "JPEG", 30)
        assert record.text == "make it red"
    with pytest.raises(ConfigError, match="--subset test_v2: there are test_v1, test"):
        load("genaibench", downloads / "genaibench", subsets=("test_v2",))
    with pytest.raises(DataError, match=r"has no test-\*.parquet, nor has image_generation/; the parquet files are of"):
        load("genaibench", downloads / "genaibench", subsets=("test",))
    folder = sources.genaibench(tmp_path / "set", size=6)
    file = folder / "image_generation" / "test_v1-00000-of-00001.parquet"
    change_parquet(file, lambda rows: rows[1].update(vote_type="left"))
    (text,) = problems(load("genaibench", folder))
    assert text.endswith(":2: vote_type left is not leftvote, rightvote, tievote, bothbad_vote")


def test_vlrewardbench_has_two_replies_about_an_image(downloads: Path, tmp_path: Path) -> None:
    loaded = load("vlrewardbench", downloads / "vlrewardbench")
    assert (len(loaded.records), loaded.problems) == (40, ())
    for i, record in enumerate(loaded.records):
        assert record.texts is not None and len(record.images) == 1
        assert record.texts["ab".index(str(record.label))] == f"right {i}."
        assert record.text == f"What is in picture {i}?"
        assert record.extra[f"model_{record.label}"] == ("LLaVA" if i % 3 == 0 else "GPT-4o")
    prepare("vlrewardbench", downloads / "vlrewardbench", tmp_path / "out")
    rows = table(tmp_path / "out" / "labels.csv")
    assert all(row[f"text_{row['label']}"].startswith("right") for row in rows) and "image_a" not in rows[0]
    folder = sources.vlrewardbench(tmp_path / "set", size=4)
    change = lambda rows: (rows[0].update(human_ranking=[0, 0]), rows[1].update(response=["one"]))  # noqa: E731
    change_parquet(folder / "data/test-00000-of-00001.parquet", change)
    assert [text.split(": ", 1)[1] for text in problems(load("vlrewardbench", folder))] == [
        "human_ranking [0, 0] is not [0, 1] or [1, 0]",
        "response has not two texts: ['one']",
    ]


@pytest.mark.parametrize(("part", "criterion"), [("open-ended", "clarity"), ("reasoning", "logic"), (None, None)])
def test_multicrit_has_a_task_for_each_criterion(part: str | None, criterion: str | None, downloads: Path) -> None:
    loaded = load("multicrit", downloads / "multicrit", form=part, criterion=criterion)
    assert len(loaded.records) == len({record.group for record in loaded.records}) == 30
    assert {record.extra["criterion"] for record in loaded.records} == {criterion or "completeness"}
    for record in loaded.records:
        assert record.texts is not None
        assert str(record.extra["criterion"]) in record.texts["ab".index(str(record.label))]
        assert record.text and record.text.startswith("What happens")


def test_multicrit_refuses_a_criterion_of_the_other_part(downloads: Path, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match="--criterion logic: Multi-Crit open-ended has completeness, visual-grounding"
    ):
        load("multicrit", downloads / "multicrit", criterion="logic")
    folder = sources.multicrit(tmp_path / "set", prompts=2)
    change_parquet(folder / "data/reasoning-00000-of-00001.parquet", lambda rows: rows[0].update(preference="tie"))
    (text,) = problems(load("multicrit", folder, form="reasoning"))
    assert text.endswith(":1: preference tie is not model_a or model_b")


def test_pickapic_keeps_labelled_pairs_of_different_images(downloads: Path, tmp_path: Path) -> None:
    loaded = load("pickapic", downloads / "pickapic")
    assert not loaded.problems
    shipped = Counter(record.shipped for record in loaded.records)  # validation_unique repeats pairs of validation
    assert set(shipped) == {"train", "validation", "test"} and shipped["validation"] == shipped["test"] == 7
    assert loaded.notes[1:] == ("left out: 3 rows: both images are the same", "left out: 52 rows: no label")
    for record in loaded.records[:60]:
        split, number = str(record.shipped), int(record.id.rpartition("/")[2]) - 1
        first = 20_000 * (1 + ("train", "validation", "test").index(split))
        better = first + 2 * number + (number % 6 in (1, 4))
        assert preferred(record) == sources.side(better, better=True)
        assert str(record.extra[f"uid_{record.label}"]) == f"{split}-{number}-{better % 2}"
        assert record.id.startswith(f"{split}-00000-of-00001/")
    unique = load("pickapic", downloads / "pickapic", subsets=("validation_unique",), ties=True)
    assert {record.shipped for record in unique.records} == {"validation"}
    assert Counter(r.label == "tie" for r in unique.records) == {False: 7, True: 3}
    with pytest.raises(ConfigError, match="--subset test_unique: there are train, validation, test, validation_unique"):
        load("pickapic", downloads / "pickapic", subsets=("test_unique",))
    folder = sources.pickapic(tmp_path / "set", size=6)
    (file,) = folder.glob("data/train-*")
    change_parquet(file, lambda rows: rows[1].update(label_0=0.3))
    assert problems(load("pickapic", folder))[0].endswith(":2: label_0 0.3 is not 1, 0 or 0.5")


@pytest.mark.parametrize("name", SETS)
def test_ties_make_a_third_label_where_the_set_has_them(name: str, downloads: Path, tmp_path: Path) -> None:
    if name in ("mmrb2", "vlrewardbench", "multicrit"):
        with pytest.raises(ConfigError, match="--ties does not apply"):
            load(name, downloads / name, ties=True)
        return
    prepared = prepare(name, downloads / name, tmp_path / "out", Options(ties=True, take_fewer=True, sample="all"))
    labels = {row["label"] for row in table(tmp_path / "out" / "labels.csv")}
    assert labels == ({"a", "b"} if name == "hpdv2" else {"a", "b", "tie"})
    assert "  ties: true\n" in (tmp_path / "out" / "config.yaml").read_text()
    assert all("--ties" not in note for note in prepared.notes)


@pytest.mark.parametrize("name", SETS)
def test_an_empty_or_missing_source_of_pairs_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no"):
        load(name, tmp_path)
    with pytest.raises(DataError, match="--source names the folder"):
        load(name, tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("hpdv2", {"form": "pairs"}),
        ("mmrb2", {"subsets": ("x",)}),
        ("genaibench", {"criterion": "x"}),
        ("vlrewardbench", {"form": "x"}),
        ("multicrit", {"subsets": ("x",)}),
        ("pickapic", {"scale": (1, 5)}),
        ("mjbench", {"ties": True}),
    ],
)
def test_options_of_other_sets_are_refused(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"does not apply to .*; leave the option out"):
        load(name, tmp_path, **options)


FORMS: dict[str, tuple[str, list[str]]] = {
    "hpdv2": ("hpdv2", []),
    "pickapic": ("pickapic", ["--ties"]),
    "genaibench": ("genaibench", []),
    "genaibench edits": ("genaibench", ["--form", "edition", "--ties"]),
    "mmrb2": ("mmrb2", []),
    "mmrb2 edits": ("mmrb2", ["--form", "edit"]),
    "vlrewardbench": ("vlrewardbench", []),
    "multicrit": ("multicrit", ["--form", "reasoning", "--criterion", "logic"]),
}
OPTIMIZED = ("hpdv2", "mmrb2 edits", "vlrewardbench")
SHORT = ["search.outer_rounds=1", "search.inner_steps=1", "search.error_batch=4", "search.anchors=2", "data.limit=40"]


@pytest.mark.parametrize("form", FORMS)
def test_prepare_check_optimize_pairs(
    form: str, downloads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, options = FORMS[form]
    out = tmp_path / "set"
    assert main(["data", "prepare", name, "--source", str(downloads / name), "--out", str(out), *options]) == 0
    config = load_settings(out / "config.yaml")
    assert config.task.kind == "pairwise" and config.task.ties == ("--ties" in options)
    rows = {row["id"]: row for row in table(out / "labels.csv")}
    samples = read_samples(config.data, config.task)
    assert not samples.problems and len(samples.usable) == len(rows)
    for usable in samples.usable:
        sample, row = usable.sample, rows[usable.sample.id]
        assert sample.label == row["label"]
        assert sample.text == (row["question"] if sample.texts else row["text"])
        paths = [row[column] for column in ("image", "image_a", "image_b", "before") if column in row]
        assert [source.read() for source in sample.all_images] == [(out / path).read_bytes() for path in paths]
        assert [name for name, _ in sample.context] == (["before"] if "before" in row else [])
    capsys.readouterr()
    assert main(["check", str(out / "config.yaml")]) == 0
    checked = capsys.readouterr().out
    assert "no problem found" in checked
    assert ("raters: " in checked) == (name in ("hpdv2", "mmrb2"))
    if form not in OPTIMIZED:
        return
    settings = [part for setting in SHORT for part in ("--set", setting)]
    run = tmp_path / "run"
    assert main(["optimize", str(out / "config.yaml"), *settings, "--run-dir", str(run), "--quiet"]) == 0
    result = json.loads((run / "result.json").read_text())
    assert result["status"] == "complete" and result["test"]["initial"]["coverage"] == 1.0
    ceiling = result["test"].get("human_ceiling")
    assert (ceiling is not None and ceiling["raters"] >= 3) == (name in ("hpdv2", "mmrb2"))
