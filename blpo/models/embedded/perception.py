"""Perception of the embedded models: what can be measured in the decoded pixels of one image.

The same bytes give the same values, whatever else is in the dataset, and an image is measured once.
"""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from hashlib import sha256
from threading import Lock
from types import MappingProxyType

from blpo.models.embedded.colour import colour, tone
from blpo.models.embedded.layout import layout
from blpo.models.embedded.pixels import decode, luma
from blpo.models.embedded.scales import SCALES
from blpo.models.embedded.spectrum import spectrum
from blpo.models.embedded.texture import texture
from blpo.models.embedded.vocabulary import ATTRIBUTES

KEPT = 20_000
"""How many images' values are remembered; about 0.5 kB each."""


def perceive(data: bytes) -> dict[str, float]:
    """Return a value from 0 to 100 for every attribute, in the order of ATTRIBUTES, from an encoded image.

    Any size from 1 x 1 and any colour mode; raises `DataError` for bytes that can't be decoded.
    """
    raw = measure(data)
    return {attribute.name: SCALES[attribute.name].value(raw[attribute.name]) for attribute in ATTRIBUTES}


def measure(data: bytes) -> dict[str, float]:
    """Return the raw measures of an encoded image, each in its own unit; raises `DataError` as `perceive` does."""
    pixels = decode(data)
    whole = luma(pixels.whole)
    centre = whole if pixels.centre is pixels.whole else luma(pixels.centre)
    return tone(pixels.whole) | colour(pixels.whole) | layout(whole) | texture(centre) | spectrum(centre)


class Memory:
    """Values of the images seen last; safe to use from several threads: one measures an image, the others wait."""

    def __init__(self, measured: Callable[[bytes], Mapping[str, float]] = perceive, kept: int = KEPT) -> None:
        self._measured = measured
        self._kept = kept
        self._under_way: dict[bytes, Future[Mapping[str, float]]] = {}
        self._values: OrderedDict[bytes, tuple[tuple[str, ...], array[float]]] = OrderedDict()
        """Names, which all images share, and values: a tenth of what a mapping takes."""
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lock = Lock()

    def perceive(self, data: bytes) -> Mapping[str, float]:
        """Return the values of an image, read-only; a failure is raised to all who wait for it, and not remembered."""
        key = sha256(data).digest()
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return MappingProxyType(dict(zip(*self._values[key], strict=True)))
            known = self._under_way.get(key)
            if known is None:
                future = self._under_way[key] = Future[Mapping[str, float]]()
        return known.result() if known is not None else self._fill(key, data, future)

    def _fill(self, key: bytes, data: bytes, future: Future[Mapping[str, float]]) -> Mapping[str, float]:
        try:
            values = dict(self._measured(data))
        except BaseException as error:
            with self._lock:
                del self._under_way[key]
            future.set_exception(error)
        else:
            with self._lock:
                del self._under_way[key]
                self._keep(key, values)
            future.set_result(MappingProxyType(values))
        return future.result()

    def _keep(self, key: bytes, values: Mapping[str, float]) -> None:
        names = tuple(values)
        self._values[key] = (self._names.setdefault(names, names), array("d", values.values()))
        if len(self._values) > self._kept:
            self._values.popitem(last=False)


_memory = Memory()


def perceive_cached(data: bytes) -> Mapping[str, float]:
    """Return what `perceive` returns, read-only, measured once in this process for each distinct image."""
    return _memory.perceive(data)
