"""Asks for a file or folder with the system's own dialog; nothing waits for the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # loaded with the first dialog
    from PySide6.QtWidgets import QFileDialog, QWidget

Chosen = Callable[[Path], Any]


def ask_for_file(
    parent: QWidget | None, title: str, on_chosen: Chosen, *, kinds: str = "", object_name: str = ""
) -> QFileDialog:
    """Ask for a file to read. ``kinds`` is written as for Qt: ``Pictures (*.png *.jpg)``."""
    from PySide6.QtWidgets import QFileDialog

    dialog = QFileDialog(parent, title, "", kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    return _open(dialog, on_chosen, object_name)


def ask_for_files(parent: QWidget | None, title: str, on_chosen: Callable[[list[Path]], Any]) -> QFileDialog:
    """Ask for one or several files to read."""
    from PySide6.QtWidgets import QFileDialog

    dialog = QFileDialog(parent, title)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.filesSelected.connect(lambda paths: on_chosen([Path(path) for path in paths]))
    return _open(dialog, lambda _path: None, "")


def ask_where_to_save(
    parent: QWidget | None,
    title: str,
    name: str,
    on_chosen: Chosen,
    *,
    kinds: str = "",
    suffix: str = "",
    object_name: str = "",
) -> QFileDialog:
    """Ask where to write a file, first called ``name``; one that has no ``suffix`` gets it."""
    from PySide6.QtWidgets import QFileDialog

    dialog = QFileDialog(parent, title, name, kinds)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix)
    return _open(dialog, on_chosen, object_name)


def ask_for_folder(
    parent: QWidget | None, title: str, on_chosen: Chosen, *, start: str = "", object_name: str = ""
) -> QFileDialog:
    """Ask for a folder, beginning in ``start``."""
    from PySide6.QtWidgets import QFileDialog

    dialog = QFileDialog(parent, title, start)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    return _open(dialog, on_chosen, object_name)


def _open(dialog: QFileDialog, on_chosen: Chosen, object_name: str) -> QFileDialog:
    dialog.setObjectName(object_name)
    dialog.fileSelected.connect(lambda path: on_chosen(Path(path)) if path else None)
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()
    return dialog
