"""Prompts: Markdown files, and the code that fills them."""

from blpo.prompts.template import element, neutralise, placeholders, render, tagged, template

__all__ = ["element", "neutralise", "placeholders", "render", "tagged", "template"]
