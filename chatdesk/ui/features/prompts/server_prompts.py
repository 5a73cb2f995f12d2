"""Puts a prompt of a tool server into the composer: asks for its arguments, has the server fill it in, inserts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

from chatdesk.core.chat.prompts.prompt_variables import Field
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.texts import tr
from chatdesk.core.tools.offers import PromptArgument, ServerPrompt
from chatdesk.ui.composer.text_editor import SLASH, select_mark_query
from chatdesk.ui.features.prompts.prompt_fields import PromptFieldsDialog
from chatdesk.ui.features.prompts.server_offers import ServerOffers
from chatdesk.ui.widgets.words import with_commas

_TASK = "insert prompt"


class ServerPrompts(ServerOffers):
    """Inserts prompts of tool servers. The text is in the composer, where the person reads it before sending; pictures
    and other files of a prompt become attachments."""

    kind = "prompts"

    def insert(self, prompt_id: str, *, is_after_slash: bool) -> bool:
        """Insert the prompt with this id; return whether it is one of a server."""
        prompt = cast("ServerPrompt | None", self.find(prompt_id))
        if prompt is None:
            return False
        insert = partial(self._insert_filled, prompt, thread_id=self._threads.thread_id, is_after_slash=is_after_slash)
        if prompt.arguments:
            self._ask_for_arguments(prompt, lambda values: self._tasks.replace(insert(values), _TASK))
        else:
            self._tasks.replace(insert({}), _TASK)
        return True

    def _ask_for_arguments(self, prompt: ServerPrompt, use: Callable[[Mapping[str, str]], object]) -> None:

        def check(values: Mapping[str, str]) -> str:
            missing = [each.label for each in prompt.arguments if each.is_required and not values[each.name].strip()]
            return tr("Still to fill in: {missing}.", missing=with_commas(missing)) if missing else ""

        dialog = PromptFieldsDialog(
            self._panes.theme,
            prompt.title,
            [Field(each.name, _label(each)) for each in prompt.arguments],
            last_values={},
            check=check,
            parent=self._panes.window,
        )
        dialog.head.setText(tr("{title}, from {name}", title=prompt.title, name=distinct_name(prompt.server.name)))
        dialog.filled.connect(use)
        dialog.finished.connect(lambda _result: self._panes.pane.focus_composer())
        dialog.open()

    async def _insert_filled(
        self, prompt: ServerPrompt, values: Mapping[str, str], *, thread_id: str | None, is_after_slash: bool
    ) -> None:
        composer = self._panes.composer
        server, before = distinct_name(prompt.server.name), composer.editor.written()
        composer.notice.show_passing(tr("Asking {server} for “{title}”…", server=server, title=prompt.title))
        used = await (await self.service()).offers.use(prompt, values)

        def insert(*, takes_query: bool = False) -> None:
            if self._threads.thread_id != thread_id or composer.editor.isReadOnly():
                self._panes.pane.show_toast(tr("The prompt was not inserted: another thread is open now."))
                return
            if takes_query:
                select_mark_query(composer.editor, SLASH)
            composer.insert_text(used.text)
            self._panes.pane.focus_composer()
            composer.notice.show_passing(tr("{server} wrote this text. Read it before you send it.", server=server))
            for file in used.files:
                self._attachments().attach_bytes(file.name, file.data)

        if self._threads.thread_id == thread_id and composer.editor.written() != before:
            # It would go out unread with the message that somebody is about to send.
            self._panes.pane.show_toast(
                tr("“{title}” came while you were typing.", title=prompt.title), tr("Insert"), insert
            )
        else:
            insert(takes_query=is_after_slash)


def _label(argument: PromptArgument) -> str:
    label = argument.label if argument.is_required else tr("{label} (optional)", label=argument.label)
    return f"{label}: {argument.description}" if argument.description else label
