"""Prompts: one prompt, one Markdown file."""

from blpo.prompts.template import element, neutralise, placeholders, render, tagged, template

__all__ = ["element", "neutralise", "placeholders", "render", "tagged", "template"]
