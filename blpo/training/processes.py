"""Processes of a training: a launcher such as `accelerate launch` starts one for each GPU, and numbers them."""

import os


def processes() -> int:
    """Return the number of processes that train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Return True for the process that writes the files."""
    return os.environ.get("RANK", "0") == "0"


def is_launched() -> bool:
    """Return True if a launcher started this process."""
    return "WORLD_SIZE" in os.environ
