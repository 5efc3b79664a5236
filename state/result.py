"""Content of result.json (format 1), also the output of the graph."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict  # not typing's, which pydantic can't check before Python 3.12

from state.approval import Decision, Question

FORMAT = 1

RunStatus = Literal["complete", "budget", "interrupted", "failed"]
StopReason = Literal["rounds", "no_errors", "patience", "budget"]
"""rounds: T rounds are done. no_errors: no wrong verdict is left in the train split. patience: no round of the
last `patience` rounds has gained. budget: the budget pays for no more."""


class Agreement(TypedDict):
    """Agreement of predicted labels with human labels, over n samples. None: the value is undefined."""

    accuracy: NotRequired[float | None]
    """Absent for rankings, as the next four."""
    balanced_accuracy: NotRequired[float | None]
    macro_f1: NotRequired[float | None]
    kappa: NotRequired[float | None]
    majority_baseline: NotRequired[float | None]
    mcc: NotRequired[float | None]
    """Matthews' correlation; absent in older runs, as all fields below but the first two of ratings."""
    mae: NotRequired[float | None]
    quadratic_kappa: NotRequired[float | None]
    spearman: NotRequired[float | None]
    kendall_tau_b: NotRequired[float | None]
    pearson: NotRequired[float | None]
    consistent_accuracy: NotRequired[float | None]
    """Share of pairs that are right in both orders. For pairs all metrics above count answers: two for a pair."""
    consistency: NotRequired[float | None]
    """Share of pairs with the same label in both orders."""
    first_rate: NotRequired[float | None]
    """Share of "first" among the answers "first" and "second" about pairs: 0.5 without a lean to a position. The two
    readings are equal: a failure is neither answer."""
    ties: NotRequired[float | None]
    """Share of "tie" among the answers about pairs; absent without `task.ties`. The two readings are equal."""
    ndcg: NotRequired[float | None]
    """Normalised discounted cumulative gain. A ranking has `kendall_tau_b`, `ndcg` and `top_1` alone, as means over
    the lists."""
    top_1: NotRequired[float | None]
    """Share of rankings with a best image of people in the first place."""
    above_chance: NotRequired[float | None]
    """Mean over tasks of (value - chance) / (1 - chance), by each task's own metric; alone, for several tasks."""
    f1: NotRequired[dict[str, float | None]]
    """F1 by label, `task.positive` first. Absent for tasks of more than 20 labels, as the next three."""
    recall: NotRequired[dict[str, float | None]]
    precision: NotRequired[dict[str, float | None]]
    specificity: NotRequired[dict[str, float | None]]
    """Recall of all other labels: the share of samples without the label that are judged so."""
    undefined: NotRequired[dict[str, str]]
    """Reason for every None, by the metric's name (`spearman`, `recall.unsafe`); absent without a None."""


class Guessing(TypedDict):
    """Search metric of answers by chance, in expectation; None if undefined."""

    uniform: float | None
    """Every label of the task is equally likely; every order of a ranking."""
    shares: float | None
    """A label is as likely as it is frequent among the human labels."""


class TaskReading(TypedDict):
    """Agreement on one of several tasks, in the stricter reading."""

    n: int
    """Judged samples, errors included."""
    coverage: float
    """Share of answered samples in n."""
    metric: str
    value: float | None
    """None if undefined."""
    chance: float
    """Metric of uniform guessing."""


class Metrics(Agreement):
    """Agreement over the answered samples, and in the stricter reading."""

    n: int
    """Judged samples, errors (network, server, quota) included."""
    coverage: float
    """Share of answered samples in n."""
    strict: Agreement
    """Stricter reading: unparseable and refused count as wrong, errors are left out. This reading selects prompts."""
    first_rate_ci95: NotRequired[list[float] | None]
    """95 % interval [low, high] of `first_rate`, by groups; None for less than two groups with an answer. Absent for
    other tasks than pairs."""
    guessing: NotRequired[Guessing]
    """Search metric of guessing on the samples of the stricter reading. Absent in older runs."""
    by_task: NotRequired[dict[str, TaskReading]]
    """Agreement by task; absent for a single task."""


