"""RichHF-18K: scores of generated images by four criteria (Liang et al. 2024).

Download: `train.tfrecord`, `dev.tfrecord` and `test.tfrecord`, read without TensorFlow, with `filename,
aesthetics_score, artifact_score, misalignment_score, overall_score` and further features (heat maps, words of the
prompt that are not met). Higher is better in all scores. The set holds no images: these and their captions are in
Pick-a-Pic v1, in parquet shards with `image_0_uid, image_1_uid, jpg_0, jpg_1, caption`, in the folder or in its
`data/`. Some files and some shards are enough. The scores lie in [0, 1] in steps of 1/12, as means of three people's
ratings from 1 to 5; they are put back to 1 to 5.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from blpo.data.image_sources import CellImage
from blpo.data.labels import as_text
from blpo.data.parquet_table import open_parquet
from blpo.data.public.hub_files import CellImages, parquet_files
from blpo.data.public.mean_scores import chosen_criteria, class_of, mean_score, score_description
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet, Record, SetCriterion, SourceProblem
from blpo.data.public.source_files import matching_files
from blpo.data.public.source_rows import require_columns, text_group
from blpo.data.public.tf_records import Feature, read_examples
from state.errors import DataError
from state.sample import SplitName

LOW, HIGH = 1, 5
_CRITERIA = (
    SetCriterion("overall", "overall_score", "how good the image is as a whole"),
    SetCriterion("plausibility", "artifact_score", "how free the image is of artefacts and of implausible parts"),
    SetCriterion("alignment", "misalignment_score", "how well the image matches its text"),
    SetCriterion("aesthetics", "aesthetics_score", "how beautiful the image is"),
)
_SPLITS: Mapping[str, SplitName] = {"train": "train", "dev": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class _Picture:
    """An image of Pick-a-Pic."""

    image: CellImage
    caption: str | None


def load_richhf18k(source: Path, options: Options) -> PublicSet:
    """Load the scores of all criteria, or of `--criterion`, for the images that the shards hold."""
    inapplicable = {"--form": options.form, "--scale": options.scale, "--subset": options.subsets}
    refuse_options({**inapplicable, "--ties": options.ties}, "RichHF-18K")
    criteria = chosen_criteria(options.criterion, _CRITERIA, "RichHF-18K")
    files = [file for file in matching_files(source, "*.tfrecord") if file.stem in _SPLITS]
    shards = parquet_files(source)
    if not files or not shards:
        lacking = "train.tfrecord, dev.tfrecord or test.tfrecord" if not files else "parquet shard of Pick-a-Pic v1"
        raise DataError(f"{source}: has no {lacking}; the scores and the images are two downloads")
    examples = [(file, number, each) for file in files for number, each in enumerate(_without_maps(file), start=1)]
    pictures = dict(_pictures(shards, {_uid(each) for _, _, each in examples}))
    records, problems, missing = [], [], 0
    for file, number, example in examples:
        picture = pictures.get(_uid(example))
        if picture is None:
            missing += 1
            continue
        try:
            records.append(_record(file, number, example, picture, criteria))
        except ValueError as error:
            problems.append(SourceProblem(f"{file.name}:{number}: {error}"))
    notes = (f"left out: {missing} of {len(examples)} images, which are not in the shards",) if missing else ()
    description = score_description("RichHF-18K", criteria, LOW, HIGH)
    return PublicSet(description, tuple(records), tuple(problems), (*files, *shards), notes)


def _without_maps(file: Path) -> Iterator[dict[str, Feature]]:
    for example in read_examples(file):
        yield {name: value for name, value in example.items() if not name.endswith("_map")}


def _uid(example: Mapping[str, Feature]) -> str:
    name = example.get("filename")
    return PurePosixPath(name.decode(errors="replace")).stem if isinstance(name, bytes) else ""


def _record(
    file: Path, number: int, example: Mapping[str, Feature], picture: _Picture, criteria: tuple[SetCriterion, ...]
) -> Record:
    scores = {
        each.column: round(LOW + (HIGH - LOW) * mean_score(example.get(each.column), each.column, 0, 1), 4)
        for each in _CRITERIA
    }
    label, split = class_of(scores, criteria), _SPLITS[file.stem]
    return Record(
        _uid(example),
        (picture.image,),
        label,
        f"{file.name}:{number}",
        str(label),
        picture.caption,
        text_group(picture.caption),
        split,
        scores,
    )


def _pictures(shards: Iterable[Path], uids: set[str]) -> Iterator[tuple[str, _Picture]]:
    """Yield the images with these ids. Only ids and captions are read; an image is read when it is copied."""
    cells = CellImages(["jpg_0", "jpg_1"])
    for file in shards:
        table = open_parquet(file)
        require_columns(table, ["image_0_uid", "image_1_uid", "caption"])
        images, captions = cells.open(file, table), table.values("caption")
        for side in (0, 1):
            for index, uid in enumerate(table.values(f"image_{side}_uid")):
                if isinstance(uid, str) and uid in uids:
                    image = images.image(f"jpg_{side}", index, table.place(index))
                    yield uid, _Picture(image, as_text(captions[index]))
