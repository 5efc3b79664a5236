"""YAML, read strictly and written readably.

Reading builds plain values only. Unlike YAML 1.1, only `true` and `false` are booleans and nothing is a date, so that
`labels: [yes, no]` means what it says; and a key given twice is refused instead of the last one winning.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from state.errors import ConfigError

MAX_BYTES = 256 * 1024
"""Larger files are refused; they would take seconds to read."""
MAX_VALUES = 20_000
"""Most values that a text may stand for once its aliases are written out."""

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
    if _UNICODE_LINE_ENDS.search(text):  # reading would make them blanks, unless they are escaped
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file; raises `ConfigError` where it can't be read, is too large or no YAML."""
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
    """Return what `text` says, None where it is empty; raises `ConfigError` whose message begins with `name`."""
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
    except ValueError as error:  # numbers that Python refuses to build
        raise ConfigError(f"{name}: a value can't be read: {error}") from None
    except RecursionError:
        raise ConfigError(f"{name} is nested too deeply; write it flatter") from None
    finally:
        if loader is not None:
            loader.dispose()


def write_yaml(content: Any) -> str:
    """Return plain values as YAML that reads back to the same; text of several lines stays readable."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def write_flow(content: Any) -> str:
    """Return plain values as YAML on one line that reads back to the same: `{kind: ordinal, min: 1, max: 5}`."""
    text = yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=True
    )
    return text.strip()


def _check(node: yaml.Node, sizes: dict[int, int | None]) -> int:
    """Count the values that `node` stands for; refuses duplicate keys, and aliases that multiply or hold themselves.

    `sizes` holds the nodes met so far, None for those that are being walked.
    """
    if id(node) in sizes:
        size = sizes[id(node)]
        if size is None:
            raise _refused(node, "an alias contains itself; write the values out")
        return size
    sizes[id(node)] = None
    children: list[yaml.Node] = []
    if isinstance(node, yaml.ScalarNode) and _SURROGATE.search(node.value):
        raise _refused(node, "holds half a character (a lone surrogate), which no file can; write it again")
    if isinstance(node, yaml.MappingNode):
        _refuse_duplicates(node)
        children = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        children = node.value
    size = sizes[id(node)] = 1 + sum(_check(child, sizes) for child in children)
    if size > MAX_VALUES:
        raise _refused(node, f"stands for more than {MAX_VALUES} values; write less, or use fewer aliases")
    return size


def _refuse_duplicates(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        name = (key.tag, str(key.value))
        if name in seen:
            raise _refused(key, f"{key.value} is given twice; keep one")
        seen.add(name)


def _refused(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)


def _in_one_line(error: yaml.YAMLError) -> str:
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}: " if mark else ""
    return place + " ".join(filter(None, (error.context, error.problem)))
