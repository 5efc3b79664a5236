"""Loaders of the public sets by name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from blpo.data.message_text import did_you_mean
from blpo.data.public.agin import load_agin
from blpo.data.public.agiqa3k import load_agiqa3k
from blpo.data.public.evalmuse import load_evalmuse
from blpo.data.public.genaibench import load_genaibench
from blpo.data.public.hpdv2 import load_hpdv2
from blpo.data.public.imagereward import load_imagereward
from blpo.data.public.mjbench import load_mjbench
from blpo.data.public.mmrb2 import load_mmrb2
from blpo.data.public.multicrit import load_multicrit
from blpo.data.public.pickapic import load_pickapic
from blpo.data.public.preparation_options import SAMPLINGS, Options, require_choice
from blpo.data.public.public_set import PublicSet
from blpo.data.public.richhf18k import load_richhf18k
from blpo.data.public.seetrue import load_seetrue
from blpo.data.public.source_rows import unique_records
from blpo.data.public.unsafebench import load_unsafebench
from blpo.data.public.vlrewardbench import load_vlrewardbench
from state.errors import ConfigError

LOADERS: Mapping[str, Callable[[Path, Options], PublicSet]] = MappingProxyType(
    {
        "agin": load_agin,
        "seetrue": load_seetrue,
        "imagereward": load_imagereward,
        "unsafebench": load_unsafebench,
        "mjbench": load_mjbench,
        "hpdv2": load_hpdv2,
        "pickapic": load_pickapic,
        "genaibench": load_genaibench,
        "mmrb2": load_mmrb2,
        "vlrewardbench": load_vlrewardbench,
        "multicrit": load_multicrit,
        "agiqa3k": load_agiqa3k,
        "evalmuse": load_evalmuse,
        "richhf18k": load_richhf18k,
    }
)
"""Public sets by name."""


def load_public(name: str, source: Path, options: Options) -> PublicSet:
    """Load the rows of a set. No image is read; ids are unique.

    Raises `ConfigError` for an unknown set or option, and `DataError` for unreadable files.
    """
    if name not in LOADERS:
        hint = did_you_mean(name, list(LOADERS))
        raise ConfigError(f"{name}: is no public set; the sets are {', '.join(LOADERS)}{hint}")
    require_choice("--sample", options.sample, SAMPLINGS, "every set")
    loaded = LOADERS[name](source, options)
    records, repeated = unique_records(loaded.records)
    problems = (*loaded.problems, *repeated)
    return PublicSet(loaded.description, tuple(records), problems, loaded.files, loaded.notes)
