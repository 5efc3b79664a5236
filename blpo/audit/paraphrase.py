"""The judge prompt in other words, by the optimizer of the run."""

from blpo.inference.consult import consult, too_long
from blpo.inference.open_models import open_models
from blpo.prompts.cases import labels_of
from blpo.prompts.delimiters import neutralise, restored
from blpo.prompts.template import render
from blpo.runs.judge_file import JudgeFile
from blpo.runs.run_record import RunRecord
from state.errors import ConfigError


async def paraphrase(run: RunRecord, judge: JudgeFile) -> str:
    """Return the judge prompt in other words; raises `ConfigError` if the optimizer gives none."""
    max_tokens = run.settings.search.max_prompt_tokens
    question = render(
        "paraphrase",
        labels=labels_of(run.settings),
        judge_prompt=neutralise(judge.judge_prompt),
        max_prompt_tokens=str(max_tokens),
    )
    async with open_models(run.settings, run.directory / "audit_optimizer.sqlite") as models:
        answer = await consult(models, question, "judge_prompt", lambda text: too_long(text, max_tokens))
    if answer.text is None:
        raise ConfigError(f"probe paraphrase: {answer.problem}; leave it out with --probes")
    return restored(answer.text, judge.judge_prompt)
