"""Draw both loops as Mermaid into README.md: `python -m blpo.reports.drawing`."""

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent.parent / "README.md"
_BLOCK = re.compile(r"(<!-- graph: made by `make drawing` -->\n).*?(<!-- end of graph -->)", re.DOTALL)


def drawing() -> str:
    """Return both loops as a Mermaid flowchart, with the inner loop nested."""
    from graph.outer import graph

    return f"```mermaid\n{graph.get_graph(xray=True).draw_mermaid().strip()}\n```\n"


def with_drawing(readme: str) -> str:
    """Return the README with the current drawing between the markers; raises `ValueError` without markers."""
    text, count = _BLOCK.subn(lambda match: match[1] + drawing() + match[2], readme)
    if count != 1:
        raise ValueError("README.md must hold the two graph markers exactly once")
    return text


if __name__ == "__main__":
    README.write_text(with_drawing(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stderr.write(f"drawn into {README}\n")
