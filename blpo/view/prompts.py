"""History of p and q by round, as differences, and a fork from a round with edited prompts."""

from itertools import pairwise

from starlette.responses import Response

from blpo.inference.initial_prompts import prompt_problem
from blpo.metrics.readings import strict_reading
from blpo.reports.differences import word_diff
from blpo.runs.run_record import RunRecord
from blpo.view.calls import Call, go
from blpo.view.pages import Frame, site_page
from blpo.view.run_control import new_run, run_address
from state.errors import ConfigError, RunError

_MOST_ROUNDS = 1000


def prompts_page(call: Call) -> str:
    """Return the prompts of all rounds, each beside the round before, or one round beside another."""
    path = call.site.run(call.path["run"])
    record = RunRecord.read(path)
    rounds = record.rounds
    if not rounds:
        raise RunError(f"{path.name} has no judged round yet")
    last = len(rounds) - 1
    result = record.result_or_none
    selected = result["best_round"] if result and result["rounds"] else last
    old, new = min(call.number("from"), last), min(call.number("to", selected), last)
    base = min(call.number("base", new), last)
    metric = record.settings.search.metric
    return site_page(
        "prompts.html",
        Frame(call.site, "runs", call.site.runs.run(path), "prompts"),
        rounds=rounds,
        values=[strict_reading(past.record["validation"], metric) for past in rounds],
        metric=metric,
        selected=selected,
        old=old,
        new=new,
        base=base,
        judge=word_diff(rounds[old].judge_prompt, rounds[new].judge_prompt),
        i2t=word_diff(rounds[old].i2t_prompt, rounds[new].i2t_prompt),
        changes=[
            (True, True),
            *((a.judge_prompt != b.judge_prompt, a.i2t_prompt != b.i2t_prompt) for a, b in pairwise(rounds)),
        ],
        settings=record.settings,
        can_fork=record.info.method == "blpo",
    )


def fork_run(call: Call) -> Response:
    """Begin a fork; raises `ConfigError` for an unusable prompt, name or number of rounds."""
    site = call.site
    path = site.run(call.path["run"])
    record = RunRecord.read(path)
    number = _number("the round", call.field("round"), len(record.rounds) - 1)
    rounds = _number("rounds", call.field("rounds") or str(record.settings.search.outer_rounds), _MOST_ROUNDS)
    target = new_run(site.home, call.field("name").strip())
    past = record.rounds[number]
    options: list[str] = []
    for prompt, old in (("judge", past.judge_prompt), ("i2t", past.i2t_prompt)):
        text = call.field(prompt).strip()
        if text == old.strip():
            continue
        problem = prompt_problem(text, record.settings.search.max_prompt_tokens)
        if problem:
            raise ConfigError(f"the {prompt} prompt can't be used: {problem}")
        options += [f"--{prompt}-prompt", str(site.processes.write(f"{target.name}.{prompt}.md", text))]
    if rounds != record.settings.search.outer_rounds:
        options += ["--set", f"search.outer_rounds={rounds}"]
    arguments = ["fork", str(path), "--round", str(number), "--run-dir", str(target), *options]
    site.processes.begin(target.name, arguments)
    return go(run_address(target.name))


def _number(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) <= most):
        raise ConfigError(f"{name}: {text!r} is no number from 0 to {most}")
    return int(text)
