"""Servers that were found on this computer, a button for each, on the first screen and wherever a provider is added."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.domain.provider_check import FoundServer
from chatdesk.core.texts import tr
from chatdesk.ui.accessibility.assistance import announce
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.panel import clear_layout, plain_label
from chatdesk.ui.features.providers.provider_steps import models_text
from chatdesk.ui.widgets.elided_label import set_plain_tooltip
from chatdesk.ui.widgets.focus_chain import previous_in_chain
from chatdesk.ui.widgets.layouts import FlowRow
from chatdesk.ui.widgets.words import with_commas


class FoundServers(QWidget):
    """The servers that were found. Hidden as long as there are none. ``useRequested`` carries one of them."""

    useRequested = Signal(object)  # FoundServer

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("foundServers")
        self._row = FlowRow(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(6)
        column.addWidget(plain_label(tr("Found on this computer:"), "text"))
        column.addLayout(self._row)
        self.hide()

    def show_servers(self, servers: Sequence[FoundServer]) -> None:
        """Show these servers in place of those before."""
        clear_layout(self._row)
        before: QWidget | None = self
        while before is not None and not before.focusPolicy() & Qt.FocusPolicy.TabFocus:
            before = previous_in_chain(before)
        for server in servers:
            button = push_button(
                tr("Use {label}, {models}", label=server.label, models=models_text(len(server.models))),
                f"found_{server.preset}",
                partial(self.useRequested.emit, server),
            )
            set_plain_tooltip(button, server.base_url)
            self._row.addWidget(button)
            if before is not None:
                self.setTabOrder(before, button)
            before = button
        if servers:
            announce(
                self, tr("Found on this computer: {servers}", servers=with_commas(server.label for server in servers))
            )
        self.setVisible(bool(servers))
