from data.public.options import Options
from data.public.prepare import LOADERS, Prepared, load_public, prepare

__all__ = ["LOADERS", "Options", "Prepared", "load_public", "prepare"]
