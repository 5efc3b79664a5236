from blpo.data.public.options import Options
from blpo.data.public.prepare import LOADERS, Prepared, load_public, prepare

__all__ = ["LOADERS", "Options", "Prepared", "load_public", "prepare"]
