"""First labels for a folder of images: the task, the pages, and a labels file for `blpo init`."""

from pathlib import Path

from starlette.responses import Response

from blpo.view.calls import Call, go
from blpo.view.labelling.answer_log import FOLDER
from blpo.view.labelling.folder_task import LABELS, folder_task, give_task, may_write_labels, write_labels
from blpo.view.labelling.label_page import answer, label_page, work_of
from blpo.view.labelling.label_set import folder_images, folder_set
from blpo.view.labelling.outcome import agreed
from blpo.view.labelling.run_labels import image_response, labels_page
from blpo.view.pages import Frame, site_page
from blpo.view.site import NotHere, Site
from state.errors import DataError

_MOST_FOLDERS = 100


def folders_page(call: Call) -> str:
    """Return the folders with images that have no labels file, or were labelled here."""
    return site_page("folders.html", Frame(call.site, "label"), folders=_folders(call.site))


def folder_label_page(call: Call) -> str:
    """Return the page of an image, or the choice of labels and rater."""
    frame, folder, address = _open(call)
    if folder_task(folder) is None or "rater" not in call.query:
        images = len(folder_images(folder))
        return site_page(
            "folder_choice.html", frame, folder=folder, task=folder_task(folder), images=images, address=address
        )
    labels = folder_set(folder, address)
    return label_page(frame, labels, work_of(call, labels), call.asked("id"))


def folder_label(call: Call) -> Response:
    """Record the task, or write an answer."""
    _, folder, address = _open(call)
    if folder_task(folder) is None:
        give_task(folder, call.field("labels"))
        return go(f"{address}/label", rater=call.field("rater"))
    labels = folder_set(folder, address)
    return answer(call, labels, work_of(call, labels))


def folder_image(call: Call) -> Response:
    """Return an image of the folder."""
    _, folder, address = _open(call)
    return image_response(call, folder_set(folder, address))


def folder_labels_page(call: Call) -> str:
    """Return the answers by rater, and the way to a labels file."""
    frame, folder, address = _open(call)
    return labels_page(frame, folder_set(folder, address))


def save_folder_labels(call: Call) -> str:
    """Write labels.csv from the agreed labels; raises `DataError` without an answer."""
    frame, folder, address = _open(call)
    labels = folder_set(folder, address)
    answers = agreed(labels.log.raters, labels.samples).labels
    if not answers:
        raise DataError("there is no answer to save, or the raters are split over all of them")
    return labels_page(frame, labels, written=write_labels(folder, answers))


def _open(call: Call) -> tuple[Frame, Path, str]:
    name = call.path["folder"]
    folder = call.site.inside(call.site.folder, name)
    if not folder.is_dir() or name.startswith(".") or folder == call.site.home:
        raise NotHere(f"{name} is no folder of images")
    address = Frame(call.site).address_of("label", name)
    return Frame(call.site, "label"), folder, address


def _folders(site: Site) -> list[tuple[str, int, bool]]:
    """Return name, number of images and True for a folder with answers."""
    folders: list[tuple[str, int, bool]] = []
    for path in sorted(site.folder.iterdir()):
        if path.is_dir() and not path.is_symlink() and not path.name.startswith(".") and path != site.home:
            is_begun = (path / FOLDER).is_dir()
            if (
                (is_begun or not (path / LABELS).exists())
                and may_write_labels(path)
                and (images := folder_images(path))
            ):
                folders.append((path.name, len(images), is_begun))
    return folders[:_MOST_FOLDERS]
