"""The audited judge: answers changed questions from its store, else from its model."""

from dataclasses import dataclass, field

from blpo.audit.probe import Question
from blpo.inference.judgement import Judgement
from blpo.inference.open_models import OpenModels
from blpo.inference.verdicts import judgement_of
from blpo.runs.judge_file import JudgeFile
from state.errors import DataError
from state.verdict import Verdict


@dataclass
class AskedJudge:
    """A judge over open models."""

    file: JudgeFile
    models: OpenModels
    versions: set[str] = field(default_factory=set)
    """Versions of the model, as far as told."""

    async def ask(self, question: Question) -> Verdict:
        """Return the verdict, an `error` for an image that can't be read; raises `BudgetSpent`."""
        sample = question.sample
        try:
            prompt = question.judge_prompt or self.file.judge_prompt
            judgement = await judgement_of(self.models, prompt, sample, question.repeat)
        except DataError as error:
            judgement = Judgement(Verdict(sample.id, "error", None, str(error)), ())
        replies = [reply.response for reply in judgement.replies]
        self.versions.update(reply.model_version for reply in replies if reply.model_version)
        return judgement.verdict

    async def calls(self) -> int:
        """Return the judge calls in the store, over all resumes."""
        return (await self.models.caller.usage())["judge"]["issued"]
