"""Proposals of judge prompts for GEPA: by its own reflection prompt, or by the two messages of BLPO's update."""

from collections.abc import Mapping, Sequence
from typing import Any

from blpo.inference.consult import Advice, copies, too_long
from blpo.inference.failure_rate import failure_detail
from blpo.inference.open_run import OpenRun
from blpo.models.catalogue import facts
from blpo.models.messages import Message, Part, user
from blpo.models.sentences import sentence
from blpo.models.thinking import without_thinking
from blpo.prompts.cases import Case
from evals.methods.no_image import update_by_reasons
from evals.methods.writing import with_images
from state.errors import TooManyFailures
from state.response import Failure
from state.sample import EncodedImage, Sample
from state.verdict import Verdict

_OF_THE_QUESTION = ("too_long", "too_large", "rejected")
"""Failures that belong to a question. Other failures are the server's."""

ReflectiveRecord = Mapping[str, Any]
"""One sample of a minibatch as GEPA's reflection prompt shows it; `id` and `right` are for BLPO's update."""


async def reflective_records(run: OpenRun, pairs: Sequence[tuple[Sample, Verdict]]) -> list[ReflectiveRecord]:
    """Return the records of a minibatch with labels, verdicts, reasons and texts, and images if the optimizer sees."""
    rows = [Case(sample, verdict) for sample, verdict in pairs]
    images: list[list[Part]] = [[] for _ in rows]
    if facts(run.settings.models.of("optimizer")).sees_images.value:
        images = [(await with_images(run, [row]))[0] for row in rows]
    return [_record(row, parts) for row, parts in zip(rows, images, strict=True)]


def _record(row: Case, images: Sequence[Part]) -> ReflectiveRecord:
    verdict, sample = row.verdict, row.sample
    answer = str(verdict.label) if verdict.status == "ok" else f"({verdict.status})"
    feedback = "The answer is right." if row.right else f"The answer is wrong. People say: {sample.label}"
    return {
        "id": sample.id,
        "right": row.right,
        "images": images,
        "Inputs": {"text": sample.text} if sample.text else {},
        "Generated Outputs": {"label": answer, "reason": verdict.reason},
        "Feedback": feedback,
    }


async def own_reflection(run: OpenRun, judge_prompt: str, records: Sequence[ReflectiveRecord]) -> Advice:
    """Ask by GEPA's own prompt, and read the reply by GEPA's own rule."""
    from gepa.strategies.instruction_proposal import InstructionProposalSignature as Signature

    examples, images = _examples(records)
    content = {"current_instruction_doc": judge_prompt, "dataset_with_feedback": examples, "prompt_template": None}
    response = await run.caller.ask("optimizer", [_message(Signature.prompt_renderer(content), images)])
    if isinstance(response, Failure):
        detail = failure_detail(response, "optimizer")
        if response.kind in _OF_THE_QUESTION:
            return Advice(None, f"the server refused the question: {detail}")
        raise TooManyFailures(f"the optimizer did not answer: {sentence(detail)} Resume when the server is well")
    if response.refused:
        return Advice(None, "the optimizer refused")
    text = Signature.output_extractor(without_thinking(response.text).strip())["new_instruction"].strip()
    sources = [value for record in records for value in _texts(record)]
    most = run.settings.search.max_prompt_tokens
    problem = "the reply is empty" if not text else too_long(text, most) or copies(text, sources)
    return Advice(None, problem) if problem else Advice(text, None)


async def blpo_update(run: OpenRun, judge_prompt: str, records: Sequence[ReflectiveRecord]) -> Advice:
    """Critique and rewrite the prompt as in BLPO's update, but without descriptions."""
    wrong = [record["id"] for record in records if not record["right"]]
    right = [record["id"] for record in records if record["right"]]
    return await update_by_reasons(run, judge_prompt, wrong, right)


def _examples(records: Sequence[ReflectiveRecord]) -> tuple[list[dict[str, Any]], dict[str, EncodedImage]]:
    """Return the records as GEPA shows them, and their images by data URL."""
    from gepa.image import Image

    images: dict[str, EncodedImage] = {}
    examples = []
    for record in records:
        own = [part for part in record["images"] if isinstance(part, EncodedImage)]
        images |= {image.data_url: image for image in own}
        numbered = {f"image {number}": Image(url=image.data_url) for number, image in enumerate(own, start=1)}
        visible = {name: record[name] for name in ("Generated Outputs", "Feedback")}
        examples.append({"Inputs": {**record["Inputs"], **numbered}, **visible})
    return examples, images


def _message(prompt: str | list[dict[str, Any]], images: Mapping[str, EncodedImage]) -> Message:
    """Return GEPA's prompt, a text or a multimodal message, as a message of ours."""
    if isinstance(prompt, str):
        return user(prompt)
    parts = [
        part["text"] if part["type"] == "text" else images[part["image_url"]["url"]]
        for message in prompt
        for part in message["content"]
    ]
    return user(*parts)


def _texts(record: ReflectiveRecord) -> list[str]:
    """Return the texts of a record that no prompt may copy."""
    return [text for text in (record["Inputs"].get("text"), record["Generated Outputs"]["reason"]) if text]
