from blpo.data.public.loaders import LOADERS, load_public
from blpo.data.public.preparation_options import Options
from blpo.data.public.prepare import prepare
from blpo.data.public.set_writer import Prepared

__all__ = ["LOADERS", "Options", "Prepared", "load_public", "prepare"]
