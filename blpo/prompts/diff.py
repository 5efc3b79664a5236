"""Two prompts, line by line."""

import difflib


def prompt_diff(old: str, new: str, name: str) -> str:
    """A unified diff of two prompts; empty where they are equal."""
    return "".join(
        line + "\n"
        for line in difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
    )
