"""Prompts: Markdown files, and the code that fills them."""

from blpo.prompts.delimiters import element, neutralise, tagged
from blpo.prompts.template import placeholders, render, template

__all__ = ["element", "neutralise", "placeholders", "render", "tagged", "template"]
