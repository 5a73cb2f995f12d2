"""Makes the items around the text of a message: its author, its mark, the row of tools below it, and the lines of the
context above and below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatdesk.core.domain.context import SummaryEnd
from chatdesk.core.domain.message import Message
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.commands.message_action import MessageAction, MessageState, is_final, is_question
from chatdesk.ui.commands.message_catalogue import MESSAGE_ACTIONS
from chatdesk.ui.local_forms import decimal_text, money_text, time_of
from chatdesk.ui.transcript.drawing.item import Item
from chatdesk.ui.transcript.items.footer_item import FooterItem, Tool
from chatdesk.ui.transcript.items.header_item import AuthorItem, HeaderItem
from chatdesk.ui.transcript.items.line_item import LineItem, UnreadItem, start_line, summary_line
from chatdesk.ui.transcript.items.mark_item import MarkItem, mark_of
from chatdesk.ui.transcript.items.text_item import WaitingItem
from chatdesk.ui.transcript.messages.message_facts import MessageFacts
from chatdesk.ui.widgets.words import with_capital

_MORE = Text("More")


class FrameItems:
    """The items above a message's content; ``MessageEntry.frame`` exposes it. Each item is made once and kept until
    what it shows differs, so that its layout stays. ``on_changed`` is called when something is shown otherwise."""

    def __init__(self, facts: MessageFacts, on_changed: Callable[[], None]) -> None:
        self._facts = facts
        self._on_changed = on_changed
        self._asked_ms = facts.message.created_at
        self._is_first_unread = False
        self._unread = UnreadItem()
        self.start_line: LineItem | None = None
        self._summary: tuple[SummaryEnd, LineItem] | None = None
        self._made_mark: tuple[tuple[str, str], MarkItem] | None = None
        self._made_waiting: WaitingItem | None = None
        self._made_header: tuple[tuple[str, int, str], HeaderItem] | None = None
        self._made_author: tuple[str, AuthorItem] | None = None

    @property
    def summary_line(self) -> LineItem | None:
        return None if self._summary is None else self._summary[1]

    def set_landmarks(self, *, is_context_start: bool, summary_end: SummaryEnd | None) -> bool:
        """Set whether the context starts here and which summary ends here; return whether that is new."""
        shown = None if self._summary is None else self._summary[0]
        was_start = self.start_line is not None
        if is_context_start != was_start:
            self.start_line = start_line() if is_context_start else None
        if summary_end != shown:
            self._summary = None if summary_end is None else (summary_end, summary_line(summary_end))
        is_new = is_context_start != was_start or summary_end != shown
        if is_new:
            self._on_changed()
        return is_new

    def set_asked(self, at_ms: int) -> None:
        """Set the time since which the provider has been asked for this answer."""
        self._asked_ms = at_ms
        self._on_changed()

    def set_unread(self, is_first: bool) -> None:
        """Set whether the unread part of the thread begins here."""
        before, self._is_first_unread = self._is_first_unread, is_first
        if is_first != before:
            self._on_changed()

    def above(self) -> list[Item]:
        """Return the items above the text."""
        facts = self._facts
        items: list[Item] = []
        if facts.is_bare:
            return items
        if self._is_first_unread:
            items.append(self._unread)
        if self.start_line is not None:
            items.append(self.start_line)
        if not facts.is_question:
            items.append(self._header())
        elif facts.message.author_id is not None:
            items.append(self._author(facts.message.author_id))
        mark = self._mark()
        if mark is not None:
            items.append(mark)
        return items

    def waiting(self) -> WaitingItem:
        who, since_ms = self._facts.author, self._asked_ms
        made = self._made_waiting
        if made is None or (made.who, made.since_ms) != (who, since_ms):
            made = self._made_waiting = WaitingItem(who, since_ms)
        return made

    def _header(self) -> HeaderItem:
        facts = self._facts
        name, when, person = facts.author, facts.message.created_at, facts.person
        if self._made_header is None or self._made_header[0] != (name, when, person):
            # an edited answer names its author in the footer
            is_asked_for = bool(person) and not facts.message.is_edited_answer
            asked_by = (facts.message.author_id or "", person) if is_asked_for else None
            header = HeaderItem(name, time_of(when), facts.whole_time, asked_by)
            self._made_header = (name, when, person), header
        return self._made_header[1]

    def _author(self, author_id: str) -> AuthorItem:
        name = self._facts.person
        if self._made_author is None or self._made_author[0] != name:
            tip = f"{name}, {self._facts.whole_time}"
            self._made_author = name, AuthorItem(name, author_id, tip=tip)
        return self._made_author[1]

    def _mark(self) -> MarkItem | None:
        mark = mark_of(self._facts.message, self._facts.person)
        if mark is None:
            self._made_mark = None
        elif self._made_mark is None or self._made_mark[0] != mark:
            self._made_mark = mark, MarkItem(mark, is_beside_end=self._facts.is_question)
        return self._made_mark[1] if self._made_mark is not None else None


def footer_of(state: MessageState, facts: MessageFacts, *, quick: Sequence[MessageAction]) -> FooterItem:
    """Return the row of tools below a message with its ``quick`` actions; an answer that is being written has none."""
    message = state.message
    if facts.is_bare:
        return FooterItem(())
    versions, tools = (message.version_index, message.version_count), _tools_of(state)
    if not is_question(state) and not is_final(state):
        versions, tools = (1, 1), ()
    if state.has_quick_actions:
        tools += tuple(Tool(each.name, shown(each.text), text=shown(each.text), acts=True) for each in quick)
    return FooterItem(
        tuple(_allowed(tool, facts.refusal_of(tool.action)) for tool in tools),
        versions=versions,
        version_by=(facts.person or tr("you", "beside a name")) if facts.version_words else "",
        versions_tip=with_capital(facts.version_words),
        note=figures(message),
        time=time_of(message.created_at),
        tip=facts.whole_time,
        is_right_aligned=is_question(state),
    )


def _tools_of(state: MessageState) -> tuple[Tool, ...]:
    actions = (each for each in MESSAGE_ACTIONS if each.is_tool and each.applies(state))
    tools = (Tool(each.name, shown(each.text), each.icon, acts=each.writes) for each in actions)
    return (*tools, Tool("more", shown(_MORE), "ellipsis"))


def _allowed(tool: Tool, refusal: str) -> Tool:
    """Return ``tool``, disabled and with the reason in its label when the reader may not use it."""
    return (
        replace(tool, label=tr("{action}: {reason}", action=tool.label, reason=refusal), is_enabled=False)
        if refusal
        else tool
    )


def figures(message: Message) -> str:
    """Return the tokens, seconds and price of an answer, as far as they are known; cached tokens are counted apart."""
    parts = []
    tokens = message.total_tokens
    if tokens is None and message.completion_tokens is not None:
        tokens = (message.prompt_tokens or 0) + message.completion_tokens
    if tokens is not None:
        parts.append(shown(plural("{count} tokens", "{count} token", tokens)))
    if message.cached_tokens:
        parts.append(tr("{count} from cache", count=message.cached_tokens))
    if message.written_tokens:
        parts.append(tr("{count} cached", count=message.written_tokens))
    if message.latency_ms is not None and message.parts:
        parts.append(tr("{seconds} s", seconds=decimal_text(message.latency_ms / 1000, 1)))
    if message.cost_usd:
        parts.append(money_text(message.cost_usd))
    return " · ".join(parts)
