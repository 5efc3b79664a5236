"""Strict reading and readable writing of YAML.

Reading builds plain values only. Unlike in YAML 1.1, only `true` and `false` are booleans: `labels: [yes, no]` holds
two texts. A date is text. A duplicate key in a mapping is an error.

PyYAML stays the library, because files of earlier runs were written by PyYAML: `1e3` without quotes is a text in YAML
1.1, and a number in YAML 1.2.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from state.errors import ConfigError

MAX_BYTES = 256 * 1024
"""Size of the largest file that is read. A larger file would take seconds."""
MAX_VALUES = 20_000
"""Largest number of values in a text, with its aliases written out."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNICODE_LINE_ENDS = re.compile("[\x85\u2028\u2029]")


class _Loader(yaml.SafeLoader):
    pass


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in ("bool", "timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF")


class _Dumper(yaml.SafeDumper):
    pass


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    if _UNICODE_LINE_ENDS.search(text):  # reading would turn an unescaped line end into a blank
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file.

    Raises `ConfigError` if the file can't be read, is larger than `MAX_BYTES`, or is no YAML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; give the path of a YAML file") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ConfigError(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES // 1024} KiB, so it is no configuration; check the path")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text; check the path, or save it as UTF-8") from None
    return parse_yaml(text, str(path))


def parse_yaml(text: str, name: str) -> Any:
    """Return the values in `text`, or None for an empty text; raises `ConfigError`, with `name` before the message."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check(node, {})
        return loader.construct_document(node)
    except yaml.reader.ReaderError:
        raise ConfigError(f"{name} holds control characters, so it is no YAML text; check the file") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: {_in_one_line(error)}") from None
    except ValueError as error:  # a number with too many digits
        raise ConfigError(f"{name}: a value can't be read: {error}") from None
    except RecursionError:
        raise ConfigError(f"{name} is nested too deeply; write it flatter") from None
    finally:
        if loader is not None:
            loader.dispose()


def write_yaml(content: Any) -> str:
    """Return plain values as YAML. Reading the YAML gives equal values. A text of several lines is a block of lines."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def write_flow(content: Any) -> str:
    """Return plain values as a line of YAML, such as `{kind: ordinal, min: 1, max: 5}`. Reading gives equal values."""
    text = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=True
    )
    return text.strip()


def _check(node: yaml.Node, sizes: dict[int, int | None]) -> int:
    """Return the number of values in `node`, with aliases written out.

    `sizes` maps the id of a counted node to the node's number of values. A node under way maps to None.

    Raises `yaml.MarkedYAMLError` for a duplicate key, half a character, an alias in a circle, or more than
    `MAX_VALUES` values.
    """
    if id(node) in sizes:
        size = sizes[id(node)]
        if size is None:
            raise _node_error(node, "an alias contains itself; write the values out")
        return size
    sizes[id(node)] = None
    children: list[yaml.Node] = []
    if isinstance(node, yaml.ScalarNode) and _SURROGATE.search(node.value):
        raise _node_error(node, "holds half a character (a lone surrogate), which no file can; write it again")
    if isinstance(node, yaml.MappingNode):
        _refuse_duplicates(node)
        children = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    size = sizes[id(node)] = 1 + sum(_check(child, sizes) for child in children)
    if size > MAX_VALUES:
        raise _node_error(node, f"stands for more than {MAX_VALUES} values; write less, or use fewer aliases")
    return size


def _refuse_duplicates(node: yaml.MappingNode) -> None:
    names = set()
    for key, _ in node.value:
        name = (key.tag, str(key.value))
        if name in names:
            raise _node_error(key, f"{key.value} is given twice; keep one")
        names.add(name)


def _node_error(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _in_one_line(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}: " if mark else ""
    return place + " ".join(filter(None, (error.context, error.problem)))
