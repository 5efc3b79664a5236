"""Images of samples: encoded for a model, measured, and checked."""

import os
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256

from blpo.data.image_encoding import EncodedFile, ImageError, encode_file, image_error, open_image, read_to_the_end
from blpo.data.whole_images import image_key, is_whole, keep_whole
from state.errors import DataError
from state.sample import EncodedImage, ImageSource, Sample


def encode_image(source: ImageSource, max_pixels: int, max_side: int) -> EncodedImage:
    """Return the image for a model: at most `max_pixels` pixels, and `max_side` on the longer side.

    Safe to call from several threads. Raises only `DataError`, for an image that can't be decoded in full.
    """
    return encoded(encode_stored_file(source.read(), source.name, max_pixels, max_side))


def encode_stored_file(data: bytes, name: str, max_pixels: int, max_side: int) -> EncodedFile:
    """Return the file to send for a stored image, as `encode_image`. Errors carry `name`."""
    try:
        return encode_file(data, max_pixels, max_side)
    except ImageError as error:
        raise DataError(f"{name}: {error}") from error


def encoded(file: EncodedFile, digest: str | None = None) -> EncodedImage:
    """Return a file as part of a message. `digest` is the SHA-256 (hex) of the data, if known."""
    text = b64encode(file.data).decode("ascii")
    return EncodedImage(digest or sha256(file.data).hexdigest(), file.media_type, text)


def image_size(source: ImageSource) -> tuple[int, int]:
    """Return width and height as stored. Reads only the header. Raises `DataError` for a file that is no image."""
    data = source.read()
    try:
        with open_image(data) as image:
            return image.size
    except Exception as error:  # decoders fail on hostile bytes in every possible way
        raise DataError(f"{source.name}: {image_error(error)}") from error


def check_images(samples: Iterable[Sample]) -> Iterator[str]:
    """Yield a line for each damaged image, in order. Few images are in memory.

    Every image is decoded in full, but for an image that was decoded before (see `blpo.data.whole_images`).
    """
    workers = min(4, os.cpu_count() or 1)
    running: deque[Future[str | None]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for source in (source for sample in samples for source in sample.all_images):
            running.append(pool.submit(_problem, source))
            if len(running) > 4 * workers and (problem := running.popleft().result()):
                yield problem
        yield from filter(None, (future.result() for future in running))


def _problem(source: ImageSource) -> str | None:
    try:
        data = source.read()
        key = image_key(data)
        if not is_whole(key) and decoded_format(data, source.name) != "HEIF":  # HEIF needs a package that may go
            keep_whole(key)
    except DataError as error:
        return str(error)
    return None


def decoded_format(data: bytes, name: str) -> str:
    """Decode an image in full and return the format (of `FORMATS`, or MPO). Raises `DataError` with `name`."""
    try:
        with open_image(data) as image:
            read_to_the_end(image)
            return image.format or ""
    except Exception as error:  # as in image_size
        raise DataError(f"{name}: {image_error(error)}") from error
