"""Command line of `blpo` and of `python -m blpo`."""

import sys

from blpo.shadowing import ShadowedPackageError, require_own_packages


def main() -> int:
    """Run the command line and return its exit code. A hidden package of blpo is told in one line on stderr."""
    try:
        require_own_packages()
    except ShadowedPackageError as error:
        print(f"blpo: {error}", file=sys.stderr)
        return 1
    from blpo.cli.main import main as run_command  # imports the packages that may be hidden

    return run_command()


if __name__ == "__main__":
    sys.exit(main())
