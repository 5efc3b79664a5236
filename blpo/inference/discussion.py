"""Discussion of a panel (`panel.discussion`): where members differ, each reads the others' reasons and answers again.

One round, as in the first round of a debate (Du et al. 2023, "Improving Factuality and Reasoning in Language Models
through Multiagent Debate", arXiv 2305.14325). A member sees the others without their names.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from blpo.inference.answer_forms import AnswerForm
from blpo.inference.answers import MOST_REPEATED
from blpo.inference.judgement import Judgement
from blpo.inference.votes import Ballot
from blpo.models.messages import Message, assistant, user
from blpo.models.thinking import without_thinking
from blpo.prompts.delimiters import element, pair_element
from blpo.prompts.template import render
from state.verdict import Verdict

MOST_OF_A_REASON = 600
"""Characters of a reason that the others read."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A ballot with the answer that its judge gave alone."""

    ballot: Ballot
    alone: Judgement


def is_divided(spoken: Sequence[Spoken]) -> bool:
    """Return True if the members with an answer differ in label or status. Errors are no answers."""
    verdicts = [each.alone.verdict for each in spoken if each.alone.verdict.status != "error"]
    return len({(verdict.status, verdict.label) for verdict in verdicts}) > 1


def talk_with(member: Spoken, spoken: Sequence[Spoken], form: AnswerForm) -> tuple[Message, ...]:
    """Return what follows the question to a member: its own answer, and the answers of the others.

    Empty for a member without an answer: it has nothing to reconsider.
    """
    if member.alone.verdict.status == "error" or not member.alone.replies:
        return ()
    own = without_thinking(member.alone.replies[-1].response.text)[:MOST_REPEATED] or "(no answer)"
    others = [each.alone.verdict for each in spoken if each is not member and each.alone.verdict.status != "error"]
    answers = "\n".join(_answer(verdict, form) for verdict in others)
    return assistant(own), user(render("discussion", answers=answers, answer_form=form.words))


def _answer(verdict: Verdict, form: AnswerForm) -> str:
    """Return an answer in the words that a judge answers with."""
    words = {label: text for text, label in form.task.label_by_answer.items()}
    label = "no answer" if verdict.label is None else words.get(verdict.label, str(verdict.label))
    reason = verdict.reason if verdict.status == "ok" else ""
    return element("judge", label) + pair_element("judge_reason", " ".join(reason.split())[:MOST_OF_A_REASON])
