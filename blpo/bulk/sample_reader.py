"""Samples of a judge in batches of rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from blpo.data.column_proposal import PAIR_COLUMNS, PAIR_TEXT_COLUMNS, image_columns
from blpo.data.columns import require_column
from blpo.data.tables import Table
from blpo.deployment.inputs import several_refused
from blpo.deployment.judge import Judge, in_task
from blpo.deployment.table_input import InputColumns, TableInput
from blpo.deployment.task_inputs import TasksInput
from blpo.deployment.task_judging import JudgingOptions, TaskJudging
from state.errors import ConfigError
from state.sample import Sample

_USUAL = ("id", "text", "question", "label", *PAIR_COLUMNS, *PAIR_TEXT_COLUMNS)


class SampleReader:
    """Reader of the samples in tables with the same columns, by `columns` as in `blpo judge`.

    Raises `ConfigError` for rankings, whose lists are spread over rows, and for a judge whose task is not known.
    """

    def __init__(self, judge: Judge, columns: InputColumns) -> None:
        options = JudgingOptions(columns=columns)
        self._works = {name: TaskJudging(judge, name, (), options) for name in judge.require_tasks()}
        self.images: tuple[str, ...] = columns.images
        """Columns of images; empty before the first table, where `columns` name none."""
        if any(work.file.task.kind == "ranking" for work in self._works.values()):
            raise ConfigError("a judge of rankings needs whole lists, and batches divide lists; leave out --engine")

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks of every row: "" for a single task."""
        return tuple(self._works)

    @property
    def ignored_labels(self) -> int:
        """Labels so far that are no labels of the judge; they count as no label."""
        return sum(work.labels.ignored for work in self._works.values())

    def columns_in(self, table: Table) -> list[str]:
        """Return the columns of a table that samples are read from; raises `DataError` for a missing column."""
        work = next(iter(self._works.values()))
        columns = work.columns
        texts = columns.text if isinstance(columns.text, tuple) else (columns.text,)
        named = [
            *self._images_of(table),
            *texts,
            columns.id,
            columns.label,
            columns.reference,
            columns.reference_text,
            columns.before,
        ]
        for name in filter(None, named):
            require_column(table, name, "image")
        usual = (*_USUAL, *columns.further, *(each.columns.usual_label for each in self._works.values()))
        names = {*named, *usual}
        return [name for name in table.columns if name in names]

    def samples(self, table: Table) -> Iterator[Sample]:
        """Yield the samples of all rows in order, without groups; of several tasks, those of a row one after another.

        Raises `DataError` for missing columns, and `ConfigError` for images that the judge does not label together.
        """
        images = self._images_of(table)
        inputs = {
            name: TableInput.of(table, replace(work.columns, images=images), work.labels)
            for name, work in self._works.items()
        }
        source = inputs[""] if "" in inputs else TasksInput(inputs)
        for sample in source.samples():
            file = self._works[sample.task].file
            if file.images == 1 and file.task.kind in ("ordinal", "categorical") and len(sample.images) > 1:
                raise several_refused(sample.id, len(sample.images))
            yield replace(sample, group=None)

    def _images_of(self, table: Table) -> tuple[str, ...]:
        """Return the columns of images; the first table decides for all, because values of a few rows may mislead."""
        if not self.images:
            is_several = next(iter(self._works.values())).columns.several
            self.images = image_columns(table, several=is_several) or ("image",)
        return self.images

    def of_item(self, sample: Sample) -> Sequence[Sample]:
        """Return a sample under every task."""
        return [in_task(sample, name) for name in self._works]
