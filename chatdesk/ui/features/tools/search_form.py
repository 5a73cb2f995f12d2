"""Shows *Web search*: the engine that models search the web with, its address or key, and a test in steps."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from chatdesk.core.texts import Text, shown, tr
from chatdesk.core.tools.web_search.choice import SEARCH_STEP_TEXTS, SearchCheck, SearchChoice, SearchEngine, SearchStep
from chatdesk.ui.accessibility.assistance import announce, named
from chatdesk.ui.dialogs.form_panel import push_button
from chatdesk.ui.dialogs.marks import CheckSteps
from chatdesk.ui.dialogs.panel import plain_label
from chatdesk.ui.dialogs.task_panel import TaskPanel
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.widgets.buttons import LinkButton
from chatdesk.ui.widgets.fields.choice_box import ChoiceBox
from chatdesk.ui.widgets.key_field import KeyField

_WIDTH_PX: Final = 460
_LONGEST: Final = 2_000
_NONE: Final = Text("None: models only read pages")
_WORDS: Final = {
    SearchEngine.SEARXNG: Text(
        "A server that asks other search engines: yours, or one whose owner lets programs search."
    ),
    SearchEngine.BRAVE: Text("A service. What is searched for goes there, with your key."),
    SearchEngine.TAVILY: Text("A service. What is searched for goes there, with your key."),
}
_KEYS: Final = {
    SearchEngine.BRAVE: "https://api-dashboard.search.brave.com/app/keys",
    SearchEngine.TAVILY: "https://app.tavily.com/home",
}


class SearchForm(TaskPanel):
    """A dialog that sets up web search. ``saved`` and ``testRequested`` have the choice and the key that was typed;
    ``forgetRequested`` has an engine. The answer is ``accept``, ``end_busy`` with ``show_problem``, or ``show_check``
    for each step."""

    saved = Signal(object, str)
    testRequested = Signal(object, str)
    forgetRequested = Signal(object)

    def __init__(
        self, theme: Theme, choice: SearchChoice, kept: frozenset[SearchEngine], *, parent: QWidget | None = None
    ) -> None:
        """Make the form. ``kept`` are the engines for which there is a key."""
        super().__init__(theme, tr("Web search"), object_name="searchForm", width_px=_WIDTH_PX, parent=parent)
        self._kept = kept
        self.engine = named(ChoiceBox(), "searchEngine", tr("Search engine"))
        self.engine.addItem(shown(_NONE), None)
        for each in SearchEngine:
            self.engine.addItem(each.label, each)
        self.engine.setCurrentIndex(self.engine.findData(choice.engine))
        self.hint = plain_label("", "muted", wraps=True)
        self.address_label = plain_label(tr("Address"), "muted")
        self.address = named(QLineEdit(choice.address), "searchAddress", tr("Address of SearXNG"))
        self.address.setPlaceholderText(
            tr("{address} or {other}", address="https://searx.example.org", other="localhost:8080")
        )
        self.address.setMaxLength(_LONGEST)
        self.key_label = plain_label(tr("API key"), "muted")
        self.key = KeyField(theme, name=tr("API key"), object_name="searchKey")
        self.links = {
            each: LinkButton(tr("Get a key"), url, object_name=f"searchKeys_{each.value}")
            for each, url in _KEYS.items()
        }
        self.forget_button = push_button(tr("Forget the key"), "searchForget", self._forget)
        self.steps = CheckSteps(theme, "searchSteps")
        self.test_button = push_button(tr("Test"), "searchTest", self._test, name=tr("Test the search engine"))
        self.save_button = push_button(tr("Save"), "searchSave", self._save, is_primary=True, is_default=True)
        self._build()
        self.engine.currentIndexChanged.connect(self._on_engine_changed)
        self.key.submitted.connect(lambda _key: self._save())
        self._show_fields()
        self.engine.setFocus()

    def _build(self) -> None:
        self.body.addWidget(plain_label(tr("Search engine"), "muted"))
        for field in (self.engine, self.hint, self.address_label, self.address, self.key_label, self.key):
            self.body.addWidget(field)
        for button in (*self.links.values(), self.forget_button):
            self.body.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        self.body.addWidget(self.steps)
        self.add_button(self.test_button, is_first=True)
        self.add_button(push_button(tr("Cancel"), "searchCancel", self.reject, is_way_out=True))
        self.add_button(self.save_button)

    def choice(self) -> SearchChoice:
        """Return the present choice of engine and address."""
        engine = self._engine()
        return SearchChoice(engine, self.address.text() if engine is SearchEngine.SEARXNG else "")

    def show_check(self, check: SearchCheck) -> None:
        """Show one more step of the test."""
        words = shown(SEARCH_STEP_TEXTS[check.step])
        if check.remark:
            words = f"{words}: {shown(check.remark)}"
        self.steps.add(words, check.is_well)
        if not check.is_well or check.step is SearchStep.FOUND:
            self.end_busy()
            announce(self, words)

    def forget_key(self, engine: SearchEngine) -> None:
        """Show that the key of an engine is gone."""
        self._kept -= {engine}
        self._show_fields()
        self.key.setFocus(Qt.FocusReason.OtherFocusReason)

    def _engine(self) -> SearchEngine | None:
        found = self.engine.currentData()
        return SearchEngine(found) if found else None

    def _on_engine_changed(self) -> None:
        self.show_problem("")
        self.key.clear()
        self.steps.reset()
        self._show_fields()

    def _show_fields(self) -> None:
        engine = self._engine()
        needs_key = engine is not None and engine.needs_key
        is_kept = engine in self._kept
        self.hint.setText(shown(_WORDS[engine]) if engine is not None else "")
        self.hint.setVisible(engine is not None)
        for widget in (self.address_label, self.address):
            widget.setVisible(engine is SearchEngine.SEARXNG)
        for widget in (self.key_label, self.key):
            widget.setVisible(needs_key)
        hint = tr("Paste the key")
        self.key.set_hint(hint)
        if needs_key and is_kept:
            self.key.setPlaceholderText(tr("A key is kept; type another to replace it"))
        self.key.setAccessibleDescription(tr("A key is kept. Type another to replace it.") if is_kept else hint)
        for each, link in self.links.items():
            link.setVisible(each is engine and not is_kept)
        self.forget_button.setVisible(needs_key and is_kept)
        self.test_button.setEnabled(engine is not None)

    def _test(self) -> None:
        self.steps.reset()
        self.show_busy(tr("Testing…"))
        self.testRequested.emit(self.choice(), self.key.key())

    def _save(self) -> None:
        self.show_busy(tr("Saving…"))
        self.saved.emit(self.choice(), self.key.key())

    def _forget(self) -> None:
        self.forgetRequested.emit(self._engine())


def search_words(choice: SearchChoice, goes_to: str) -> str:
    """Return the words on the search engine for the row of the tools for the web."""
    if choice.engine is None:
        return tr("Comes with ChatDesk. No search engine is chosen: models can only read pages.")
    engine = choice.engine.label
    if choice.engine is SearchEngine.SEARXNG:
        return tr("Comes with ChatDesk. Searches with {engine} at {host}.", engine=engine, host=goes_to)
    return tr("Comes with ChatDesk. Searches with {engine}.", engine=engine)