class SplitMetrics(TypedDict):
    """Metrics of p_0 and of the selected prompt on a split."""

    initial: Metrics
    best: Metrics
    groups: NotRequired[int]
    """Number of groups in the test split. The paired test swaps whole groups.

    Absent on validation, and if every sample is a group of its own.
    """


class BeyondGuessing(TypedDict):
    """Agreement of the selected prompt beyond guessing. Guessing has a kappa of 0, and a Kendall's tau-b of 0."""

    metric: Literal["kappa", "quadratic_kappa", "kendall_tau_b", "above_chance"]
    """quadratic_kappa for ratings, kendall_tau_b for rankings, above_chance for several tasks."""
    value: float | None
    """The metric in the stricter reading; None if undefined."""
    ci95: list[float]
    """Bootstrap interval [low, high]. The prompt is better than guessing if the interval lies above 0."""


class SliceMetrics(Metrics):
    """Metrics of the selected prompt on the test samples with one value of a column.

    The metrics of single labels are those of `task.positive` alone.
    """

    initial: float | None
    """Search metric under p_0, failures as wrong."""
    best: float | None
    """Search metric under the selected prompt, failures as wrong."""
    ci95: list[float] | None
    """Bootstrap interval [low, high] of `best`. None if `best` is undefined, for a single group, and if all resamples
    are equal, as in a slice without a right verdict."""
    difference_ci95: list[float] | None
    """Bootstrap interval [low, high] of best - initial; None if `best` is undefined, and for a single group."""
    fixed: int
    """Samples that were wrong and are right."""
    broken: int
    """Samples that were right and are wrong."""


class JudgeValues(TypedDict):
    """Search metric of the judge against the references of the raters; None if undefined."""

    initial: float | None
    best: float | None


class HumanCeiling(TypedDict):
    """Agreement of one rater with the other raters on the test split, and of the judge with the same references."""

    value: float | None
    """Search metric of one rater: the mean over raters. None if undefined."""
    ci95: list[float] | None
    """Bootstrap interval [low, high] of `value`, over groups of samples and raters; None if undefined."""
    raters: int
    alpha: float | None
    """Krippendorff's alpha of the raters on the test split: ordinal for ratings, nominal for categories."""
    judge: JudgeValues
    difference_ci95: list[float] | None
    """Bootstrap interval [low, high] of judge.best - value."""
    samples: int
    """Samples with the ratings of two people or more, without an `error`."""
    ties: int
    """References with a tie of the other raters, broken by the seed."""
    pooled: bool
    """True if too few raters have ten ratings: all ratings then count as those of one rater."""
    left_out: int
    """Raters with fewer than ten ratings, unless `pooled`."""
    undefined: NotRequired[str]
    """Reason for a missing value."""


class TaskTest(TypedDict):
    """Paired test on one of several tasks, with failures as wrong. The fields are those of `TestMetrics`."""

    n: int
    coverage: float
    metric: str
    initial: float | None
    """The metric under p_0; None if undefined."""
    best: float | None
    """The metric under the selected prompt."""
    chance: float
    """Metric of uniform guessing."""
    p_value: float
    difference_ci95: list[float]
    beyond_guessing: BeyondGuessing
    strict: Agreement
    """All metrics of the task under the selected prompt."""
    positive: NotRequired[str]
    """`task.positive` of the task; absent without one."""


class AggregateValues(TypedDict):
    """Agreement of the judge's shares of a checklist with people's shares."""

    mae: float | None
    """Mean absolute error of the share, in [0, 1]; lower is better. None without an item."""
    spearman: float | None
    """None if all shares of one side are equal."""


class AggregateResult(TypedDict):
    """Agreement on the aggregate of a checklist, over the items with an answer to each criterion."""

    n: int
    """Items."""
    initial: AggregateValues
    best: AggregateValues


