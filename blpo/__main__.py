"""Command line of `python -m blpo`."""

import sys

from blpo.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
