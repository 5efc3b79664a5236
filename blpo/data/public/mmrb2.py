"""Multimodal RewardBench 2: which of two images is the better reply to a prompt or to an edit (Hu et al. 2025).

Download: the files that the authors' build makes: `t2i.json` and `edit.json` with `pairs`, and the folders `images/`
and `input_images/`. A pair has `id, prompt_content, response_a, response_b, chosen` (A or B), and `human_annotations`:
the grades of three people from 1 (B is much better) to 6 (A is much better). Contents are lists of `[text, ...]` and
`[image, PATH]`. An edit with several images before is left out, and so is a reply of several parts.
"""

from collections import Counter
from pathlib import Path

from blpo.data.labels import as_text
from blpo.data.message_text import display_text
from blpo.data.public.image_locator import ImageLocator
from blpo.data.public.image_pairs import Preference, SourcePair, pair_description, pair_records
from blpo.data.public.preparation_options import Options, refuse_options, require_choice
from blpo.data.public.public_set import PublicSet
from blpo.data.public.source_files import only_file, zip_archives
from blpo.data.public.source_rows import SourceRow, read_json_table, read_records, required_text, text_group

_PROMPTS = {
    "t2i": "Two images were made from the text. Decide which image is the better image for the text.",
    "edit": "Two images are edits of the image before, as the text asks. Decide which image is the better edit.",
}
_COLUMNS = ("id", "prompt_content", "response_a", "response_b", "chosen")
_OPTIONAL_COLUMNS = ("prompt_source", "human_annotations")
_SIDES = {"A": 0, "B": 1}
_LOWEST, _HIGHEST = 1, 6
"""Grades of a rater. Grades in the upper half prefer A."""

_Skips = Counter[str]


def load_mmrb2(source: Path, options: Options) -> PublicSet:
    """Load the pairs of a half: t2i or edit. The votes are those of the three raters of each pair."""
    inapplicable = {"--criterion": options.criterion, "--scale": options.scale, "--subset": options.subsets}
    refuse_options({**inapplicable, "--ties": options.ties}, "MMRB2")
    half = require_choice("--form", options.form, tuple(_PROMPTS), "MMRB2")
    file = only_file(source, f"{half}.json", "the pairs, as the authors' build_from_hf.py or run_release.sh makes them")
    zips = zip_archives(source)
    locator = ImageLocator(source, zips)
    table = read_json_table(file, "pairs")
    optional = [name for name in _OPTIONAL_COLUMNS if name in table.columns]
    left_out: _Skips = Counter()
    rows, problems = read_records(
        table, [*_COLUMNS, *optional], lambda row, _, place: _read_pair(row, place, half, locator, left_out)
    )
    records, notes = pair_records((pair for pair in rows if pair is not None), options)
    notes = (*notes, *(f"left out: {count} pairs: {reason}" for reason, count in left_out.items()))
    description = pair_description(f"MMRB2 {half}", options, is_test_set=True, prompt=_PROMPTS[half])
    return PublicSet(description, records, tuple(problems), (file, *zips), notes)


def _read_pair(row: SourceRow, place: str, half: str, locator: ImageLocator, left_out: _Skips) -> SourcePair | None:
    """Return the pair of a row; None for a pair that is left out. Raises `ValueError` for a faulty row."""
    texts, inputs = _content(row["prompt_content"], "prompt_content")
    replies = [_reply(row, name) for name in ("response_a", "response_b")]
    chosen = required_text(row, "chosen").upper()
    if chosen not in _SIDES:
        raise ValueError(f"chosen {display_text(row['chosen'])} is not A or B")
    if len(inputs) != (half == "edit"):
        left_out["the prompt has several images" if len(inputs) > 1 else "the prompt has another number of images"] += 1
        return None
    if any(text or len(images) != 1 for text, images, _ in replies):
        left_out["a reply is not one image"] += 1
        return None
    text = "\n".join(texts)
    return SourcePair(
        required_text(row, "id"),
        place,
        _SIDES[chosen],
        tuple(locator.locate(images[0], place) for _, images, _ in replies),
        text=text,
        group=text_group(inputs[0] if inputs else text),
        before=locator.locate(inputs[0], place) if inputs else None,
        votes=_votes(row.get("human_annotations")),
        sided={"model": (replies[0][2], replies[1][2])},
        extra={"prompt_source": row["prompt_source"]} if "prompt_source" in row else {},
    )


def _reply(row: SourceRow, name: str) -> tuple[list[str], list[str], str | None]:
    """Return the texts, the images and the model of a reply."""
    reply = row[name]
    if not isinstance(reply, dict):
        raise ValueError(f"{name} is no object with response_content")
    return *_content(reply.get("response_content"), f"{name}.response_content"), as_text(reply.get("model_name"))


def _content(parts: object, name: str) -> tuple[list[str], list[str]]:
    """Return the texts and the images of a content."""
    if not isinstance(parts, list):
        raise ValueError(f"{name} is no list")
    texts, images = list[str](), list[str]()
    for part in parts:
        kind, content = part if isinstance(part, list) and len(part) == 2 else (None, None)
        if kind not in ("text", "image") or not isinstance(content, str):
            raise ValueError(f"{name} has a part that is not [text, ...] or [image, PATH]: {display_text(part)}")
        (images if kind == "image" else texts).append(content)
    return texts, images


def _votes(grades: object) -> dict[str, Preference]:
    """Return the votes of the raters, by the place in the list: the file has no names."""
    if grades is None:
        return {}
    if not isinstance(grades, list):
        raise ValueError("human_annotations is no list")
    votes: dict[str, Preference] = {}
    for number, grade in enumerate(grades, start=1):
        if type(grade) is not int or not _LOWEST <= grade <= _HIGHEST:
            raise ValueError(f"human_annotations {display_text(grade)} is not a grade from {_LOWEST} to {_HIGHEST}")
        votes[f"rater_{number}"] = int(2 * grade <= _LOWEST + _HIGHEST)
    return votes
