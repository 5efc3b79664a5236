"""Lasting errors of encrypted connections."""

import os
import ssl
from collections.abc import Iterator

from blpo.models.secret_masking import one_line
from blpo.models.sentences import sentence
from blpo.models.server_address import at_address
from state.errors import ModelError
from state.settings import ModelSettings


def refuse_certificate(error: BaseException, settings: ModelSettings) -> None:
    """Raise `ModelError` if the cause of the error is an untrusted certificate."""
    for cause in _causes(error):
        reason = getattr(cause, "verify_message", None)
        if isinstance(cause, ssl.SSLCertVerificationError) and reason:
            file = os.environ.get("SSL_CERT_FILE")
            missing = f" (SSL_CERT_FILE names {file}, which is no file)" if file and not os.path.isfile(file) else ""
            raise ModelError(
                f"{settings.name}: the certificate of the server{at_address(settings)} is not trusted:"
                f" {sentence(one_line(reason))} Set SSL_CERT_FILE to a PEM file with the certificate of"
                f" its authority{missing}"
            ) from error
        if isinstance(cause, ssl.SSLError) and "WRONG_VERSION_NUMBER" in str(cause):
            raise ModelError(
                f"{settings.name}: the server{at_address(settings)} does not speak https; set base_url to http://"
            ) from error


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all causes of the error."""
    cause: BaseException | None = error
    for _ in range(10):
        if cause is None:
            return
        yield cause
        inner = getattr(cause, "certificate_error", None)  # of aiohttp
        cause = inner if isinstance(inner, BaseException) else cause.__cause__ or cause.__context__
