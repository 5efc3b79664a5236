"""Multi-Crit: which of two replies about an image is better by one criterion (Xiong et al. 2025).

Download: `open_ended-*.parquet` and `reasoning-*.parquet` with `question_id, prompt_id, question, pred_a, pred_b,
criterion, preference, image, model_a, model_b`, in the folder or in `data/`. `preference` is model_a or model_b. People
often prefer one reply by one criterion and the other reply by another criterion, so a criterion is a task of its own. A
few rows repeat a question_id; the first row counts, as for the authors.
"""

from functools import partial
from pathlib import Path

from blpo.data.message_text import display_text
from blpo.data.public.hub_files import CellImages, RowImages, read_files, split_files
from blpo.data.public.image_pairs import SourcePair, pair_description, pair_records
from blpo.data.public.preparation_options import Options, refuse_options, require_choice
from blpo.data.public.public_set import PublicSet
from blpo.data.public.source_rows import SourceRow, required_text
from state.errors import DataError

_QUESTIONS = {
    "open-ended": {
        "completeness": "which text answers the whole question and leaves nothing important out",
        "visual-grounding": "which text refers more to details that are really in the image",
        "hallucination": "which text says fewer things that are not in the image or not true",
        "expressiveness": "which text is written with more expression or expertise",
        "clarity": "which text is clearer and better ordered",
    },
    "reasoning": {
        "grounding": "which reasoning is based more on what the image shows",
        "logic": "which reasoning is more logical, without gaps or contradictions",
        "hallucination": "which reasoning says fewer things that are not in the image or not true",
        "exploration": "which reasoning reflects more, and weighs more possibilities",
        "efficiency": "which reasoning is more concise, without needless steps",
    },
}
"""What people compared, by part of the set and by criterion."""

_SPLITS = {"open-ended": "open_ended", "reasoning": "reasoning"}
_PREFERENCES = {"model_a": 0, "model_b": 1}
_COLUMNS = ("question_id", "prompt_id", "question", "pred_a", "pred_b", "criterion", "preference", "model_a", "model_b")


def load_multicrit(source: Path, options: Options) -> PublicSet:
    """Load the pairs of a criterion of a part of the set: open-ended or reasoning."""
    refuse_options({"--scale": options.scale, "--subset": options.subsets, "--ties": options.ties}, "Multi-Crit")
    part = require_choice("--form", options.form, tuple(_QUESTIONS), "Multi-Crit")
    questions = _QUESTIONS[part]
    criterion = require_choice("--criterion", options.criterion, tuple(questions), f"Multi-Crit {part}")
    files = split_files(source, _SPLITS[part])
    rows, problems = read_files(files, _COLUMNS, CellImages(["image"]), partial(_pair, criterion))
    pairs: dict[str, SourcePair] = {}
    for pair in rows:
        pairs.setdefault(pair.id, pair)
    if not pairs and not problems:
        raise DataError(f"{source}: no row has the criterion {criterion}")
    records, notes = pair_records(pairs.values(), options)
    prompt = f"Two texts reply to a question about the image. Decide {questions[criterion]}. Judge by nothing else."
    description = pair_description(f"Multi-Crit {part}, {criterion}", options, is_test_set=True, prompt=prompt)
    return PublicSet(description, records, tuple(problems), tuple(files), notes)


def _pair(criterion: str, row: SourceRow, _: str, place: str, image: RowImages) -> SourcePair | None:
    """Return the pair of a row; None for a row of another criterion."""
    if required_text(row, "criterion") != criterion:
        return None
    preferred = required_text(row, "preference").lower()
    if preferred not in _PREFERENCES:
        raise ValueError(f"preference {display_text(row['preference'])} is not {' or '.join(_PREFERENCES)}")
    return SourcePair(
        required_text(row, "question_id"),
        place,
        _PREFERENCES[preferred],
        (image("image"),),
        (required_text(row, "pred_a"), required_text(row, "pred_b")),
        required_text(row, "question"),
        f"prompt-{required_text(row, 'prompt_id')}",
        sided={"model": (row["model_a"], row["model_b"])},
        extra={"criterion": criterion},
    )
