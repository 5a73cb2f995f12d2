"""The bar above the list that names a list other than all threads, such as the archive, and leads back."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.sidebar.grouping import ThreadView

VIEW_TITLES: Final = {
    ThreadView.ACTIVE: Text("Threads"),
    ThreadView.ARCHIVE: Text("Archive"),
    ThreadView.TRASH: Text("Trash"),
}


def empty_text(view: ThreadView, tag_name: str | None, trash_days: int, *, is_project: bool) -> str:
    """Return the words in the place of a list without threads; ``is_project``: it is the list of one project."""
    if tag_name is not None:
        return tr("No thread here has the tag “{tag}”.", tag=tag_name)
    match view:
        case ThreadView.ARCHIVE:
            return tr("Nothing is archived.")
        case ThreadView.TRASH:
            return shown(
                plural(
                    "No thread is in the trash. Deleted threads and messages stay here for {count} days.",
                    "No thread is in the trash. Deleted threads and messages stay here for {count} day.",
                    trash_days,
                )
            )
    if is_project:
        return tr("No threads in this project yet. Type a question to begin the first.")
    return tr("No threads yet. Type a question to begin the first.")


class ViewBar(QPushButton):
    """Hidden while all threads are listed."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("threadViewBar")
        self.hide()

    def show_list(self, view: ThreadView, tag_name: str | None, *, width_px: int, focus_after: QWidget) -> None:
        """Show which list this is. The focus goes to ``focus_after`` when the bar goes, so that it stays where the keys
        are."""
        is_shown = view is not ThreadView.ACTIVE or tag_name is not None
        text = tr("{list} · back to threads", list=VIEW_TITLES[view])
        if tag_name is not None:
            text = tr("{list} with “{tag}” · show all", list=VIEW_TITLES[view], tag=tag_name)
        if not is_shown and self.hasFocus():
            focus_after.setFocus(Qt.FocusReason.OtherFocusReason)
        self.setVisible(is_shown)
        self.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, max(120, width_px)))
        self.setAccessibleName(text)
