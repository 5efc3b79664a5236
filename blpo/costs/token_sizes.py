"""Tokens of a text, without a tokenizer."""

from blpo.inference.consult import CHARACTERS_A_TOKEN


def tokens(text: str) -> int:
    """Return the tokens of a text, at four characters a token."""
    return -(-len(text) // CHARACTERS_A_TOKEN)
