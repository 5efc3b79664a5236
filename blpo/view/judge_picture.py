"""Verdict of a run's judge on a new picture, and the verdicts that the prompts of all rounds would have given.

The judge asks its model as `blpo judge` does, and pays for each prompt. Nothing of the picture is kept.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from blpo.data.image_sources import file_sample
from blpo.deployment.judge import Judge, in_task, load_judge
from blpo.deployment.verdict_lines import JudgedSample
from blpo.runs.run_record import RunRecord
from blpo.view.calls import Call, failure, read_body
from blpo.view.pages import Frame, site_page
from blpo.view.site import Site
from state.errors import BlpoError, ConfigError, DataError
from state.sample import Sample

MOST_BYTES = 25_000_000
"""Bytes of the largest picture."""
_MOST_TEXT = 20_000


@dataclass(frozen=True)
class PromptVerdict:
    """Verdict under a prompt; of each criterion, if there are several."""

    name: str
    """`selected`, or the rounds of the prompt."""
    judged: tuple[JudgedSample, ...]


def judge_page(call: Call) -> str:
    """Return the page that takes a picture."""
    path = call.site.run(call.path["run"])
    frame = Frame(call.site, "runs", call.site.runs.run(path), "judge")
    judge = load_judge(path)
    try:
        _require_single_pictures(judge)
        problem = ""
    except ConfigError as error:
        problem = str(error)
    return site_page(
        "judge.html",
        frame,
        problem=problem,
        model=judge.file.models.judge_name,
        tasks=[] if judge.tasks else judge.file.task_names,
        prompts=len(_round_prompts(path)),
        most=MOST_BYTES // 1_000_000,
    )


def judging(site: Site) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that takes the bytes of a picture and returns the verdicts as a part of the page."""

    async def endpoint(request: Request) -> Response:
        try:
            path = await run_in_threadpool(site.run, request.path_params["run"])
            picture = await read_body(request, MOST_BYTES)
            query = request.query_params
            verdicts = await _verdicts(
                path, picture, query.get("text", "")[:_MOST_TEXT], query.get("task") or None, "rounds" in query
            )
        except (BlpoError, OSError) as error:
            return failure(site, error)
        return HTMLResponse(site_page("judged.html", Frame(site), verdicts=verdicts))

    return endpoint


async def _verdicts(path: Path, picture: bytes, text: str, task: str | None, of_rounds: bool) -> list[PromptVerdict]:
    judge = await run_in_threadpool(load_judge, path, task)
    _require_single_pictures(judge)
    names = judge.require_tasks()
    prompts = {"selected prompt": judge.file.judge_prompt}
    if of_rounds:
        prompts |= await run_in_threadpool(_round_prompts, path)
    if not picture:
        raise DataError("no picture was sent; choose a file")
    with TemporaryDirectory(prefix="blpo-picture-") as folder:
        file = Path(folder) / "picture"
        await run_in_threadpool(file.write_bytes, picture)
        sample = replace(file_sample(file), id="picture", text=text or None)
        return [await _verdict(judge, name, prompt, sample, names) for name, prompt in prompts.items()]


async def _verdict(judge: Judge, name: str, prompt: str, sample: Sample, tasks: tuple[str, ...]) -> PromptVerdict:
    own = Judge(judge.file.model_copy(update={"judge_prompt": prompt}), judge.run)
    async with own.open() as judging:
        items = [item async for item in judging.judged([in_task(sample, task) for task in tasks])]
    if name == "selected prompt" and all(item.verdict.status == "error" for item in items):
        raise DataError(items[0].verdict.reason.replace(str(sample.images[0].name), "the picture"))
    return PromptVerdict(name, tuple(items))


def _round_prompts(path: Path) -> dict[str, str]:
    """Return the distinct judge prompts of all rounds, under the rounds that had them."""
    rounds: dict[str, list[int]] = {}
    for number, past in enumerate(RunRecord.read(path).rounds):
        rounds.setdefault(past.judge_prompt, []).append(number)
    return {
        f"round {numbers[0]}" if len(numbers) == 1 else f"rounds {numbers[0]} to {numbers[-1]}": prompt
        for prompt, numbers in rounds.items()
    }


def _require_single_pictures(judge: Judge) -> None:
    file = judge.file
    scales = [file.of_task(name).task.kind for name in file.task_names] or [file.task.kind]
    images = [file.of_task(name).images for name in file.task_names] or [file.images]
    if any(kind in ("pairwise", "ranking") for kind in scales) or any((each or 1) > 1 for each in images):
        raise ConfigError("this judge looks at several images together; judge them with blpo judge")
