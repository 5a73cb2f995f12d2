"""Buttons, fields, header, empty state, banner and toast."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from chatdesk.core.domain.summary import SummaryStage, SummaryWork
from chatdesk.ui.accessibility.assistance import named
from chatdesk.ui.features.inspector.summary_text import progress_words, question_words
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.banner import Banner
from chatdesk.ui.widgets.buttons import IconButton, PillButton
from chatdesk.ui.widgets.context_meter import ContextMeter
from chatdesk.ui.widgets.elided_label import ElidedLabel
from chatdesk.ui.widgets.empty_state import EmptyState
from chatdesk.ui.widgets.header.thread_header import ThreadHeader
from chatdesk.ui.widgets.models.model_chooser import ModelChooser
from chatdesk.ui.widgets.models.model_picker import ModelPicker
from chatdesk.ui.widgets.search_field import SearchField
from chatdesk.ui.widgets.toast import Toast

MODELS = [
    ("offline", "Offline demo", [("demo", "Demo")]),
    ("openai", "OpenAI & others", [("gpt-4o", "gpt-4o"), ("gpt-4o-mini", "gpt-4o-mini")]),
]


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("icon-buttons", _icon_buttons(theme)),
        ("icon-button-focus", _icon_buttons(theme, focus_on="copyButton")),
        ("pills", _pills(theme)),
        ("context-meters", _meters(theme)),
        ("labels-and-fields", _fields(theme)),
        ("search-rest", _search(theme)),
        ("search-text", _search(theme, text="pragma")),
        ("search-focus", _search(theme, focus_on="searchBox")),
        ("header", _header(theme)),
        ("header-narrow", _header(theme, width=460)),
        ("header-editing", _header(theme, is_editing=True)),
        ("header-temporary", _header(theme, width=620, is_temporary=True)),
        ("header-right-to-left", _mirrored(_header(theme))),
        ("model-menu", _model_menu(theme)),
        ("empty-state", _empty(theme, 1016, 640)),
        ("empty-state-narrow", _empty(theme, 400, 640)),
        ("empty-state-focus", _empty(theme, 1016, 480, focus_on="promptCard2")),
        ("banner-warning", _banner(theme, "warning")),
        ("banner-danger", _banner(theme, "danger")),
        ("banner-question", _question(theme)),
        ("banner-right-to-left", _mirrored(_banner(theme, "warning"))),
        ("toast", _toast(theme, "Thread moved to the trash.", "Undo")),
        (
            "toast-long",
            _toast(theme, "The thread is in the trash for 30 days; its draft is kept with it. " * 2, None),
        ),
    ]


def _row(*widgets: QWidget) -> QWidget:
    page = QWidget()
    row = QHBoxLayout(page)
    for widget in widgets:
        row.addWidget(widget)
    return page


def _mirrored(widget: QWidget) -> QWidget:
    widget.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    return widget


def _icon_buttons(theme: Theme, *, focus_on: str = "") -> QWidget:
    checked = IconButton(theme, "pin", name="Pin", object_name="pinButton")
    checked.setCheckable(True)
    checked.setChecked(True)
    off = IconButton(theme, "arrow-up", name="Send", object_name="offButton", is_filled=True, side_px=32)
    off.setEnabled(False)
    page = _row(
        IconButton(theme, "copy", name="Copy", object_name="copyButton"),
        checked,
        IconButton(theme, "arrow-up", name="Send", object_name="onButton", is_filled=True, side_px=32),
        off,
    )
    page.setProperty("focusOn", focus_on)
    return page


def _pills(theme: Theme) -> QWidget:
    page = _row(
        PillButton(theme, "gpt-4o", object_name="pill", has_arrow=True),
        PillButton(theme, "Continue", object_name="continuePill", icon_name="play"),
        PillButton(theme, "A model whose name is far too long for a pill in a header", object_name="longPill"),
        PillButton(theme, "Focus", object_name="focusPill"),
    )
    page.setProperty("focusOn", "focusPill")
    return page


def _meters(theme: Theme) -> QWidget:
    meters = [ContextMeter(theme) for _each in range(4)]
    for meter, fraction in zip(meters, (0.0, 0.34, 0.82, 0.97), strict=True):
        meter.set_fraction(fraction, "34 of 100 tokens")
    return _row(*meters)


def _fields(theme: Theme) -> QWidget:
    page = QWidget()
    page.setFixedWidth(300)
    column = QVBoxLayout(page)
    column.addWidget(ElidedLabel(theme, "A title that is much longer than the place it has"))
    field = named(QLineEdit("A field"), "sampleField", "A field")
    plain, primary, danger = QPushButton("Cancel"), QPushButton("Save"), QPushButton("Delete")
    primary.setProperty("isPrimary", True)
    danger.setProperty("isDanger", True)
    for widget in (field, plain, primary, danger):
        column.addWidget(widget)
    return page


def _search(theme: Theme, *, text: str = "", focus_on: str = "") -> QWidget:
    field = SearchField(theme, object_name="searchBox", placeholder="Search everything", hint="Ctrl+K")
    field.setText(text)
    page = _row(field)
    page.setFixedWidth(264)
    page.setProperty("focusOn", focus_on)
    return page


def _header(theme: Theme, *, width: int = 1016, is_editing: bool = False, is_temporary: bool = False) -> QWidget:
    header = ThreadHeader(theme)
    header.set_temporary(is_temporary)
    header.setFixedWidth(width)
    header.set_title("Postgres RLS policies for shared projects")
    header.set_models(MODELS)
    header.set_current("openai", "gpt-4o")
    header.set_menu(QMenu(header))
    header.set_sidebar_collapsed(width < 500)
    header.context_meter.set_fraction(0.34, "43,520 of 128,000 tokens")
    if is_editing:
        header.start_title_edit()
        header.setProperty("focusOn", "threadTitleField")
    return header


def _model_menu(theme: Theme) -> QWidget:
    chooser = ModelChooser(theme)
    chooser.show_models(MODELS, {("openai", "gpt-4o-mini")})
    chooser.open_below(ModelPicker(theme), ("openai", "gpt-4o"))
    chooser.hide()
    return chooser


def _empty(theme: Theme, width: int, height: int, *, focus_on: str = "") -> QWidget:
    state = EmptyState(theme)
    state.resize(width, height)
    state.set_sub_text(
        "Offline demo model is on. Add a provider in Settings, or start one on this computer: none found yet."
    )
    state.setProperty("focusOn", focus_on)
    return state


def _banner(theme: Theme, kind: str) -> QWidget:
    banner = Banner(theme)
    page = _row(banner)
    page.setFixedWidth(740)
    if kind == "warning":
        banner.show_message(
            "82% of the context is used. Older messages will be summarised in the background; nothing is deleted.",
            action_text="Show context",
        )
    else:
        banner.show_message("The disk is full. Your messages are kept. Free some space.", kind="danger")
    return page


def _question(theme: Theme) -> QWidget:
    """Summaries that would cost more than the limit, and ones that are being made."""
    work = SummaryWork("thread", SummaryStage.ASKING, "openai", "gpt-5-nano", 108, 1_050_000, 0.213)
    asking, working = Banner(theme), Banner(theme)
    page = _row(asking, working)
    page.setFixedWidth(1_100)
    asking.show_message(
        question_words(work), kind="info", action_text="Summarise", other_text="Not now", is_closable=False
    )
    words = progress_words(replace(work, requests=12, tokens=120_000, cost_usd=0.024))
    working.show_message(words, kind="info", action_text="Stop", is_closable=False)
    return page


def _toast(theme: Theme, text: str, action_text: str | None) -> QWidget:
    page = QWidget()
    page.resize(640, 120)
    toast = Toast(theme, page)
    page.show()
    toast.show_message(text, action_text=action_text, timeout_ms=600_000)
    return page
