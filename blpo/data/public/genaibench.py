"""GenAI-Bench: votes about two images of a prompt, or about two edits of an image (Jiang et al. 2024).

Download: the parquet files of `image_generation` (`prompt, left_image, right_image`) or of `image_edition`
(`source_prompt, target_prompt, instruct_prompt, source_image, left_output_image, right_output_image`), both with
`vote_type, left_model, right_model`, in the folder or in a folder of that name. `test_v1` is the split that the authors
score. A vote is leftvote, rightvote, tievote or bothbad_vote. The last two are ties.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from blpo.data.message_text import display_text
from blpo.data.public.hub_files import CellImages, RowImages, read_files, require_subset, split_files
from blpo.data.public.image_pairs import PAIR_PROMPT, Preference, SourcePair, pair_description, pair_records
from blpo.data.public.preparation_options import Options, refuse_options, require_choice
from blpo.data.public.public_set import PublicSet
from blpo.data.public.source_rows import SourceRow, required_text, text_group

_VOTES: dict[str, Preference] = {"leftvote": 0, "rightvote": 1, "tievote": None, "bothbad_vote": None}
_SPLITS = ("test_v1", "test")


@dataclass(frozen=True, slots=True)
class _Half:
    """Columns of a half of the set."""

    folder: str
    images: tuple[str, str]
    text: str
    group: str
    """Column that is equal for pairs of one prompt or of one image before."""
    prompt: str
    before: str | None = None
    further: tuple[str, ...] = ()


_HALVES = {
    "generation": _Half("image_generation", ("left_image", "right_image"), "prompt", "prompt", PAIR_PROMPT),
    "edition": _Half(
        "image_edition",
        ("left_output_image", "right_output_image"),
        "instruct_prompt",
        "source_prompt",
        "Two images are edits of the image before, as the text asks. Decide which of the two images people prefer.",
        "source_image",
        ("source_prompt", "target_prompt"),
    ),
}


def load_genaibench(source: Path, options: Options) -> PublicSet:
    """Load the votes of a half: generation or edition."""
    refuse_options({"--criterion": options.criterion, "--scale": options.scale}, "GenAI-Bench")
    name = require_choice("--form", options.form, tuple(_HALVES), "GenAI-Bench")
    half, split = _HALVES[name], require_subset(options.subsets, _SPLITS, _SPLITS[0])
    files = split_files(source, split, (half.folder,))
    cells = CellImages([*half.images, *([half.before] if half.before else [])])
    columns = dict.fromkeys([half.text, half.group, *half.further, "vote_type", "left_model", "right_model"])
    pairs, problems = read_files(files, list(columns), cells, partial(_pair, half))
    records, notes = pair_records(pairs, options)
    description = pair_description(f"GenAI-Bench {name}", options, is_test_set=True, prompt=half.prompt)
    return PublicSet(description, records, tuple(problems), tuple(files), notes)


def _pair(half: _Half, row: SourceRow, name: str, place: str, image: RowImages) -> SourcePair:
    vote = required_text(row, "vote_type")
    if vote not in _VOTES:
        raise ValueError(f"vote_type {display_text(vote)} is not {', '.join(_VOTES)}")
    return SourcePair(
        name,
        place,
        _VOTES[vote],
        tuple(map(image, half.images)),
        text=required_text(row, half.text),
        group=text_group(required_text(row, half.group)),
        before=image(half.before) if half.before else None,
        sided={"model": (row["left_model"], row["right_model"])},
        extra={**{name: row[name] for name in half.further}, "vote": vote},
    )
