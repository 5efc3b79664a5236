"""judge: f(x; p). The frozen judge labels images by a judge prompt; it always sees the image itself.

Outer loop (`judge`): adopt the candidate as p_t and judge the train and validation splits with it.
Inner loop (`judge_trial`): judge I_B with p' = J(q, p_t) and score q by how far the loss fell.
"""

from collections.abc import Awaitable, Callable, Sequence

from langgraph.runtime import Runtime

from metrics.agreement import metrics, value
from metrics.loss import score
from models.messages import Message, assistant, user
from models.response import Failure, Response, without_thinking
from models.verdict_format import label_form, parse_verdict, schema
from nodes.failures import check_failures, explained
from nodes.fan_out import fan_out
from nodes.progress import counter, report, uncounted
from nodes.question import question
from nodes.rounds import best_trial, closed_rounds
from nodes.session import Session, session_of
from nodes.start import initial_prompts
from prompts.template import render
from state.loops import InnerState, OuterState, RoundRecord, Trial
from state.sample import Label, Sample
from state.settings import Settings, TaskSettings
from state.verdict import Verdict

Ask = Callable[..., Awaitable[Response | Failure]]
"""`ModelCaller.ask`, or its `recall`."""

MOST_REPEATED = 2000
"""Characters of an unusable reply that its repair repeats."""


async def judge(state: OuterState, runtime: Runtime[Settings]) -> OuterState:
    """Adopt the candidate as p_t (p_0 at first; p_{t-1} where none was adopted) and judge train and validation."""
    async with session_of(runtime) as session:
        p_0, q_0 = initial_prompts(session.settings)
        rounds = await closed_rounds(state, session.store)
        t = len(rounds)
        p = state.get("candidate") or state.get("judge_prompt") or p_0
        q = state.get("i2t_prompt") or q_0
        report(runtime, "phase", {"round": t}, phase="judge", usage=await session.calls.usage())
        train, validation = session.split("train"), session.split("validation")
        samples = [*train, *validation]
        count = counter(runtime, {"round": t}, len(samples), session.budget)
        verdicts = await judge_samples(session, p, samples, count)
        measured = metrics(verdicts[len(train) :], [s.label for s in validation], session.settings.task)
        metric = session.settings.search.metric
        report(runtime, "judged", {"round": t}, metric=metric, validation=value(measured, metric))
        record = RoundRecord(
            round=t,
            judge_prompt_sha256=await session.store.put_text(p),
            i2t_prompt_sha256=await session.store.put_text(q),
            validation=measured,
            errors=[],
            anchors=[],
            trials=[],
        )
    return {
        "round": t,
        "judge_prompt": p,
        "i2t_prompt": q,
        "rounds": [*rounds, record],
        "errors": None,
        "anchors": [],
        "trials": [],
        "decisions": [],
        "critique": None,
        "candidate": None,
        "failure": None,
    }


async def judge_trial(state: InnerState, runtime: Runtime[Settings]) -> InnerState:
    """Judge I_B and the anchors with the trial's prompt, score the trial, and go back to the best q so far."""
    step = len(state.get("trials", []))
    async with session_of(runtime) as session:
        report(runtime, "phase", state, step=step, phase="judge", usage=await session.calls.usage())
        trial = await _scored(state, session)
    trials = [*state.get("trials", []), trial]
    report(runtime, "trial", state, step=step, **trial)
    return {"trials": trials, "i2t_prompt": best_trial(trials)["i2t_prompt"]}


async def judge_samples(
    session: Session, judge_prompt: str, samples: Sequence[Sample], count: Callable[[], None] = uncounted
) -> list[Verdict]:
    """f(x; p) for each sample, in order; raises `TooManyFailures` and `BudgetSpent`. `count` is called for each."""
    width = session.width("judge")
    verdicts = await fan_out(lambda sample: judge_sample(session, judge_prompt, sample), samples, width, count)
    check_failures("judge", verdicts, session.settings.limits)
    return verdicts


