"""Comparison of two prompts, line by line."""

import difflib


def prompt_diff(old: str, new: str, name: str) -> str:
    """Return the unified diff of two prompts; empty for equal prompts."""
    return "".join(
        line + "\n"
        for line in difflib.unified_diff(old.splitlines(), new.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
    )
