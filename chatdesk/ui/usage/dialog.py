"""The usage page in a dialog of its own."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from chatdesk.ui.dialogs.form_panel import FormPanel, push_button
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.usage.page import UsagePage

_SIZE_PX = (820, 680)


class UsageDialog(FormPanel):
    """Holds ``page``; Esc closes it."""

    def __init__(self, theme: Theme, page: UsagePage, *, parent: QWidget | None = None) -> None:
        super().__init__(
            theme, "Usage", object_name="usageDialog", size_px=_SIZE_PX, title_role="heading", parent=parent
        )
        self.page = page
        self.body.addWidget(page, 1)
        self.add_button(push_button("Close", "usageClose", self.reject))
