"""Tools in the window: the card that asks, the page of servers."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.domain.tools import (
    Answer,
    ApprovalRequest,
    ServerKind,
    ServerState,
    ServerStatus,
    Tool,
    ToolHints,
    ToolServer,
)
from chatdesk.ui.features.tools.consent_card import ConsentCard
from chatdesk.ui.features.tools.tools_page import ToolsPage
from chatdesk.ui.theme.theme import Theme

_WRITE = Tool(
    "files",
    "Files",
    "write_file",
    "Write file",
    "Create a new file or completely overwrite an existing file with new content.",
    {"type": "object", "properties": {"path": {"type": "string"}, "content": {"type": "string"}}},
    ToolHints(is_destructive=True),
    "0" * 64,
)
_SEND = Tool("crm", "Customers", "send_mail", "Send mail", "Sends a mail to a customer.", {}, ToolHints(), "1" * 64)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    plain = _card(theme, approval(), waiting=1)
    reason = "This chat has text from outside (the page example.org), which could have asked for this."
    tainted = _card(
        theme,
        approval(
            tool=_SEND,
            arguments='{"to": "anna@example.org", "text": "Dear \\u202eAnna, \\n\\nas agreed", "copies": [1, 2, 3]}',
            where="https://crm.example.com/mcp",
            reason=reason,
        ),
        waiting=3,
    )
    refused = _card(theme, approval(), waiting=1)
    refused.findChildren(ConsentCard)[0].arguments.setPlainText("{path: notes.md}")
    refused.findChildren(ConsentCard)[0].once_button.click()
    focused = _card(theme, approval(), waiting=1)
    focused.setProperty("focusOn", "consentDeny")
    narrow = _card(theme, approval(), waiting=2)
    narrow.resize(360, 420)
    mirrored = _card(theme, approval(), waiting=2)
    mirrored.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    return [
        ("tools-consent", plain),
        ("tools-consent-tainted", tainted),
        ("tools-consent-not-json", refused),
        ("tools-consent-focus", focused),
        ("tools-consent-narrow", narrow),
        ("tools-consent-right-to-left", mirrored),
        ("tools-page", _page()),
    ]


def _page() -> QWidget:
    own = ToolServer("chatdesk-chats", "Your chats", ServerKind.BUILT_IN)
    files = ToolServer("files", "Files", ServerKind.COMMAND, ("npx", "-y", "server-filesystem", "~/notes"))
    page = ToolsPage()
    page.show_servers(
        (
            ServerStatus(own, ServerState.READY, tool_count=3),
            ServerStatus(
                ToolServer("crm", "Customers", ServerKind.ADDRESS, address="https://crm.example.com/mcp"),
                ServerState.FAILED,
                "Customers cannot be used: It asks you to sign in: choose Sign in in Settings, Tools.",
            ),
            ServerStatus(files, ServerState.FAILED, "“npx” was not found. It comes with Node.js: sudo apt install npm"),
        )
    )
    page.resize(520, 420)
    return page


def approval(
    *,
    tool: Tool = _WRITE,
    arguments: str = '{"path": "notes/2026.md", "content": "# Notes\\n\\nWAL is faster than a rollback journal."}',
    where: str = "npx -y @modelcontextprotocol/server-filesystem /home/ada/notes",
    reason: str = "",
) -> ApprovalRequest:
    answers = (Answer.DENY, Answer.ONCE) if reason else tuple(Answer)
    return ApprovalRequest("call-1", "thread", "message", tool, arguments, where, reason, answers)


def _card(theme: Theme, request: ApprovalRequest, *, waiting: int) -> QWidget:
    page = QWidget()
    page.resize(776, 400)
    column = QVBoxLayout(page)
    column.addStretch(1)
    card = ConsentCard(theme)
    card.show_request(request, waiting=waiting)
    column.addWidget(card)
    return page
