"""The import lines that an exported file needs."""

import ast
import sys

_KNOWN = """
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from io import BytesIO
from math import sqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Literal
import argparse
import asyncio
import json
import math
import os
import re
import struct
import sys
from PIL import Image, ImageCms, UnidentifiedImageError
from state.errors import BlpoError, DataError
from state.sample import Sample
import blpo
import openai
"""


def import_lines(body: ast.Module) -> str:
    """The imports of the names that `body` uses and does not define: the standard library's, then others."""
    used = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)}
    defined = {node.name for node in ast.walk(body) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    groups: tuple[list[str], list[str]] = ([], [])
    for statement in ast.parse(_KNOWN).body:
        assert isinstance(statement, ast.Import | ast.ImportFrom)
        statement.names = [alias for alias in statement.names if alias.name in used - defined]
        if statement.names:
            module = statement.module if isinstance(statement, ast.ImportFrom) else statement.names[0].name
            groups[(module or "").partition(".")[0] not in sys.stdlib_module_names].append(ast.unparse(statement))
    return "\n\n".join("\n".join(sorted(group, key=_order)) for group in groups if group)


def _order(line: str) -> tuple[bool, str]:
    return line.startswith("from"), line
