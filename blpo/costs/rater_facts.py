"""Lines of `blpo check` about raters and slices: what the dataset has, and what it could have."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from statistics import median

from blpo.data.dataset import Dataset
from blpo.data.message_text import listed
from blpo.data.ratings import rater_column
from blpo.data.slice_columns import slice_candidates
from blpo.data.tables import open_table
from blpo.metrics.krippendorff import krippendorff_alpha, level_of
from blpo.metrics.undefined import Undefined
from state.sample import Sample
from state.settings import DataSettings, Settings, SplitColumn, TaskSettings


def rater_facts(settings: Settings, dataset: Dataset, other_labels: Sequence[str] = ()) -> list[str]:
    """Return lines about raters and slices of a dataset. Reads the labels file again, and no image.

    `other_labels` are columns of labels of other criteria, which are no slices.
    """
    samples = list(dataset.by_id.values())
    lines = [*_raters(samples, settings.task), *_slices(settings, dataset)]
    path = settings.data.path
    if path is None or path.startswith("hub:"):
        return lines
    table = open_table(path)
    raters = rater_column(table)
    if settings.data.raters is None and raters is not None:
        lines.append(f"column {raters!r} looks like raters; to use it: data.raters: {{by: {raters}}}")
    candidates = slice_candidates(table, [*_used(settings.data), *other_labels])
    if candidates and not settings.data.slices:
        names = [f"{name} ({number} values)" for name, number in candidates.items()]
        lines.append(f"columns that could be slices (data.slices): {listed(names, 6)}")
    return lines


def _raters(samples: Sequence[Sample], task: TaskSettings) -> Iterator[str]:
    rated = [sample.ratings for sample in samples if sample.ratings]
    if not rated:
        return
    people = Counter(rating.rater for rating in chain.from_iterable(rated))
    alpha = krippendorff_alpha([[rating.value for rating in ratings] for ratings in rated], level_of(task))
    words = f"undefined ({alpha.reason})" if isinstance(alpha, Undefined) else f"{alpha:.3f}"
    yield (
        f"raters: {len(people)}, {sum(people.values())} ratings of {len(rated)} samples, {median(map(len, rated)):g} a "
        f"sample (median); Krippendorff's alpha {words}"
    )


def _slices(settings: Settings, dataset: Dataset) -> Iterator[str]:
    for column in dict.fromkeys(settings.data.slices):
        counts = Counter(dict(sample.slices).get(column.strip(), "") for sample in dataset.splits["test"])
        sizes = [f"{value} {number}" for value, number in counts.most_common()]
        yield f"test by {column} ({len(counts)} values): {listed(sizes, 6)}"


def _used(data: DataSettings) -> list[str]:
    split = data.split.column if isinstance(data.split, SplitColumn) else None
    raters = () if data.raters is None else (data.raters.by, *data.raters.columns)
    texts = data.text if isinstance(data.text, tuple) else (data.text,)
    others = (data.question, data.reference, data.reference_text, data.before, data.id, data.group, split)
    names = (*data.columns_of_images, data.label, *texts, *others, *raters, "split", "id", "text")
    return [name for name in names if name is not None]
