"""Every notebook runs from the first cell to the last.

All notebooks run in the same kernel, so that modules are imported once and the built-in sample is drawn once. Every
notebook begins with an empty namespace.
"""

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager, start_new_kernel
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client")]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelManager]:
    """Running kernel in the notebooks' folder, with an empty Jupyter configuration."""
    place = str(tmp_path_factory.mktemp("jupyter"))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("JUPYTER_PLATFORM_DIRS", "1")
        environment.setenv("JUPYTER_DATA_DIR", place)
        environment.setenv("IPYTHONDIR", place)
        manager, client = start_new_kernel(kernel_name="python3", cwd=str(FOLDER))
        client.stop_channels()
        yield manager
        manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path: Path, kernel: KernelManager) -> None:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    client = NotebookClient(notebook, km=kernel, timeout=300)
    try:
        client.execute()
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
    outputs = "".join(str(cell.get("outputs")) for cell in notebook.cells)
    assert "p = " in outputs
