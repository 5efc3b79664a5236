"""Catalogue of what servers say: error replies in the forms of many vendors, in invented words."""

import json

from tests.servers.faults import Fault


def says(status: int, content: object, kind: str = "application/json") -> Fault:
    """Return the fault of a reply with this content: a text as it stands, anything else as JSON."""
    return Fault(status=status, text=content if isinstance(content, str) else json.dumps(content), kind=kind)


def completion(**choice: object) -> dict[str, object]:
    """Return a completion without text, with further fields of the choice."""
    return {"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, **choice}]}


_FILTERED = {"hate": {"filtered": False}, "violence": {"filtered": True, "severity": "high"}}

REFUSALS = {
    "code": says(400, {"error": {"message": "no", "code": "content_filter"}}),
    "type": says(400, {"error": {"type": "content_filter", "message": "The request seems to be high risk"}}),
    "inner code": says(400, {"error": {"message": "no", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
    "filter results": says(400, {"error": {"message": "no", "innererror": {"content_filter_result": _FILTERED}}}),
    "inspection": says(400, {"error": {"message": "<400> Inspection", "code": "data_inspection_failed"}}),
    "moderation": says(403, {"error": {"code": 403, "message": "This model requires moderation; flagged: violence"}}),
    "flagged": says(403, {"error": {"message": "Your input was flagged", "metadata": {"flagged_input": "a photo"}}}),
    "numbers": says(400, {"error": {"code": "1301", "message": "?"}, "contentFilter": [{"role": "user", "level": 1}]}),
    "another language": says(400, {"error": {"message": "输入内容包含敏感信息"}}),
    "a list": says(400, [{"error": {"status": "PROHIBITED_CONTENT", "message": "blocked"}}]),
    "a text": says(400, "Rejected by our safety system", "text/plain"),
    "legal": says(451, {"detail": "The image violates our usage policies"}),
    "a completion in an error": says(400, completion(finish_reason="content_filter")),
    "an error in a completion": says(200, completion(error={"code": 403, "message": "Your image was flagged"})),
    "an error in a reply": says(200, {"error": {"code": "content_policy_violation", "message": "no"}}),
    "no candidates": says(200, {"choices": [], "prompt_feedback": {"block_reason": "SAFETY"}}),
    "base response": says(200, {"choices": None, "base_resp": {"status_code": 1026, "status_msg": "new_sensitive"}}),
    "SAFETY": says(200, completion(finish_reason="SAFETY")),
    "sensitive": says(200, completion(finish_reason="sensitive")),
    "no message": says(200, {"choices": [{"index": 0, "finish_reason": "content_filter: PROHIBITED_CONTENT"}]}),
    "message of null": says(200, {"choices": [{"message": None, "finish_reason": "SAFETY"}]}),
    "underscores": says(400, {"error": {"code": "9", "message": "user_input_unsafe"}}),
    "guardrail": says(200, completion(finish_reason="guardrail_intervened")),
}
"""Replies of content filters and moderation."""

BROKEN = {
    "choice": says(200, completion(finish_reason="stop", error={"code": 502, "message": "upstream lost"})),
    "finish": says(200, completion(finish_reason="error")),
    "system": says(200, completion(finish_reason="insufficient_system_resource")),
    "top": says(200, {"error": {"code": 400, "message": "upstream lost"}}),
    "top text": says(200, {"error": "upstream lost"}),
    "object": says(200, {"object": "error", "message": "upstream lost", "code": 503}),
}
"""Failures inside a reply with status 200."""

UNREADABLE = {
    "page": says(200, "<html><body>Please sign in, KEY</body></html>", "text/html"),
    "stream": says(200, 'data: {"choices": [{"delta": {"content": "KEY"}}]}\n\ndata: [DONE]\n\n', "text/event-stream"),
    "text": says(200, "try KEY later", "text/plain"),
    "number": says(200, "17"),
}
"""Replies with status 200 that are no completions."""

BODIES = {
    "list": (says(400, [{"error": {"code": 400, "message": "Bad argument seven"}}]), "Bad argument seven"),
    "errors": (says(400, {"errors": [{"message": "image one is broken"}]}), "image one is broken"),
    "text": (says(400, "image too small: 28 is the least", "text/plain"), "image too small: 28 is the least"),
    "page": (says(400, "<html>Bad\n gateway</html>", "text/html"), "<html>Bad gateway</html>"),
    "detail": (says(422, {"detail": "no image in sight"}), "no image in sight"),
    "unknown form": (says(400, {"oops": {"why": "seven"}}), '{"oops": {"why": "seven"}}'),
    "stream": (says(400, 'data: {"oops": 1}\n\n', "text/event-stream"), 'data: {"oops": 1}'),
    "long": (says(400, "x" * 900, "text/plain"), "x" * 199 + "…"),
    "key": (says(400, "y" * 190 + " KEY", "text/plain"), "***"),
}
"""Bodies of errors, and words of the failure."""

SCHEMA_REFUSALS = {
    "grammar": says(400, {"error": {"code": 400, "message": "Failed to parse grammar"}}),
    "words never seen": says(400, {"error": {"message": "TYPE_STRING expected at properties[1]"}}),
    "no words": says(422, ""),
    "not implemented": says(501, {"error": {"message": "json_schema is not implemented"}}),
    "route": says(404, {"error": {"message": "No endpoint supports response_format"}}),
    "in a reply": says(200, {"error": {"code": 400, "message": "response_format is not supported"}}),
}
"""Refusals of a schema."""

FEW_IMAGES = {
    "number": says(400, {"object": "error", "message": "At most 1 image(s) may be sent in one request.", "code": 400}),
    "option": says(400, {"error": {"message": "You set image=1 in `--limit-mm-per-prompt`, but passed 2 items"}}),
    "single": says(400, {"error": "this model only supports a single image per message"}),
    "too many": says(422, {"detail": "Too many images in the prompt"}),
    "several": says(400, {"error": {"message": "Multiple images are not supported"}}),
}
"""Refusals of a request with several images."""

UNKNOWN_PARAMETERS = {
    "place": says(
        422, {"detail": [{"loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"}]}
    ),
    "words": says(400, {"error": {"message": "Unsupported parameter: 'max_completion_tokens' is not known here"}}),
    "param": says(400, {"error": {"message": "no", "param": "max_completion_tokens"}}),
}
"""Refusals of the parameter max_completion_tokens."""
