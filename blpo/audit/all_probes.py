"""All probes by name."""

from collections.abc import Iterable

from blpo.audit.pair_probes import SWAP, TRANSITIVITY
from blpo.audit.probe import Probe
from blpo.audit.probes.authority import PROBE as AUTHORITY
from blpo.audit.probes.bandwagon import PROBE as BANDWAGON
from blpo.audit.probes.blur import PROBE as BLUR
from blpo.audit.probes.injected_image import PROBE as INJECTED_IMAGE
from blpo.audit.probes.injected_text import PROBE as INJECTED_TEXT
from blpo.audit.probes.length import PROBE as LENGTH
from blpo.audit.probes.mirror import PROBE as MIRROR
from blpo.audit.probes.noise import PROBE as NOISE
from blpo.audit.probes.paraphrase import PROBE as PARAPHRASE
from blpo.audit.probes.reencode import PROBE as REENCODE
from blpo.audit.probes.repeat import PROBE as REPEAT
from blpo.audit.probes.resize import PROBE as RESIZE
from state.errors import ConfigError

PROBES: dict[str, Probe] = {
    probe.name: probe
    for probe in (
        *(REPEAT, PARAPHRASE, REENCODE, RESIZE, MIRROR, BLUR, NOISE),
        *(LENGTH, BANDWAGON, AUTHORITY, INJECTED_TEXT, INJECTED_IMAGE),
    )
}
"""Probes that change a question about a sample."""
OF_PAIRS = (SWAP, TRANSITIVITY)
"""Probes of judges of pairs."""
NAMES = (*PROBES, *OF_PAIRS)


def require_known(names: Iterable[str]) -> list[str]:
    """Return the names without repetition; raises `ConfigError` for an unknown name."""
    chosen = list(dict.fromkeys(names))
    for name in chosen:
        if name not in NAMES:
            raise ConfigError(f"there is no probe {name}; the probes are {', '.join(NAMES)}")
    return chosen
