"""`blpo view`: a local page to work in."""

from pathlib import Path
from typing import Annotated

import typer

_PORT = 8765
_HOST = "127.0.0.1"


def view(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The project's folder, or the folder of the runs.")
    ] = Path("."),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0: any free port.")] = _PORT,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to listen on; another than the default opens it to others.")
    ] = _HOST,
    read_only: Annotated[bool, typer.Option("--read-only", help="Show, and change nothing.")] = False,
    show: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
) -> int:
    """Browse the runs of a folder on a local page.

    Prints the address, with a token, and answers this machine alone. Ctrl-C ends it; runs go on.
    """
    from blpo.cli.error_lines import say
    from state.errors import ModelError

    try:
        from blpo.view.server import ViewServer
    except ImportError as error:
        raise ModelError(
            f"blpo view: needs the extra 'view' ({error.name} is missing); install it with: pip install -e '.[view]'"
        ) from None
    from blpo.view.safety import is_loopback
    from blpo.view.site import Site

    server = ViewServer.bind(Site.of(folder, is_read_only=read_only), host, port)
    typer.echo(server.address)
    if not is_loopback(host):
        say(f"{host} can be reached by other machines, and the connection is not encrypted; the token is the only key")

    def opened() -> None:
        if show:
            import webbrowser

            webbrowser.open(server.address)

    server.serve(opened)
    return 0