class CriteriaAgreement(TypedDict):
    """Agreement about pairs under several criteria at once: see `blpo.metrics.criteria_conflicts`."""

    pairs: int
    """Pairs, each with all its criteria."""
    all_right: float | None
    """Share of pairs that are right by every criterion; None without a pair."""
    divided_pairs: int
    """Pairs with a conflict: people prefer one side by a criterion, and the other side by another."""
    trade_off_sensitivity: float | None
    """Share of such pairs for which the judge prefers different sides by two criteria in conflict."""
    conflicts: int
    """Every two criteria in conflict, over all pairs."""
    conflict_match: float | None
    """Share of conflicts with both criteria right."""


class CriteriaTest(TypedDict):
    """Agreement of p_0 and of the selected prompt about pairs under several criteria."""

    initial: CriteriaAgreement
    best: CriteriaAgreement


CorrelationMeasure = Literal["phi", "spearman", "kappa"]


class CriteriaCorrelation(TypedDict):
    """Correlation of two criteria over the test images with an answer about both under both prompts.

    None: undefined, as for a single label.
    """

    criteria: list[str]
    """The two names."""
    measure: CorrelationMeasure
    n: int
    """Number of images."""
    people: float | None
    """Correlation of the human labels, in [-1, 1]."""
    initial: float | None
    """Correlation of the judge's answers under p_0."""
    best: float | None
    """Correlation of the judge's answers under the selected prompt."""


class PanelMember(TypedDict):
    """A member of a panel alone, under the selected prompt."""

    member: str
    validation: float | None
    """Search metric on validation, with failures as wrong; None if undefined."""
    test: float | None


class PanelTest(TypedDict):
    """A panel beside its best member on the test split, under the selected prompt.

    A sample with an `error` of either is left out of the comparison.
    """

    alpha: float | None
    """Krippendorff's alpha between all answers; None if undefined."""
    members: list[PanelMember]
    best_member: str
    """Best member on validation; the first of equal ones."""
    panel: float | None
    """Search metric of the panel, with failures as wrong; None if undefined."""
    difference: float
    """Search metric of the panel - of its best member. An undefined value counts as 0."""
    difference_ci95: list[float]
    """Bootstrap interval [low, high] of `difference`."""
    p_value: float
    """Two-sided paired permutation test on the search metric."""


class TestMetrics(SplitMetrics):
    """Metrics of p_0 and of the selected prompt on the test split, with a paired test.

    All numbers are over the same samples. A sample with an `error` under either prompt is left out. Refused and
    unparseable verdicts count as wrong in `strict`, in the test and in the interval.
    """

    p_value: float
    """Two-sided paired permutation test on the search metric."""
    difference_ci95: list[float]
    """Bootstrap interval [low, high] of metric(best) - metric(initial)."""
    left_out: NotRequired[int]
    """Samples with an `error` under either prompt.

    Absent in older runs. There, test and interval are over the samples answered under both prompts.
    """
    beyond_guessing: NotRequired[BeyondGuessing]
    """Absent in older runs."""
    by_task: NotRequired[dict[str, TaskTest]]
    """Test by task; absent for a single task."""
    correlations: NotRequired[list[CriteriaCorrelation]]
    """Correlations between criteria of the same images; absent for other runs."""
    aggregate: NotRequired[AggregateResult]
    """Agreement on the aggregate of a checklist; absent without `criteria_aggregate`."""
    criteria: NotRequired[CriteriaTest]
    """Agreement over all criteria of a pair; absent unless the run has several criteria of pairs."""
    human_ceiling: NotRequired[HumanCeiling]
    """Absent without the ratings of several people."""
    panel: NotRequired[PanelTest]
    """The panel beside its best member; absent for one judge."""
    slices: NotRequired[dict[str, dict[str, SliceMetrics]]]
    """Metrics by column of `data.slices` and value, the most frequent values first; the rest is one slice. Absent
    without `data.slices`."""


