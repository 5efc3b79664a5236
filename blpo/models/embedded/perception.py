"""Perception of the embedded models: measures of the decoded pixels of an image.

The same bytes give the same values, in any dataset. An image is measured once: the values are kept in memory and
in the user's cache folder.
"""

from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from hashlib import sha256
from statistics import fmean
from threading import Lock
from types import MappingProxyType

from blpo.models.embedded.colour import colour_measures, tone_measures
from blpo.models.embedded.composition import composition_measures
from blpo.models.embedded.message_images import MAX_IMAGES, MessageImage
from blpo.models.embedded.perception_files import read_kept_values, write_values
from blpo.models.embedded.pixels import decode_image, luma
from blpo.models.embedded.scales import SCALES
from blpo.models.embedded.spectrum import spectrum_measures
from blpo.models.embedded.texture import texture_measures
from blpo.models.embedded.vocabulary import ATTRIBUTES


def perceive(data: bytes) -> dict[str, float]:
    """Return a value from 0 to 100 for every attribute, in the order of ATTRIBUTES, from an encoded image.

    Any size from 1 x 1 and any colour mode. Raises `DataError` for bytes that can't be decoded.
    """
    raw = measure_image(data)
    return {attribute.name: SCALES[attribute.name].value(raw[attribute.name]) for attribute in ATTRIBUTES}


def measure_image(data: bytes) -> dict[str, float]:
    """Return the raw measures of an encoded image, in the units of the measures. Raises `DataError` as `perceive`."""
    pixels = decode_image(data)
    whole = luma(pixels.whole)
    centre = whole if pixels.centre is pixels.whole else luma(pixels.centre)
    return {
        **tone_measures(pixels.whole),
        **colour_measures(pixels.whole),
        **composition_measures(whole),
        **texture_measures(centre),
        **spectrum_measures(centre),
    }


class PerceptionCache:
    """Values of the last images. Safe to use from several threads: a single thread measures an image, others wait."""

    def __init__(
        self, measure: Callable[[bytes], Mapping[str, float]] = perceive, max_images: int = MAX_IMAGES
    ) -> None:
        self._measure = measure
        self._max_images = max_images
        self._running: dict[bytes, Future[Mapping[str, float]]] = {}
        self._values: OrderedDict[bytes, tuple[tuple[str, ...], array[float]]] = OrderedDict()
        """Names (shared by all images) and values: a tenth of the memory of a mapping."""
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lock = Lock()

    def perceive(self, data: bytes) -> Mapping[str, float]:
        """Return the values of an image, read-only. A failure is raised to all waiting threads, and not kept."""
        key = sha256(data).digest()
        with self._lock:
            if (values := self._known(key)) is not None:
                return values
            running = self._running.get(key)
            if running is None:
                future = self._running[key] = Future[Mapping[str, float]]()
        return running.result() if running is not None else self._fill(key, data, future)

    def known(self, digest: bytes) -> Mapping[str, float] | None:
        """Return the values in memory of the image with this SHA-256, read-only; None for an unknown image."""
        with self._lock:
            return self._known(digest)

    def _known(self, key: bytes) -> Mapping[str, float] | None:
        if key not in self._values:
            return None
        self._values.move_to_end(key)
        return MappingProxyType(dict(zip(*self._values[key], strict=True)))

    def _fill(self, key: bytes, data: bytes, future: Future[Mapping[str, float]]) -> Mapping[str, float]:
        try:
            values = dict(self._measure(data))
        except BaseException as error:
            with self._lock:
                del self._running[key]
            future.set_exception(error)
        else:
            with self._lock:
                del self._running[key]
                self._keep(key, values)
            future.set_result(MappingProxyType(values))
        return future.result()

    def _keep(self, key: bytes, values: Mapping[str, float]) -> None:
        names = tuple(values)
        self._values[key] = (self._names.setdefault(names, names), array("d", values.values()))
        if len(self._values) > self._max_images:
            self._values.popitem(last=False)


def perceive_cached(data: bytes) -> Mapping[str, float]:
    """Return the values of `perceive`, read-only. An image is measured once."""
    return _cache.perceive(data)


def perceive_image(image: MessageImage) -> Mapping[str, float]:
    """Return the values of an image of a message, as `perceive_cached`. A known image is not decoded."""
    values = _cache.known(image.digest)
    return perceive_cached(image.data) if values is None else values


def mean_perception(images: Sequence[MessageImage]) -> Mapping[str, float]:
    """Return the mean of every value over images, as `perceive_image` for one image."""
    values = [perceive_image(image) for image in images]
    if len(values) == 1:
        return values[0]
    return {attribute.name: fmean(each[attribute.name] for each in values) for attribute in ATTRIBUTES}


def is_perceived(image: MessageImage) -> bool:
    """Return true if the values of the image are in memory."""
    return _cache.known(image.digest) is not None


def _perceive_once(data: bytes) -> Mapping[str, float]:
    digest = sha256(data).digest()
    values = read_kept_values(digest)
    if values is None:
        values = perceive(data)
        write_values(digest, values)
    return values


_cache = PerceptionCache(_perceive_once)