async def recalled_verdicts(session: Session, judge_prompt: str, samples: Sequence[Sample]) -> list[Verdict]:
    """The verdicts that the run has, in order; asks nothing: what was not answered is an `error`."""
    recall = session.calls.recall
    return await fan_out(lambda s: judge_sample(session, judge_prompt, s, recall), samples, session.width("judge"))


async def try_prompt(
    session: Session,
    judge_prompt: str,
    candidate: str | None,
    samples: Sequence[Sample],
    *,
    i2t_prompt: str | None = None,
    failure: str | None = None,
) -> Trial:
    """The trial of `candidate`: how far it lowers the loss on `samples` against `judge_prompt`.

    Without a candidate it is a failed trial, of this `failure`. Raises `TooManyFailures` and `BudgetSpent`.
    """
    if candidate is None:
        return Trial(i2t_prompt=i2t_prompt, judge_prompt=None, score=None, failure=failure)
    before = await judge_samples(session, judge_prompt, samples)
    after = await judge_samples(session, candidate, samples)
    result = score(before, after, [s.label for s in samples], session.settings.task)
    reason = None if result is not None else "no sample was judged under both prompts"
    return Trial(i2t_prompt=i2t_prompt, judge_prompt=candidate, score=result, failure=reason)


async def judge_sample(session: Session, judge_prompt: str, sample: Sample, ask: Ask | None = None) -> Verdict:
    """f(x; p) for one sample; a failure is a verdict with that status, never a label.

    A reply that holds no label of the task is repaired once: the judge is asked again, in the same conversation. A
    refusal is an answer, and is not argued with. `ask`: None for `session.calls.ask`.
    """
    ask = ask or session.calls.ask
    task = session.settings.task
    messages = await judge_messages(session, judge_prompt, sample)
    response = await ask("judge", messages, schema=schema(task))
    verdict = verdict_of(sample, response, task)
    needs_repair = verdict.status == "unparseable" and isinstance(response, Response)
    session.budget.judged(sample.id, repaired=needs_repair)
    if not needs_repair or isinstance(response, Failure):
        return verdict
    repair = repair_messages(messages, response, task)
    response = await ask("judge", repair, schema=schema(task))
    refuses_repairs = isinstance(response, Failure) and response.kind in ("too_long", "rejected")
    return verdict if refuses_repairs else verdict_of(sample, response, task)


async def judge_messages(session: Session, judge_prompt: str, sample: Sample) -> list[Message]:
    """What the judge is asked of `sample`."""
    model, form = session.settings.models.of("judge"), label_form(session.settings.task)
    return [await question(session, sample, model, "judge", judge_prompt=judge_prompt, label_form=form)]


def repair_messages(messages: Sequence[Message], response: Response, task: TaskSettings) -> list[Message]:
    """The conversation in which an unparseable `response` to `messages` is asked for again."""
    reply = without_thinking(response.text)[:MOST_REPEATED] or "(no answer)"  # servers refuse empty messages
    problem = f'it is no JSON object whose "label" is {label_form(task)}'
    return [*messages, assistant(reply), user(render("repair", problem=problem))]


def verdict_of(sample: Sample, response: Response | Failure, task: TaskSettings) -> Verdict:
    """The verdict that one reply gives."""
    if isinstance(response, Failure):
        return Verdict(sample.id, "error", None, explained(response, "judge"))
    if response.refused:
        return Verdict(sample.id, "refused", None, response.text)
    status, label, reason = parse_verdict(response.text, task)
    written: dict[str, Label] = {str(value): value for value in task.values}
    scores = tuple((written[name], probability) for name, probability in response.scores) if status == "ok" else ()
    return Verdict(sample.id, status, label, reason, scores)


async def _scored(state: InnerState, session: Session) -> Trial:
    samples = session.samples([*(state["errors"] or []), *state["anchors"]])
    p, q = state["judge_prompt"], state["i2t_prompt"]
    return await try_prompt(session, p, state["candidate"], samples, i2t_prompt=q, failure=state["failure"])
