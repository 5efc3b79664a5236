"""Multi-Crit: which of two replies about an image is better by one criterion (Xiong et al. 2025).

Download: `open_ended-*.parquet` and `reasoning-*.parquet` with `question_id, prompt_id, question, pred_a, pred_b,
criterion, preference, image, model_a, model_b`, in the folder or in `data/`. `preference` is model_a or model_b. People
often prefer one reply by one criterion and the other reply by another criterion. So a criterion is a task of its own,
or one of several criteria of the pair (`prompt_id`) with a column each. A few rows repeat a question_id; the first row
counts, as for the authors.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from blpo.data.message_text import display_text
from blpo.data.public.hub_files import CellImages, RowImages, read_files, split_files
from blpo.data.public.image_pairs import SourcePair, pair_description, pair_records
from blpo.data.public.preparation_options import Options, refuse_options, require_choice
from blpo.data.public.public_set import PublicSet, SetCriterion, SourceProblem
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


_ALL = "all"


def load_multicrit(source: Path, options: Options) -> PublicSet:
    """Load the pairs of a criterion, or of all criteria, of a part of the set: open-ended or reasoning."""
    refuse_options({"--scale": options.scale, "--subset": options.subsets, "--ties": options.ties}, "Multi-Crit")
    part = require_choice("--form", options.form, tuple(_QUESTIONS), "Multi-Crit")
    questions = _QUESTIONS[part]
    criterion = require_choice("--criterion", options.criterion, (*questions, _ALL), f"Multi-Crit {part}")
    files = split_files(source, _SPLITS[part])
    rows, problems = read_files(files, _COLUMNS, CellImages(["image"]), partial(_pair, criterion))
    pairs: dict[str, SourcePair] = {}
    for pair in rows:
        pairs.setdefault(pair.id, pair)
    if not pairs and not problems:
        raise DataError(f"{source}: no row has the criterion {criterion}")
    if criterion == _ALL:
        joined, different = _with_all_criteria(pairs.values())
        records, notes = pair_records(joined, options)
        description = replace(
            pair_description(f"Multi-Crit {part}", options, is_test_set=True, prompt=""),
            criteria=tuple(SetCriterion(name, name, about) for name, about in questions.items()),
        )
        return PublicSet(description, records, (*problems, *different), tuple(files), notes)
    records, notes = pair_records(pairs.values(), options)
    prompt = f"Two texts reply to a question about the image. Decide {questions[criterion]}. Judge by nothing else."
    description = pair_description(f"Multi-Crit {part}, {criterion}", options, is_test_set=True, prompt=prompt)
    return PublicSet(description, records, tuple(problems), tuple(files), notes)


def _with_all_criteria(pairs: Iterable[SourcePair]) -> tuple[list[SourcePair], list[SourceProblem]]:
    """Join the rows of a pair. The label is that of the pair's first criterion."""
    joined: dict[str, SourcePair] = {}
    problems = []
    for pair in pairs:
        name = str(pair.group).removeprefix("prompt-")
        first = joined.setdefault(name, replace(pair, id=name, extra={}))
        if (pair.texts, pair.text) != (first.texts, first.text):
            problems.append(SourceProblem(f"{pair.place}: other texts than in {first.place}, of one prompt_id"))
            continue
        preferences = {**first.criteria, str(pair.extra["criterion"]): pair.preferred}
        joined[name] = replace(first, criteria=preferences)
    return list(joined.values()), problems


def _pair(criterion: str, row: SourceRow, _: str, place: str, image: RowImages) -> SourcePair | None:
    """Return the pair of a row; None for a row of another criterion."""
    own = required_text(row, "criterion")
    if criterion not in (own, _ALL):
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
        extra={"criterion": own},
    )
