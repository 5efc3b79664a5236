"""Texts of servers and models, made fit for files and databases.

Standard library alone: `blpo export` puts this file into an exported judge as it stands.
"""


def clean_text(text: str) -> str:
    """Return the text in characters that UTF-8 and all databases can hold.

    Lone surrogates (half an emoji, which JSON can hold) become question marks. NUL becomes U+FFFD.
    """
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
