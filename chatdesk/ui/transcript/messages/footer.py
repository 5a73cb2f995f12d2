"""The row of tools below a message: the actions of the catalogue that have a button there, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatdesk.core.domain.message import Message
from chatdesk.core.texts import Text, plural, shown, tr
from chatdesk.ui.commands.message_action import MessageAction, MessageState, is_final, is_question
from chatdesk.ui.commands.message_catalogue import MESSAGE_ACTIONS
from chatdesk.ui.local_forms import decimal_text, money_text
from chatdesk.ui.transcript.drawing.moments import time_of
from chatdesk.ui.transcript.items.footer_item import FooterItem, Tool
from chatdesk.ui.transcript.messages.message_facts import MessageFacts
from chatdesk.ui.widgets.words import with_capital

_MORE = Text("More")


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
