"""Determines facts about a message for its reader: its author, whether it is complete, and the allowed actions."""

from __future__ import annotations

from collections.abc import Callable

from chatdesk.core.domain.message import ContextMark, Message, Role, Status
from chatdesk.core.domain.prompt import LONGEST_NAME
from chatdesk.core.hidden_characters import clean_line
from chatdesk.core.texts import Text, shown, tr
from chatdesk.ui.commands.message_catalogue import message_action
from chatdesk.ui.local_forms import whole_time_of
from chatdesk.ui.transcript.contract import ModelName, SharedWith

# Between what an author's computer says and when the server took it, which is more than a clock that is a little wrong.
_FAR_MS = 24 * 60 * 60 * 1000
_ONLY_READ = Text("you can only read this project")


class MessageFacts:
    """The state and the author of a message, apart from its content. ``message`` is its newest state; ``shared`` is
    None in a private thread; ``model_name`` names models; ``is_bare``: nothing is shown around its text. ``on_changed``
    is called when what is shown of it has changed."""

    def __init__(
        self,
        message: Message,
        shared: SharedWith | None,
        model_name: ModelName,
        *,
        is_bare: bool = False,
        on_changed: Callable[[], None],
    ) -> None:
        self.message = message
        self.shared = shared
        self.model_name = model_name
        self.is_bare = is_bare
        self._on_changed = on_changed

    def set_model_name(self, model_name: ModelName) -> bool:
        """Set the function that names models, and return whether the name shown here changed."""
        before, self.model_name = self.author, model_name
        return self._notify_if(self.author != before)

    def set_shared(self, shared: SharedWith | None) -> bool:
        """Set with whom the thread is shared, and return whether anything shown here changed."""
        before, self.shared = self.shown_of_team, shared
        return self._notify_if(self.shown_of_team != before)

    def _notify_if(self, is_other: bool) -> bool:
        if is_other:
            self._on_changed()
        return is_other

    @property
    def is_question(self) -> bool:
        return self.message.role is Role.USER

    @property
    def is_live(self) -> bool:
        return not self.message.status.is_final

    @property
    def is_excluded(self) -> bool:
        return self.message.context_mark is ContextMark.EXCLUDED

    @property
    def can_continue(self) -> bool:
        """True if the answer ended before it was complete."""
        message = self.message
        is_cut_off = message.status is Status.COMPLETE and message.finish_reason == "length"
        return message.role is Role.ASSISTANT and (message.status.can_continue or is_cut_off)

    @property
    def author(self) -> str:
        if self.is_question:
            return self.person or tr("You")
        if self.message.role is Role.ASSISTANT:
            model = self.model_name(self.message.provider, self.message.model)
            name = clean_line(self.message.assistant_name or "")[:LONGEST_NAME]
            return " · ".join(filter(None, (name, model))) or tr("Assistant")
        return tr("System") if self.message.role is Role.SYSTEM else tr("Tool")

    @property
    def person(self) -> str:
        """The name of the other member who wrote the message or asked for it; empty for the reader."""
        author_id = self.message.author_id
        if author_id is None:
            return ""
        return (self.shared.name_of(author_id) if self.shared is not None else "") or tr("Another member")

    @property
    def whole_time(self) -> str:
        """The time of the message in full. It is its author's word, which is said where the server took it on another
        day."""
        said, accepted = self.message.created_at, self.message.accepted_at
        if accepted is None or abs(accepted - said) < _FAR_MS:
            return whole_time_of(said)
        return tr(
            "{moment}, as the author's computer says; it came to the team {accepted}",
            moment=whole_time_of(said) or "?",
            accepted=whole_time_of(accepted),
        )

    @property
    def version_words(self) -> str:
        """The shown version, such as "version 2 of 3, by Ana"; empty in a private thread or with one version."""
        message = self.message
        if self.shared is None or message.version_count < 2:
            return ""
        return tr(
            "version {number} of {count}, by {person}",
            number=message.version_index,
            count=message.version_count,
            person=self.person or tr("you"),
        )

    @property
    def shown_of_team(self) -> tuple[object, ...]:
        """The shown facts that depend on the members with whom the thread is shared."""
        return self.person, self.version_words, *(self.refusal_of(action) for action in ("edit", "delete"))

    def refusal_of(self, action: str) -> str:
        """Return why the reader may not do ``action`` with this message; empty if they may."""
        shared, known = self.shared, message_action(action)
        if shared is None or known is None or not known.writes:
            return ""
        if not shared.can_write:
            return shown(_ONLY_READ)
        if known.is_danger and self.message.author_id is not None and not shared.can_manage:
            return tr("{person} wrote this", person=self.person)
        return ""
