"""VL-RewardBench: which of two replies to a question about an image is better (Li et al. 2024).

Download: `test-*.parquet` with `id, query, response, image, human_ranking, models, query_source`, in the folder or in
`data/`. `response` has two texts. `human_ranking` [0, 1] means that the first is better, [1, 0] that the second is.
"""

from pathlib import Path

from blpo.data.message_text import display_text
from blpo.data.public.hub_files import CellImages, RowImages, read_files, split_files
from blpo.data.public.image_pairs import SourcePair, pair_description, pair_records
from blpo.data.public.preparation_options import Options, refuse_options
from blpo.data.public.public_set import PublicSet
from blpo.data.public.source_rows import SourceRow, required_text

_COLUMNS = ("id", "query", "response", "human_ranking", "models", "query_source")
_PREFERENCES = {(0, 1): 0, (1, 0): 1}
_IMAGE_TAG = "<image>"
"""Mark of the image's place in some questions. The judge sees the image in any case."""

_PROMPT = (
    "Two texts reply to a question about the image. Decide which text is the better reply: right about the image, "
    "complete, and to the point."
)


def load_vlrewardbench(source: Path, options: Options) -> PublicSet:
    """Load the pairs of replies."""
    inapplicable = {"--form": options.form, "--criterion": options.criterion, "--scale": options.scale}
    refuse_options({**inapplicable, "--subset": options.subsets, "--ties": options.ties}, "VL-RewardBench")
    files = split_files(source, "test")
    pairs, problems = read_files(files, _COLUMNS, CellImages(["image"]), _pair)
    records, notes = pair_records(pairs, options)
    description = pair_description("VL-RewardBench", options, is_test_set=True, prompt=_PROMPT)
    return PublicSet(description, records, tuple(problems), tuple(files), notes)


def _pair(row: SourceRow, name: str, place: str, image: RowImages) -> SourcePair:
    texts, models = _two_texts(row, "response"), row["models"]
    ranking = row["human_ranking"]
    key = tuple(ranking) if isinstance(ranking, list) else ()
    if key not in _PREFERENCES:
        raise ValueError(f"human_ranking {display_text(ranking)} is not [0, 1] or [1, 0]")
    named = models if isinstance(models, list) and len(models) == len(texts) else (None, None)
    return SourcePair(
        name,
        place,
        _PREFERENCES[key],
        (image("image"),),
        texts,
        required_text(row, "query").replace(_IMAGE_TAG, "").strip(),
        sided={"model": (named[0], named[1])},
        extra={"original_id": row["id"], "query_source": row["query_source"]},
    )


def _two_texts(row: SourceRow, column: str) -> tuple[str, str]:
    texts = row[column]
    if not isinstance(texts, list) or len(texts) != 2 or not all(isinstance(t, str) and t.strip() for t in texts):
        raise ValueError(f"{column} has not two texts: {display_text(texts)}")
    return texts[0], texts[1]
