"""Gates of a judge of several tasks: a gate begins with the name of its task, as in `safety:recall.unsafe>=0.95`."""

from collections.abc import Iterable, Sequence

from state.errors import ConfigError


def gates_by_task(texts: Iterable[str], names: Sequence[str]) -> dict[str, list[str]]:
    """Return the gates of each task, without its name. A single task needs no name.

    Raises `ConfigError` for a gate that names no task of several.
    """
    if names == ("",):
        return {"": list(texts)}
    gates: dict[str, list[str]] = {name: [] for name in names}
    for gate in (part.strip() for text in texts for part in text.split(",")):
        name, colon, own = gate.partition(":")
        if colon and name.strip() in gates:
            gates[name.strip()].append(own.strip())
        elif len(names) == 1:
            gates[names[0]].append(gate)
        else:
            raise ConfigError(
                f"gate {gate}: this judge has several tasks ({', '.join(names)}); put the name of the task in front:"
                f" {names[0]}:{gate}"
            )
    return gates
