"""Table of servers' words in errors, and their meaning.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

ErrorMeaning = Literal["account", "refused", "blind", "few_images", "schema", "too_long", "too_large", "quota", "image"]


@dataclass(frozen=True, slots=True)
class _Saying:
    """Row of the table: codes and words with the same meaning."""

    meaning: ErrorMeaning
    words: str
    codes: str = r"(?!)"
    """Pattern of codes in lower case, letters and digits alone."""
    statuses: tuple[int, ...] = ()
    """Statuses with this meaning, whatever the words."""


_SAYINGS = (
    _Saying(
        "account",
        r"\b(?:account|organi[sz]ation|project|api.?key|user (?:is|was|has been))\b.{0,60}\b(?:suspend|disabled"
        r"|deactivat|banned|blocked|terminated|flagged|inactive)"
        r"|\bapi.?key\b.{0,30}\b(?:not (?:valid|found)|invalid|expired|incorrect|missing|revoked|required)"
        r"|\b(?:invalid|incorrect|wrong|expired|missing|no valid)\b.{0,20}\b(?:api.?key|credential)"
        r"|\b(?:location|country|region|territory)\b.{0,20}\bnot (?:supported|available)",
        codes=r"(?:account|organization|user)(?:deactivated|suspended|disabled|blocked)|(?:invalid|expired)apikey"
        r"|apikey(?:invalid|expired)|unsupportedcountry.*",
    ),
    _Saying(
        "refused",
        r"content[-_ ]?(?:management|filter|moderation|safety|polic)|responsible ?ai|safety (?:system|filter|setting"
        r"|polic|reason|check|guideline|guardrail|classifier)|\bguard(?:rail|ian)?s?\b|moderation|\bmoderated\b"
        r"|high risk|\bnsfw\b|prohibited_content|prompt shield|\bcensor"
        r"|(?:input|output|prompt|content)_(?:\w+_)?(?:unsafe|sensitive|risk\w*|blocked)"
        r"|(?<!case.)\bsensitive (?:content|image|information|word|material)|new_sensitive|data.?inspection"
        r"|\b(?:input|prompt|image|picture|content|request|text|output|response|message|generation)s?\b.{0,60}"
        r"\b(?:flagged|inappropriate|unsafe|(?<!case.)sensitive|harmful|offensive|objectionable|prohibited content"
        r"|risky|blocked|not compliant|violence|sexual|nudity|illegal content)"
        r"|\bblocked (?:input|output|prompt|content|image|entity)"
        r"|\b(?:violat\w*|against|breach\w*)\b.{0,60}\b(?:polic(?:y|ies)|guidelines?|terms of (?:use|service))"
        r"|敏感|违规|违法|不安全|不合规|不当内容|风控|内容审核",
        codes=r".*(?:contentfilter|contentpolic|moderation|responsibleai|datainspection|policyviolation|contentviolation"
        r"|contentblocked|contentsafety|safetyviolation|prohibitedcontent|sensitive|inappropriate|guardrail|unsafe"
        r"|nsfw|flagged|riskcontrol|riskdetection|censor|imageillegal|illegalcontent|toxic).*|safety|imagesafety"
        r"|blocklist|blocked|spii|recitation|imagerecitation|refusal|1301|1026|1027",
        statuses=(451,),
    ),
    _Saying(
        "blind",
        r"image input is not supported|(?:not|n't) support (?:image|vision|multimodal)|support image input"
        r"|required for image input|not a (?:vision|multimodal)"
        r"|(?:image|vision|multimodal)(?: \w+)? (?:is|are) not supported"
        r"|(?:unknown variant|unsupported (?:content|part|type|message))\W.{0,40}image_url"
        r"|image_url\W.{0,40}(?:not|only) supported|content\W{0,2} (?:must|should) be a (?:valid )?string",
    ),
    _Saying(
        "few_images",
        r"\b(?:at most|only|maximum(?: of)?|up to|more than) (?:one|a single|\d+) images?\b"
        r"|limit[-_]mm[-_]per[-_]prompt|\b(?:single|one) image per|too many images"
        r"|multiple images are(?: not|n't) (?:supported|allowed)",
    ),
    _Saying(
        "schema",
        r"response_?(?:format|schema)|structured.?output|json.?(?:schema|mode|object)|guided|\bgrammar\b|constrain"
        r"|\benum\b|required for format|requested parameters",
    ),
    _Saying(
        "too_long",
        r"context_length_exceeded|context ?(?:window|size|length)|maximum model length"
        r"|(?:prompt|input)s?\b.{0,20}too long|input tokens? exceed|(?:input|prompt) token count\b.{0,30}exceed"
        r"|\b(?:input|prompt) length\b|\bmax(?:imum)? (?:input|prompt) (?:tokens|characters|length)"
        r"|input tokens?\b.{0,20}(?:can ?not|can't) exceed|larger than the model capacity|\bmax_seq_len\b"
        r"|inputs?\W? (?:tokens?\b.{0,30}must be|must have less)|reduce the length of the (?:messages|prompt|input)"
        r"|too many (?:input |prompt )?tokens|token length too long|exceed\w* .{0,20}token limit|超长",
        codes=r"contextlengthexceeded|contextwindowexceeded|exceedcontextsize.*|stringabovemaxlength"
        r"|tokenslimitreached|1261|1039",
    ),
    _Saying(
        "too_large",
        r"\b(?:image|payload|body|entity|file)s?\b.{0,80}?(?:too large|too big|exceed|larger than)",
        statuses=(413,),
    ),
    _Saying(
        "quota",
        r"insufficient.{0,12}(?:quota|balance|credit|fund)|exceeded your current quota|\bbilling\b|out of credits"
        r"|balance (?:is )?(?:too low|insufficient|not enough)|any credits|purchase credits|all available credits"
        r"|spending limit|good standing|余额|欠费",
        codes=r"insufficientquota|insufficientbalance|exceededcurrentquota.*|arrearage|billing.*|paymentrequired|1113",
        statuses=(402,),
    ),
    _Saying("image", r"\b(?:image|picture|pixel|photo|multimodal|media)s?(?:\b|_url)|base64|data.?url"),
)
"""The first fitting row is the meaning. Words never seen have no meaning: the status code decides."""

_PATTERNS = tuple(
    (saying, re.compile(saying.words, re.IGNORECASE | re.DOTALL), re.compile(saying.codes)) for saying in _SAYINGS
)
_NOT_BY_WORDS = (401, 404, 407, 408, 409, 429)
"""Statuses that no words turn into a refusal: key, address, proxy, and load."""


def meaning_of(status: int, codes: Collection[str], words: str) -> ErrorMeaning | None:
    """Return the meaning of an error by the table; None for words never seen."""
    for saying, pattern, code_pattern in _PATTERNS:
        by_code = any(code_pattern.fullmatch(code) for code in codes)
        by_words = pattern.search(words) is not None
        if saying.meaning == "refused" and (status in _NOT_BY_WORDS or status >= 500):
            by_words = False
        if saying.meaning == "refused" and status in (401, 407, 429):
            by_code = False
        if by_code or by_words or status in saying.statuses:
            return saying.meaning
    return None
