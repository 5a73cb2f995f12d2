"""Tools in the window: the card that asks, the page of servers."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from chatdesk.core.domain.tools import (
    Answer,
    ApprovalRequest,
    CheckStep,
    ServerKind,
    ServerState,
    ServerStatus,
    Tool,
    ToolCheck,
    ToolHints,
    ToolServer,
)
from chatdesk.core.tools.server_requests import (
    Asker,
    FieldKind,
    FormField,
    FormRequest,
    ModelRequest,
    PageRequest,
    ServerRequest,
)
from chatdesk.core.tools.web_search.choice import WEB, SearchCheck, SearchChoice, SearchEngine, SearchStep
from chatdesk.ui.features.tools.consent_card import ConsentCard
from chatdesk.ui.features.tools.request_card import RequestCard
from chatdesk.ui.features.tools.search_form import SearchForm, search_words
from chatdesk.ui.features.tools.server_form import ServerForm
from chatdesk.ui.features.tools.sign_in_binding import SignInCard
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
_ASKER = Asker("thread", "Trains", "Book seats", "uvx trains-server --country ch")
_FORM = FormRequest(
    "form-1",
    _ASKER,
    "Two seats are free on the 9:32 to Bern. Who travels?",
    (
        FormField("name", "Your name", "As it is printed on the ticket", FieldKind.TEXT, is_required=True),
        FormField("email", "Email", "", FieldKind.TEXT, format="email"),
        FormField("class", "Class", "", FieldKind.CHOICE, default="2", options=(("1", "First"), ("2", "Second"))),
        FormField("window", "At the window", "", FieldKind.SWITCH, default=True),
    ),
)
_SECRET = FormRequest(
    "form-2",
    _ASKER,
    "Sign in to go on.",
    (FormField("password", "Password", "", FieldKind.TEXT, is_required=True),),
)
_PAYMENT = PageRequest("page-1", _ASKER, "Pay there, then go on here.", "https://pay.example.com/checkout?order=7")
_QUESTION = ModelRequest(
    "model-1",
    _ASKER,
    "You sum up timetables.",
    (("user", "Which of these trains is the quickest?\n\n9:32 Bern, 10:02 Bern, 10:32 Bern"),),
    500,
    None,
    "gpt-4o of OpenAI",
)
_FILES = ToolServer("files", "Files", ServerKind.COMMAND, ("npx", "-y", "server-filesystem", "~/notes"))
_CRM = ToolServer("crm", "Customers", ServerKind.ADDRESS, address="https://crm.example.com/mcp", client_id="desk-7")
_SEND = Tool("crm", "Customers", "send_mail", "Send mail", "Sends a mail to a customer.", {}, ToolHints(), "1" * 64)


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    plain = _card(theme, approval(), waiting=1)
    reason = "This thread has text from outside (the page example.org), which could have asked for this."
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
        ("tools-page", _page(theme)),
        ("tools-search-tested", _search_form(theme, SearchEngine.BRAVE, is_tested=True)),
        ("tools-search-address", _search_form(theme, SearchEngine.SEARXNG)),
        ("tools-search-none", _search_form(theme, None)),
        ("tools-consent-web", _card(theme, _of_the_web(), waiting=1)),
        ("tools-sign-in", _sign_in_card(theme)),
        ("tools-form-program", ServerForm(theme, _FILES)),
        ("tools-form-address", ServerForm(theme, _CRM)),
        *request_samples(theme),
    ]


def request_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    """What servers ask a person for."""
    refused = _request_card(theme, _FORM)
    refused.findChildren(RequestCard)[0].accept_button.click()
    narrow = _request_card(theme, _FORM)
    narrow.resize(360, 560)
    mirrored = _request_card(theme, _FORM)
    mirrored.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    return [
        ("tools-request-form", _request_card(theme, _FORM)),
        ("tools-request-missing", refused),
        ("tools-request-narrow", narrow),
        ("tools-request-right-to-left", mirrored),
        ("tools-request-secret", _request_card(theme, _SECRET)),
        ("tools-request-page", _request_card(theme, _PAYMENT)),
        ("tools-request-model", _request_card(theme, _QUESTION)),
    ]


def _sign_in_card(theme: Theme) -> QWidget:
    page = QWidget()
    page.resize(776, 200)
    column = QVBoxLayout(page)
    column.addStretch(1)
    card = SignInCard(theme)
    card.show_request(_CRM)
    column.addWidget(card)
    return page


def _request_card(theme: Theme, request: ServerRequest) -> QWidget:
    page = QWidget()
    page.resize(776, 460)
    column = QVBoxLayout(page)
    column.addStretch(1)
    card = RequestCard(theme)
    card.show_request(request)
    column.addWidget(card)
    return page


def _search_form(theme: Theme, engine: SearchEngine | None, *, is_tested: bool = False) -> QWidget:
    choice = SearchChoice(engine, "https://searx.example.org" if engine is SearchEngine.SEARXNG else "")
    form = SearchForm(theme, choice, frozenset((SearchEngine.TAVILY,)))
    if is_tested:
        form.show_check(SearchCheck(SearchStep.REACHED, True))
        words = "Brave Search does not take this key. Enter it in Settings, Tools."
        form.show_check(SearchCheck(SearchStep.ALLOWED, False, words))
    return form


def _of_the_web() -> ApprovalRequest:
    tool = Tool(WEB, "The web", "read_web_page", "", "Read a web page.", {}, ToolHints(is_read_only=True), "2" * 64)
    arguments = '{"address": "https://www.tides.example/harwich?day=today"}'
    request = approval(tool=tool, arguments=arguments, where="https://www.tides.example")
    return replace(request, answers=(Answer.DENY, Answer.ONCE))


def _page(theme: Theme) -> QWidget:
    own = ToolServer("chatdesk-chats", "Your threads", ServerKind.BUILT_IN)
    files = ToolServer("files", "Files", ServerKind.COMMAND, ("npx", "-y", "server-filesystem", "~/notes"))
    page = ToolsPage(theme)
    page.show_servers(
        (
            ServerStatus(own, ServerState.READY, tool_count=3),
            ServerStatus(ToolServer(WEB, "The web", ServerKind.BUILT_IN), ServerState.READY, tool_count=2),
            ServerStatus(
                ToolServer("crm", "Customers", ServerKind.ADDRESS, address="https://crm.example.com/mcp"),
                ServerState.FAILED,
                "Customers cannot be used: It asks you to sign in: choose Sign in in Settings, Tools.",
            ),
            ServerStatus(files, ServerState.FAILED, "“npx” was not found. It comes with Node.js: sudo apt install npm"),
        ),
        search=search_words(
            SearchChoice(SearchEngine.SEARXNG, "https://searx.example.org"), "https://searx.example.org"
        ),
    )
    for check in (
        ToolCheck(CheckStep.FOUND, True),
        ToolCheck(CheckStep.STARTED, True),
        ToolCheck(CheckStep.SPOKE, False, "It asks you to sign in: choose Sign in in Settings, Tools."),
    ):
        page.show_check("crm", check)
    page.resize(520, 620)
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
