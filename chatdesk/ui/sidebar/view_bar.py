"""The bar above the list that names the list that stands there instead of all threads, and leads back to them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QWidget

from chatdesk.ui.sidebar.grouping import ThreadView

VIEW_TITLES: Final = {
    ThreadView.ACTIVE: "Threads",
    ThreadView.ARCHIVE: "Archive",
    ThreadView.TRASH: "Trash",
}


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
        text = f"{VIEW_TITLES[view]} · back to threads"
        if tag_name is not None:
            text = f"{VIEW_TITLES[view]} with “{tag_name}” · show all"
        if not is_shown and self.hasFocus():
            focus_after.setFocus(Qt.FocusReason.OtherFocusReason)
        self.setVisible(is_shown)
        self.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, max(120, width_px)))
        self.setAccessibleName(text)
