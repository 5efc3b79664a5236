"""Evidence for a report from the dataset and the response store: images, captions, and the verdicts of each round.

The requests of the run are composed again, and the response store is searched for the answers. A run that has just
ended has its dataset and its last answers in memory. Nothing is sent, and nothing is written. Without the dataset there
is no evidence, and the report says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from blpo.data.dataset import Dataset
from blpo.data.run_dataset import dataset_of
from blpo.inference.descriptions import describe_sample
from blpo.inference.ended_runs import ended_run
from blpo.inference.fan_out import fan_out
from blpo.inference.open_models import OpenModels, open_recall
from blpo.inference.panel_weights import learns_weights, with_weights
from blpo.inference.recent_answers import NO_MEMORY
from blpo.inference.run_store import store_place
from blpo.inference.verdicts import judge_sample
from blpo.reports.label_source import is_sample
from blpo.runs.judge_file import read_judge_file
from blpo.runs.run_record import RunRecord
from blpo.runs.verdict_rows import VerdictRow
from state.errors import BlpoError, DataError
from state.sample import Example, Sample, SplitName
from state.settings import Settings

MOST_RECALLED = 2000
"""Maximum number of validation and train samples with verdicts by round, because each image must be read."""

_SEARCHED: tuple[SplitName, ...] = ("validation", "train")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence for a report; every field may be empty."""

    samples: Mapping[str, Sample] = field(default_factory=dict)
    captions: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Captions by (I2T prompt, sample id)."""
    verdicts: Mapping[tuple[str, str], VerdictRow] = field(default_factory=dict)
    """By (judge prompt, sample id)."""
    missing: str = ""
    """Reason for missing data and evidence; empty with a dataset."""
    forgotten: str = ""
    """Reason for missing captions and verdicts by round; empty if present."""


async def gather(run: RunRecord) -> Evidence:
    """Collect the evidence of a run."""
    place = store_place(run.settings, run.directory, run.info.thread_id)
    ended = ended_run(place)
    dataset, missing = (ended.dataset, "") if ended else _dataset(run)
    if dataset is None:
        return Evidence(missing=missing)
    samples, memory = dataset.by_id, ended.memory if ended else NO_MEMORY
    try:
        examples = tuple(map(Example, dataset.examples))
        async with open_recall(_settings(run), place, examples, memory) as models:
            captions = await _captions(models, samples, run)
            verdicts = await _verdicts(models, dataset, run)
    except BlpoError as error:  # no store, or unknown models: images remain
        return Evidence(samples, forgotten=str(error))
    return Evidence(samples, captions, verdicts)


def _settings(run: RunRecord) -> Settings:
    """Return the settings of the run, with the weights of a panel that the run has learned."""
    panel = read_judge_file(run.directory).panel if learns_weights(run.settings) else None
    return with_weights(run.settings, panel.weights) if panel and panel.weights else run.settings


def dataset_samples(run: RunRecord) -> tuple[Mapping[str, Sample], str]:
    """Return the run's samples by id and an empty reason, or no samples and the reason."""
    dataset, missing = _dataset(run)
    return (dataset.by_id if dataset else {}), missing


def _dataset(run: RunRecord) -> tuple[Dataset | None, str]:
    """Return the run's dataset and an empty reason, or None and the reason."""
    try:
        dataset = dataset_of(run.settings)
        if dataset.fingerprint != run.info.dataset:
            if is_sample(run.settings):
                return None, "the run used another version of the built-in sample"
            return None, "the dataset is not the one that the run used"
    except (BlpoError, OSError) as error:
        return None, str(error)
    return dataset, ""


async def _captions(models: OpenModels, samples: Mapping[str, Sample], run: RunRecord) -> dict[tuple[str, str], str]:
    pairs = dict.fromkeys(
        (trial.i2t_prompt, sample_id)
        for past in run.rounds
        for trial in past.trials
        for sample_id in past.batch
        if trial.i2t_prompt is not None and sample_id in samples
    )

    async def recalled(question: tuple[str, str]) -> str | None:
        try:
            described = await describe_sample(models, question[0], samples[question[1]])
        except DataError:
            return None
        return described.text if described.status == "ok" else None

    questions = list(pairs)
    captions = await fan_out(recalled, questions, models.width("verbalizer"))
    return {question: text for question, text in zip(questions, captions, strict=True) if text is not None}


async def _verdicts(models: OpenModels, dataset: Dataset, run: RunRecord) -> dict[tuple[str, str], VerdictRow]:
    """Return the verdicts of validation and train under the prompts of all rounds."""
    prompts = list(dict.fromkeys(record["judge_prompt"] for record in run.result["rounds"]))
    if len(prompts) < 2:
        return {}
    searched = [(split, sample) for split in _SEARCHED for sample in dataset.splits[split]][:MOST_RECALLED]

    async def recalled(one: tuple[SplitName, Sample]) -> Sequence[tuple[tuple[str, str], VerdictRow]]:
        return [((p, one[1].id), row) for p in prompts if (row := await _recalled(models, p, *one)) is not None]

    verdicts: Iterable[Sequence[tuple[tuple[str, str], VerdictRow]]]
    verdicts = await fan_out(recalled, searched, models.width("judge"))
    return dict(pair for pairs in verdicts for pair in pairs)


async def _recalled(models: OpenModels, prompt: str, split: SplitName, sample: Sample) -> VerdictRow | None:
    try:
        verdict = await judge_sample(models, prompt, sample)
    except DataError:
        return None
    if verdict.status == "error" or sample.label is None:
        return None
    row = VerdictRow(sample.id, sample.label, verdict.label, verdict.status, verdict.reason, split)
    return replace(row, orders=verdict.orders, task=sample.task)