class TrialResult(TypedDict):
    """A trial of the inner loop."""

    i2t_prompt: str | None
    """q_k; None if the optimizer gave no usable prompt."""
    score: float | None
    """In [-1, 1], higher is better; None for a failed trial, and where trials are pooled."""


class GainResult(TypedDict):
    """Gain of a prompt over another on the same samples."""

    difference: float
    """Difference of the search metric, higher is better."""
    noise: float
    """Standard error of the difference."""


class RoundResult(TypedDict):
    """Record t: p_t, validation metrics, and the trials before p_{t+1}."""

    round: int
    judge_prompt: str
    i2t_prompt: str
    validation: Metrics
    labelled: NotRequired[Metrics]
    """Metrics on train and validation together, which select; absent where validation alone selects."""
    gain: NotRequired[GainResult]
    """Gain over the best prompt before, on train and validation; absent in round 0, and where validation selects."""
    errors: int
    """Size of I_B."""
    anchors: NotRequired[int]
    """Rightly judged samples of the batch, where trials are pooled."""
    trials: list[TrialResult]
    fallen: NotRequired[list[str]]
    """Tasks that fell by more than `search.floor`, so that the prompt was not adopted; absent without one."""
    failure: NotRequired[str]
    """Reason of a failed update from pooled trials."""
    decisions: NotRequired[list[Decision]]
    """People's decisions about the new prompts; absent if nobody was asked."""


class RoleUsage(TypedDict):
    """Calls and tokens of a role, cumulative over resumes."""

    issued: int
    cached: int
    failed: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    """None if the model's price is not known."""
    cached_tokens: NotRequired[int]
    """Part of `input_tokens` from the prefix cache of the server, as far as the server tells; absent in older runs."""


class Fork(TypedDict):
    """Origin of a fork: the round of a run."""

    run: str
    """Directory of the other run at the time of the fork."""
    thread_id: str
    round: int
    """First own round; earlier rounds belong to the other run."""
    changed: list[str]
    """Differences: names of new prompts, and settings as `key=value`."""


class CorrectedLabels(TypedDict):
    """Version of a dataset with labels that people corrected after a look at a judge's verdicts."""

    file: str
    sha256: str
    train: int
    """Number of corrected labels in the train split."""
    validation: int
    test: int
    """Number of corrected labels in the test split. Above 0, the test split is no longer untouched."""


class Lineage(TypedDict, total=False):
    """Origin of a run and of the labels."""

    fork: Fork
    labels: CorrectedLabels


class Result(TypedDict):
    """result.json."""

    format: int
    status: RunStatus
    stop_reason: str
    metric: str
    """Search metric: METRIC or METRIC.LABEL."""
    validation: SplitMetrics | None
    labelled: NotRequired[SplitMetrics]
    """Metrics on train and validation together, which select: the figure of the best prompt is optimistic. Absent where
    validation alone selects."""
    test: TestMetrics | None
    """None if the budget did not suffice for the test."""
    rounds: list[RoundResult]
    best_round: int
    calls: dict[str, RoleUsage]
    seconds: float
    positive: NotRequired[str]
    """`task.positive`; absent if not set."""
    question: NotRequired[Question]
    """Question that the run waits for (status `interrupted`)."""
    advice: NotRequired[str]
    """Advice for a run that more labels would help more than more calls: how many; absent otherwise."""
    spent: NotRequired[dict[str, int]]
    """Answered calls by purpose: `train_and_validation`, `descriptions`, `optimizer`, `test`, and `other` (batches of
    scored trials, repairs); absent in older runs, and before the end."""
    warnings: NotRequired[list[str]]
    """Sentences on what the numbers do not show; absent without a warning."""
    lineage: NotRequired[Lineage]
    """Absent if the run began at the beginning, with the first labels of people."""


def empty_result(metric: str) -> Result:
    """Return the result of a run without any known outcome."""
    return Result(
        format=FORMAT,
        status="failed",
        stop_reason="",
        metric=metric,
        validation=None,
        test=None,
        rounds=[],
        best_round=0,
        calls={},
        seconds=0.0,
    )
