"""Certificates trusted by the clients of OpenAI-compatible servers."""

import ssl

import certifi


def trusted_certificates() -> ssl.SSLContext:
    """Trust the certificates of the system or SSL_CERT_FILE, and certifi's; takes a tenth of a second."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
