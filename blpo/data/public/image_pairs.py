"""Pairs with a preferred side. The order of a pair says nothing about the preference."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from blpo.data.public.preparation_options import Options
from blpo.data.public.public_set import Record, SetDescription
from blpo.data.splits import seeded
from state.sample import ImageSource, SplitName
from state.settings import TaskSettings

PAIR_PROMPT = "Two images were made from the text. Decide which of the two images people prefer for this text."

Preference = int | None
"""Preferred side in the order of the source, 0 or 1; None for a tie."""

PAIRS_OF_A_LABEL = 70
"""Pairs of a label in train and validation together, and again in test, for a set that is not a test set."""


@dataclass(frozen=True, slots=True)
class SourcePair:
    """Pair of images, or pair of texts about one image, in the order of the source."""

    id: str
    place: str
    """File and row."""
    preferred: Preference
    images: tuple[ImageSource, ...]
    """Two images, or the image that both texts are about."""
    texts: tuple[str, str] | None = None
    text: str | None = None
    """Prompt of both images, instruction of the edit, or question to both texts."""
    group: str | None = None
    before: ImageSource | None = None
    votes: Mapping[str, Preference] = field(default_factory=dict)
    """Preferences by rater."""
    sided: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    """Further columns with a value for each side. `model` becomes `model_a` and `model_b`."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further columns."""
    names: tuple[str, str] | None = None
    """Names for the files of the images; None: made of the id."""
    shipped: SplitName | None = None
    criteria: Mapping[str, Preference] = field(default_factory=dict)
    """Preferences by criterion, each a column of its own."""


def shuffled(pair: SourcePair, seed: int) -> Record:
    """Return the record of a pair. The order of the sides follows from seed and id alone; all sides move together."""
    swap = seeded(seed, "order", pair.id)[0] & 1
    images, texts, names = pair.images, pair.texts, pair.names
    if len(images) > 1:
        names = names or (f"{pair.id}-0", f"{pair.id}-1")
    if swap:
        images, texts, names = images[::-1], texts and (texts[1], texts[0]), names and (names[1], names[0])
    label = _label(pair.preferred, swap)
    sides = {f"{name}_{side}": values[i ^ swap] for name, values in pair.sided.items() for i, side in enumerate("ab")}
    criteria = {name: _label(preferred, swap) for name, preferred in pair.criteria.items()}
    return Record(
        pair.id,
        images,
        label,
        pair.place,
        label,
        pair.text,
        pair.group,
        pair.shipped,
        {**criteria, **sides, **pair.extra, "swapped": swap},
        names or (),
        texts,
        pair.before,
        {rater: _label(vote, swap) for rater, vote in pair.votes.items()},
    )


def pair_records(
    pairs: Iterable[SourcePair], options: Options, meaning: str = "without a preferred side"
) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """Return the records, and notes on ties that are left out and on votes that are drawn.

    `options.ties` keeps ties as a third label. Otherwise a rater without a preference votes for a side drawn from the
    seed, as in a forced choice: so a rater can be compared with a judge who must choose. `meaning` says what a tie is.
    """
    records, ties, votes, draws = [], 0, 0, 0
    for pair in pairs:
        if pair.preferred is None and not options.ties:
            ties += 1
            continue
        votes += len(pair.votes)
        if not options.ties:
            draws += sum(vote is None for vote in pair.votes.values())
            pair = replace(pair, votes=_forced_votes(pair, options.seed))
        records.append(shuffled(pair, options.seed))
    are = "pair" if ties == 1 else "pairs"
    notes = [f"left out: {ties} {are} {meaning}; --ties keeps such pairs with a third label, tie"] if ties else []
    if draws:
        notes.append(
            f"ratings.csv: {draws} of {votes} preferences are drawn from the seed, because the person rated both sides "
            "alike; --ties keeps such ties"
        )
    return tuple(records), tuple(notes)


def _forced_votes(pair: SourcePair, seed: int) -> dict[str, Preference]:
    """Return the votes of a pair. A rater without a preference votes for a drawn side."""
    return {
        rater: seeded(seed, "vote", f"{pair.id}\n{rater}")[0] & 1 if vote is None else vote
        for rater, vote in pair.votes.items()
    }


def pair_description(title: str, options: Options, *, is_test_set: bool, prompt: str = PAIR_PROMPT) -> SetDescription:
    """Return the description of a set of pairs."""
    task = TaskSettings(kind="pairwise", ties=options.ties)
    balanced = {} if is_test_set else dict.fromkeys(map(str, task.values), PAIRS_OF_A_LABEL)
    return SetDescription(title, task, prompt, balanced)


def _label(preferred: Preference, swap: int) -> str:
    return "tie" if preferred is None else "ab"[preferred ^ swap]
