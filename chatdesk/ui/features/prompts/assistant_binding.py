"""Says below the text which assistant answers in the open thread, and lets a person choose one, there or after an @ for
one question. The project's files and the resources of tool servers are listed after the @, too."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from PySide6.QtWidgets import QMenu

from chatdesk.core.chat.prompts.prompt_service import PromptService
from chatdesk.core.domain.prompt import PromptHead, PromptKind
from chatdesk.core.domain.thread import Thread
from chatdesk.core.events import PromptsChanged
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import Text, plural, tr
from chatdesk.ui.composer.text_editor import AT, mark_query, select_mark_query
from chatdesk.ui.features.chat.next_model import NextAssistant
from chatdesk.ui.features.chat.thread_binding import ThreadBinding
from chatdesk.ui.features.chat.undo_binding import UndoBinding
from chatdesk.ui.features.knowledge.file_mentions import FileMentions
from chatdesk.ui.features.prompts.prompt_binding import PromptBinding
from chatdesk.ui.features.prompts.prompt_menu import MenuKind, PromptMenu
from chatdesk.ui.features.prompts.server_offers import ServerResources
from chatdesk.ui.qt.async_tasks import in_task
from chatdesk.ui.theme.compositing import round_corners
from chatdesk.ui.theme.icons import icon
from chatdesk.ui.widgets.buttons import ComposerChip
from chatdesk.ui.window.window_context import Controller, WindowContext

_MOST_LISTED: Final = 40


class AssistantBinding(Controller):
    """Controller of the menu that chooses an assistant, and of the chip that shows the chosen one."""

    def __init__(
        self,
        context: WindowContext,
        threads: ThreadBinding,
        undo: UndoBinding,
        chosen: NextAssistant,
        *,
        prompts: PromptService,
        library: PromptBinding,
        resources: ServerResources,
        files: FileMentions,
    ) -> None:
        super().__init__(context)
        panes = context.panes
        self._threads = threads
        self._undo = undo
        self._chosen = chosen
        self._prompts = prompts
        self._library = library
        self._are_any = False
        self._resources = resources
        self._files = files
        self._button: ComposerChip | None = None
        # The assistants to choose from; None while there is none.
        self.menu: QMenu | None = None
        self._menu: PromptMenu | None = None
        panes.composer.editor.atTyped.connect(lambda: self._tasks.replace(self._open_menu(), "list assistants"))
        panes.commands.bind("thread.assistant", self.open)
        threads.opened.connect(lambda _thread: self.show())
        chosen.changed.connect(self.show)
        context.events.subscribe(self, PromptsChanged, lambda _event: self.show())

    def show(self) -> None:
        """Show the assistant of the open thread."""
        self._tasks.replace(self._show(), "show the assistant")

    @in_task("choose an assistant", replaces=True)
    async def open(self) -> None:
        """Open the list of assistants; without one, the library with a new one."""
        await self._show()
        if self.menu is None:
            self._library.start_assistant()
        else:
            composer = self._panes.composer
            beside = composer.add_button if self._button is None or self._button.isHidden() else self._button
            beside.popup(self.menu, is_above=True)

    # The button

    async def _show(self) -> None:
        heads = await self._assistants()
        here = self._chosen.here
        if heads or here is not None:
            self.menu = self._choices(heads)
        elif self.menu is not None:
            self.menu = None
        if here is None:
            if self._button is not None:
                self._button.hide()
            return
        button = self._button = self._button or self._panes.composer.add_chip("assistantButton", "user")
        button.setText(clean_line(here.name))
        button.set_icon(here.setup.icon)
        button.set_name(tr("Assistant: {name}", name=clean_line(here.name)))
        button.set_menu(self.menu)
        button.show()

    def _choices(self, heads: list[PromptHead]) -> QMenu:
        if self.menu is not None:
            self.menu.setObjectName("")
            self.menu.deleteLater()
        menu = QMenu(tr("Assistant"), self._panes.composer)
        menu.setObjectName("assistantsMenu")
        round_corners(menu, self._panes.theme.tokens.radius.row)
        here = self._chosen.here
        none = menu.addAction(tr("No assistant"), partial(self._choose, None))
        none.setCheckable(True)
        none.setChecked(here is None)
        for head in heads[:_MOST_LISTED]:
            words = clean_line(head.name).replace("&", "&&")
            action = menu.addAction(icon(head.icon, self._panes.theme.tokens.muted), words)
            action.setCheckable(True)
            action.setChecked(here is not None and here.id == head.id)
            action.triggered.connect(lambda _checked=False, id_=head.id: self._choose(id_))
        menu.addSeparator()
        menu.addAction(tr("Edit assistants…"), self._library.open_library)
        return menu

    def _choose(self, assistant_id: str | None) -> None:
        thread = self._threads.open_thread
        if thread is None:
            self._chosen.choose_for_new(assistant_id)
        elif assistant_id != thread.assistant_id:
            self._tasks.start(self._choose_in(thread, assistant_id), "choose an assistant")

    async def _choose_in(self, thread: Thread, assistant_id: str | None) -> None:
        chat = self._open_thread.chat_of(thread.id)
        do = partial(chat.assistants.choose, thread.id, assistant_id)

        async def undo() -> None:
            await chat.assistants.choose(thread.id, thread.assistant_id)
            if thread.provider is not None and thread.model is not None:
                await chat.set_thread_model(thread.id, thread.provider, thread.model)

        with self._undo.change(thread.id) as stack:
            await do()
            stack.record(tr("choose assistant"), undo, do, thread_id=thread.id)

    # After an @

    async def _assistants(self) -> list[PromptHead]:
        return [head for head in await self._prompts.list() if head.kind is PromptKind.ASSISTANT]

    async def _heads(self) -> list[PromptHead]:
        return [*await self._assistants(), *await self._files.heads(), *await self._resources.heads()]

    async def _open_menu(self) -> None:
        self._show_menu(await self._heads())
        self._resources.ask(lambda: self._tasks.replace(self._show_more(), "list resources"))

    async def _show_more(self) -> None:
        """Show the resources of one more server, if the @ is still there."""
        heads = await self._heads()
        if self._menu is not None and self._menu.is_open:
            self._menu.update_heads(heads)
        elif mark_query(self._panes.composer.editor, AT) is not None:
            self._show_menu(heads)

    def _show_menu(self, heads: Sequence[PromptHead]) -> None:
        if self._menu is None:
            kind = MenuKind(AT, Text("Assistants, files and resources"), _heard, _EDIT)
            self._menu = PromptMenu(self._panes.theme, self._panes.composer, kind)
            self._menu.chosen.connect(lambda id_, _is_after_mark: self._apply_choice(id_))
            self._menu.manageRequested.connect(self._manage)
        self._are_any = any(head.kind is PromptKind.ASSISTANT for head in heads)
        self._menu.set_manage(_EDIT if self._are_any else _FIRST)
        self._menu.open_after_mark(heads)

    def _manage(self) -> None:
        if self._are_any:
            self._library.open_library()
        else:
            self._library.start_assistant()

    def _apply_choice(self, chosen_id: str) -> None:
        """Name a file, attach a resource, or ask an assistant once."""
        if self._files.insert(chosen_id):
            return
        editor = self._panes.composer.editor
        if select_mark_query(editor, AT):
            editor.textCursor().removeSelectedText()
        if not self._resources.attach(chosen_id):
            self._ask_once(chosen_id)

    def _ask_once(self, assistant_id: str) -> None:
        self._chosen.ask_once(assistant_id)
        self._tasks.start(self._prompts.record_use(assistant_id), "record the use of an assistant")


_EDIT: Final = (Text("Edit assistants…"), Text("Their instructions, models, tools and files"))
_FIRST: Final = (Text("New assistant…"), Text("A prompt with a model, tools and files of its own, asked with @"))


def _heard(count: int) -> Text:
    return plural(
        "{count} names, arrows choose, Enter takes it, Esc closes.",
        "{count} name, arrows choose, Enter takes it, Esc closes.",
        count,
    )
