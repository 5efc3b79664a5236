"""Rankings: the rows of a group, one image a row, become one sample with all images of the group."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from blpo.data.message_text import display_text, listed
from blpo.data.rows import Row, TableRows
from blpo.data.splits import seeded
from state.ranking import MOST_IMAGES, ranking_label
from state.sample import Sample
from state.settings import TaskSettings

MIXED = "(several)"
"""Value of a column of slices with different values inside a list."""


def with_lists(rows: TableRows, task: TaskSettings) -> TableRows:
    """Return the rows of a task of rankings as lists, in the order of their first rows; other tasks as they are.

    A row has the rank or the rating of its image as the sample's rating; `task.best` tells which is the best. The name
    of the group is the id of the list. The images stand in an order drawn from the names of list and image: a table is
    often sorted by rank, and an image's place must tell nothing. A list with a single image or with equal ranks alone
    has no order: it is left out, with a warning. Problems: a row without a group, more than `MOST_IMAGES` images, an
    image twice in a list, and different texts or references in a list.
    """
    if task.kind != "ranking":
        return rows
    problems = [f"{row.place}: group is missing; name the image's list" for row in rows.usable if not row.sample.group]
    groups: dict[str, list[Row]] = {}
    for row in rows.usable:
        groups.setdefault(row.sample.group or "", []).append(row)
    groups.pop("", None)
    problems += [problem for name, members in groups.items() for problem in _problems(name, members)]
    unordered = [name for name, members in groups.items() if len({row.sample.rating for row in members}) < 2]
    lists = [_as_list(name, members, task) for name, members in groups.items() if name not in set(unordered)]
    if groups and not lists and not problems:
        problems.append("every group has one image or equal ranks alone; a ranking needs images of different ranks")
    return TableRows(lists, [*rows.problems, *problems], [*rows.warnings, *_warnings(unordered)])


def _problems(name: str, members: Sequence[Row]) -> Iterator[str]:
    first = members[0]
    if len(members) > MOST_IMAGES:
        yield (
            f"{first.place}: group {display_text(name)} has {len(members)} images, and a ranking has at most "
            f"{MOST_IMAGES}; divide the group, or make pairs of it (blpo data pairs)"
        )
    places: dict[str, str] = {}
    for row in members:
        image = row.sample.id
        if places.setdefault(image, row.place) != row.place:
            yield f"{row.place}: {display_text(image)} is also at {places[image]}, in group {display_text(name)}"
        if row.sample.text != first.sample.text:
            yield f"{row.place}: text differs from {first.place}, and both are in group {display_text(name)}; keep one"
        elif comparison_of(row.sample) != comparison_of(first.sample):
            yield f"{row.place}: reference differs from {first.place}, and both are in group {display_text(name)}"


def comparison_of(sample: Sample) -> tuple[object, ...]:
    """Return a value that is equal for samples with one reference: of path or bytes, and text. Raises `DataError`."""
    images = [(name, getattr(source, "path", None) or source.read()) for name, source in sample.context]
    return (*images, sample.reference_text)


def list_order(name: str, image: str) -> bytes:
    """Return the sort key of an image in a list: the same on every machine and for every seed."""
    return seeded(0, "list", f"{name}\n{image}")


def list_label(ratings: Sequence[float], task: TaskSettings) -> str:
    """Return the ranking of images with these ranks or ratings (`task.best`)."""
    return ranking_label(ratings if task.best == "lowest" else [-rating for rating in ratings])


def _as_list(name: str, rows: Sequence[Row], task: TaskSettings) -> Row:
    members = sorted(rows, key=lambda row: list_order(name, row.sample.id))
    label = list_label([row.sample.rating or 0.0 for row in members], task)
    images = tuple(image for row in members for image in row.sample.images)
    slices = tuple(_slices(members).items())
    first = replace(rows[0].sample, id=name, images=images, label=label, group=None, rating=None, slices=slices)
    return replace(rows[0], sample=first)


def _slices(members: Sequence[Row]) -> Mapping[str, str]:
    values = [dict(row.sample.slices) for row in members]
    return {name: text if all(row[name] == text for row in values) else MIXED for name, text in values[0].items()}


def _warnings(unordered: Sequence[str]) -> Iterator[str]:
    if unordered:
        have = "group has" if len(unordered) == 1 else "groups have"
        yield f"{len(unordered)} {have} one image or equal ranks alone, so no order: left out ({listed(unordered)})"
