"""From the downloaded files of a public set to a dataset folder."""

from dataclasses import asdict
from pathlib import Path

from blpo.data.public.loaders import load_public
from blpo.data.public.preparation_options import Options
from blpo.data.public.sampling import draw_sample
from blpo.data.public.set_writer import ImageProgress, Prepared, SetSource, write_set


def prepare(
    name: str, source: Path, out: Path, options: Options | None = None, count: ImageProgress | None = None
) -> Prepared:
    """Write a sample as a dataset folder with labels.csv, images/, config.yaml and source.json.

    Only the images of the sample are read, and at most one image is in memory. `count` is called with the number of
    written images and of all images. The folder appears when it is complete. Raises `DataError` with every faulty row
    (unless `skip_bad_rows`), for too few rows (unless `take_fewer`), and for an `out` that exists. Raises `ConfigError`
    as `load_public`.
    """
    options = options or Options()
    return write_set(
        SetSource(
            source,
            lambda: load_public(name, source, options),
            lambda loaded, records: draw_sample(loaded.description, records, options),
            "prepare",
            {"name": name, **asdict(options)},
            options.seed,
            options.skip_bad_rows,
        ),
        out,
        count,
    )
