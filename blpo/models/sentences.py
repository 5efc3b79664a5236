"""Sentences made of foreign words."""


def sentence(text: str) -> str:
    """Return a foreign text that ends as a sentence, so that another sentence can follow."""
    text = text.rstrip()
    return text if text.endswith(("!", "?", "…", "。")) else text.rstrip(".,;: ") + "."
