"""Every kind of block and every state of a message, each in a transcript of its own, for the gallery."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.attachment import Attachment
from chatdesk.core.domain.context import ContextLandmarks, SummaryEnd
from chatdesk.core.domain.message import EDITED, ContextMark, Message, MessagePage, Part, PartType, Role, Status
from chatdesk.core.rendering.blocks import (
    Block,
    CodeBlock,
    CodeRun,
    Heading,
    ImagePlaceholder,
    MathBlock,
    Paragraph,
    Placement,
    Rule,
    Span,
    Table,
)
from chatdesk.core.rendering.render_requests import StreamUpdate
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.view import TranscriptView

_CODE = """create policy member_reads on messages
  for select using (
    exists (select 1 from project_members m
            where m.project_id = messages.project_id
              and m.role_name = current_user)); -- one row a member
"""


class FixedRenderer:
    """Gives the blocks that a sample was written with."""

    def __init__(self, blocks: dict[str, tuple[Block, ...]]) -> None:
        self._blocks = blocks

    def request(
        self, text: str, on_done: Callable[[tuple[Block, ...]], None], *, is_answer: bool = True
    ) -> FixedRenderer:
        on_done(self._blocks.get(text, (Paragraph((Span(text),)),)))
        return self

    def cancel(self) -> None:
        """Nothing runs."""

    def open_stream(self, on_update: Callable[[StreamUpdate], None]) -> FixedStream:
        return FixedStream(self._blocks, on_update)


class FixedStream:
    """Gives the blocks of a sample as soon as its text has come."""

    def __init__(self, blocks: dict[str, tuple[Block, ...]], on_update: Callable[[StreamUpdate], None]) -> None:
        self._blocks, self._on_update = blocks, on_update
        self._text = ""

    def append(self, delta: str) -> None:
        self._text += delta
        # Later, as the real one answers: who opened the stream has it only then.
        QTimer.singleShot(0, lambda: self._on_update(StreamUpdate(0, self._blocks.get(self._text, ()))))

    def cancel(self) -> None:
        """Nothing is open."""


# A name, messages, and the blocks of their texts.
Sample = tuple[str, list[Message], dict[str, tuple[Block, ...]]]


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    drawn = [(name, build_view(theme, messages, blocks)) for name, messages, blocks in _samples()]
    return [*drawn, ("transcript context", _context(theme)), ("transcript mirrored", _context(theme, is_mirrored=True))]


def _context(theme: Theme, *, is_mirrored: bool = False) -> TranscriptView:
    """Marks, and the lines where the context starts and where summaries end."""
    pinned, excluded = {"context_mark": ContextMark.PINNED}, {"context_mark": ContextMark.EXCLUDED}
    edited = {"finish_reason": EDITED}
    too_large = {"status": Status.ERROR, "error_type": "message_larger_than_window", "error": "It is too large."}
    messages = [
        make_message(0, Role.USER, "What have we decided so far?"),
        make_message(1, Role.ASSISTANT, "To write the index in batches.", version_index=2, version_count=3, **edited),
        make_message(2, Role.USER, "Keep this in mind: batches of 500.", **pinned),
        make_message(3, Role.ASSISTANT, "This was a wrong track.", **excluded),
        make_message(4, Role.USER, "So what comes next?"),
        make_message(5, Role.ASSISTANT, "", **too_large),
    ]
    view = build_view(theme, messages, {})
    ends = (SummaryEnd("m1", 124), SummaryEnd("m3", 126, is_stale=True))
    view.conversation.set_landmarks(ContextLandmarks("m4", ends))
    if is_mirrored:
        view.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
    return view


def build_view(theme: Theme, messages: list[Message], blocks: dict[str, tuple[Block, ...]]) -> TranscriptView:
    def fetch(thread_id: str, *, deliver: Callable[[MessagePage], None], **_wish: object) -> None:
        deliver(MessagePage(thread_id, tuple(messages), False, False, len(messages)))

    view = TranscriptView(fetch, FixedRenderer(blocks), theme)
    view.resize(1016, 640)
    view.show_thread("sample", None)
    return view


def _samples() -> list[Sample]:
    answers = [sample_answer(), sample_stream(), _kinds(), _scripts(), _failures(), _open_calls(), _steps(), _sources()]
    return [*answers, _long_code(), _wide()]


def sample_answer() -> Sample:
    question = "How do I let every member of a project read its messages, but nobody else, without a server in between?"
    item = Placement(list_depth=1, marker="•")
    blocks: tuple[Block, ...] = (
        Paragraph(
            (
                Span("Give each member a Postgres role of their own and let "),
                Span("row-level security", is_bold=True),
                Span(" decide. The client then cannot lie about who it is:"),
            )
        ),
        Paragraph((Span("one login role per member, in the group role "), Span("chatdesk_member", is_code=True)), item),
        Paragraph(
            (Span("a "), Span("project_members", is_code=True), Span(" table that names the role and its rights")), item
        ),
        CodeBlock("sql", _CODE, _sql_runs()),
        Table(
            ("", "", "", ""),
            _row("Role", "read", "write", "invite"),
            (
                _row("viewer", "yes", "no", "no"),
                _row("editor", "yes", "own messages", "no"),
                _row("owner", "yes", "yes", "yes"),
            ),
        ),
    )
    answer = make_message(
        1, Role.ASSISTANT, "answer", total_tokens=1204, latency_ms=3100, version_index=2, version_count=3
    )
    return "transcript answer", [make_message(0, Role.USER, question), answer], {"answer": blocks}


def sample_stream(*, is_ended: bool = True) -> Sample:
    """An answer with reasoning and a tool. One that has not ended waits for its text, ``stream``, in part 3."""
    item = Placement(list_depth=1, marker="•")
    blocks: tuple[Block, ...] = (
        Paragraph(
            (
                Span("The stall lines up with "),
                Span("automatic checkpoints", is_bold=True),
                Span(": the write-ahead log reaches 1,000 pages, and the connection whose commit crosses that line "),
                Span("pays for copying them back."),
            )
        ),
        Paragraph((Span("Three ways out, cheapest first:"),)),
        Paragraph(
            (Span("checkpoint from a background thread with "), Span("PRAGMA wal_checkpoint(PASSIVE)", is_code=True)),
            item,
        ),
        Paragraph((Span("raise "), Span("wal_autocheckpoint", is_code=True), Span(", and truncate when idle")), item),
    )
    parts = (
        Part("a", "m1", 0, PartType.REASONING, {"text": "Look at the log."}, started_at=0, completed_at=4000),
        Part("b", "m1", 1, PartType.TOOL_CALL, {"name": "read_file", "arguments": '{"path": "app.log"}'}),
        Part("c", "m1", 2, PartType.TOOL_RESULT, {"text": "checkpoint 312 ms"}, tool_duration_ms=200),
        *((Part("d", "m1", 3, PartType.TEXT, {"text": "stream"}),) if is_ended else ()),
    )
    log = Attachment("app.log", "text/plain", "a" * 64, 48_213)
    program = Attachment("stall.dmp", "application/octet-stream", "b" * 64, 3_400_000)
    asked = (
        Part("e", "m0", 0, PartType.FILE, log.as_content()),
        Part("f", "m0", 1, PartType.FILE, program.as_content()),
        Part("g", "m0", 2, PartType.TEXT, {"text": "Why does my SQLite app stall for 300 ms every few minutes?"}),
    )
    answer = make_message(1, Role.ASSISTANT, "", parts=parts, status=Status.STOPPED if is_ended else Status.STREAMING)
    return "transcript reasoning and tools", [make_message(0, Role.USER, "", parts=asked), answer], {"stream": blocks}


def _kinds() -> Sample:
    blocks: tuple[Block, ...] = (
        Heading(1, (Span("A first heading"),)),
        Paragraph(
            (
                Span("Words with "),
                Span("a link", href="https://example.org"),
                Span(", "),
                Span("italics", is_italic=True),
                Span(" and "),
                Span("struck words", is_struck=True),
                Span("."),
            )
        ),
        Heading(2, (Span("A second heading"),)),
        Paragraph((Span("first"),), Placement(list_depth=1, marker="1.")),
        Paragraph(
            (Span("below it, long enough to need more than one line so that the indent can be seen"),),
            Placement(list_depth=2, marker="•"),
        ),
        Paragraph((Span("second"),), Placement(list_depth=1, marker="2.")),
        Paragraph((Span("done"),), Placement(list_depth=1, marker="☑")),
        Paragraph((Span("to do"),), Placement(list_depth=1, marker="☐")),
        Paragraph((Span("Quoted words stand behind a bar."),), Placement(quote_depth=1)),
        Rule(),
        MathBlock(r"\int_0^1 x^2\,dx = \frac{1}{3}"),
        ImagePlaceholder("A diagram", "https://example.org/a.png", "example.org"),
    )
    return "transcript kinds of block", [make_message(0, Role.ASSISTANT, "kinds")], {"kinds": blocks}


def _scripts() -> Sample:
    arabic = "مرحبا، هذا نص بالعربية يكفي ليملأ أكثر من سطر واحد في العمود، ثم ينتهي عند هذه الكلمات القليلة الأخيرة."
    blocks: tuple[Block, ...] = (
        Paragraph((Span(arabic),)),
        Paragraph((Span("שלום עולם"),), Placement(list_depth=1, marker="•")),
        Paragraph((Span("日本語の文章です。中文也可以。한국어도."),)),
        Paragraph((Span("Combining: e\u0301 a\u0308, emoji: 🙂 👩‍💻"),)),
    )
    return (
        "transcript scripts",
        [make_message(0, Role.USER, "سؤال قصير؟"), make_message(1, Role.ASSISTANT, "scripts")],
        {"scripts": blocks},
    )


def _failures() -> Sample:
    error = "The server did not answer within 30 s. Your message is kept. Try again or choose another model."
    messages = [
        make_message(0, Role.USER, "Anyone there?"),
        make_message(1, Role.ASSISTANT, "", status=Status.ERROR, error=error),
        make_message(2, Role.USER, "And now?"),
        make_message(3, Role.ASSISTANT, "Half an answer", status=Status.INTERRUPTED),
        make_message(4, Role.USER, "Go on."),
        make_message(5, Role.ASSISTANT, "Words until", status=Status.STREAMING),
    ]
    return "transcript failures", messages, {}


def _open_calls() -> Sample:
    def cut_off(place: int, status: str) -> Message:
        content = {"name": "files__read_file", "server": "Files", "tool": "read_file", "status": status}
        call = {**content, "arguments": '{"path": "notes/plan.md"}'}
        part = Part(status, f"m{place}", 0, PartType.TOOL_CALL, call, tool_call_id="c1", tool_name="files__read_file")
        return make_message(place, Role.ASSISTANT, "", parts=(part,), status=Status.INTERRUPTED)

    running = {"name": "files__index", "server": "Files", "tool": "index", "status": "running", "arguments": "{}"}
    part = Part("running", "m5", 0, PartType.TOOL_CALL, {**running, "progress": "40 % · 12 of 30 folders"})
    messages = [
        make_message(0, Role.USER, "What is planned?"),
        cut_off(1, "waiting"),
        make_message(2, Role.USER, "And for next week?"),
        cut_off(3, "unknown"),
        make_message(4, Role.USER, "Index my notes."),
        make_message(5, Role.ASSISTANT, "", parts=(part,), status=Status.STREAMING),
    ]
    return "transcript open calls", messages, {}


def _sources() -> Sample:
    rows = [
        {"number": 1, "title": "Tide tables for Harwich", "url": "https://www.tides.example/harwich"},
        {
            "number": 2,
            "title": "How tides are predicted, from harmonic constants",
            "url": "https://ntslf.example/theory",
        },
        {"number": 3, "title": "bank.example\u202e moc", "url": "https://evil.example/"},
    ]
    arguments = '{"query": "high water Harwich"}'
    call = {
        "name": "chatdesk-web__search_web",
        "server": "The web",
        "server_id": "chatdesk-web",
        "tool": "search_web",
        "arguments": arguments,
    }
    parts = (
        Part("a", "m1", 0, PartType.TOOL_CALL, {**call, "status": "done"}, tool_call_id="c1"),
        Part("b", "m1", 1, PartType.TOOL_RESULT, {"text": "…", "sources": rows}, tool_call_id="c1"),
        Part("c", "m1", 2, PartType.TEXT, {"text": "tides"}),
    )
    blocks: tuple[Block, ...] = (Paragraph((Span("High water at Harwich is at 12:41 today [1], as predicted [2]."),)),)
    messages = [make_message(0, Role.USER, "When is high water?"), make_message(1, Role.ASSISTANT, "", parts=parts)]
    return "transcript sources", messages, {"tides": blocks}


def _steps() -> Sample:
    def call(index: int, server_id: str, tool: str, arguments: str, status: str = "done") -> tuple[Part, ...]:
        said = {"server": "Time", "server_id": server_id, "tool": tool, "status": status, "arguments": arguments}
        result = {"text": "12:41", "status": status}
        call_id = f"c{index}"
        return (
            Part(f"a{index}", "m1", index, PartType.TOOL_CALL, said, tool_call_id=call_id),
            Part(
                f"b{index}", "m1", index + 1, PartType.TOOL_RESULT, result, tool_call_id=call_id, tool_duration_ms=600
            ),
        )

    parts = (
        *call(0, "time", "current_time", '{"place": "Vienna"}'),
        *call(2, "chatdesk-web", "search_web", '{"query": "trams in Vienna"}'),
        *call(4, "chatdesk-folder", "read_file", '{"path": "notes/plan.md"}'),
    )
    messages = [
        make_message(0, Role.USER, "Will I catch the tram?"),
        make_message(1, Role.ASSISTANT, "Three finished calls.", parts=(*parts, _text(6, "Yes."))),
        make_message(2, Role.USER, "What time is it?"),
        make_message(3, Role.ASSISTANT, "One.", parts=(*parts[:2], _text(6, "12:41."))),
        make_message(4, Role.USER, "And now?"),
        make_message(5, Role.ASSISTANT, "While written.", parts=parts, status=Status.STREAMING),
    ]
    return "transcript steps", messages, {}


def _text(index: int, words: str) -> Part:
    return Part(f"t{index}", "m", index, PartType.TEXT, {"text": words})


def _long_code() -> Sample:
    code = "".join(f"print({number})  # line {number}\n" for number in range(1, 121))
    blocks: tuple[Block, ...] = (CodeBlock("python", code),)
    return "transcript long code", [make_message(0, Role.ASSISTANT, "long")], {"long": blocks}


def _wide() -> Sample:
    header = _row(*(f"Column {number}" for number in range(14)))
    rows = tuple(_row(*(f"cell {row}.{column}" for column in range(14))) for row in range(30))
    blocks: tuple[Block, ...] = (
        CodeBlock("", "one very long line " * 30),
        Table(("right",) * 14, header, rows),
    )
    return "transcript wide things", [make_message(0, Role.ASSISTANT, "wide")], {"wide": blocks}


def sample_message(text: str) -> Message:
    return make_message(0, Role.ASSISTANT, text)


def make_message(position: int, role: Role, text: str, **more: object) -> Message:
    message_id = f"m{position}"
    values: dict[str, object] = {
        "parts": (Part(f"p{position}", message_id, 0, PartType.TEXT, {"text": text}),) if text else (),
        "status": Status.COMPLETE,
        "model": None if role is Role.USER else "gpt-4o",
        **more,
    }
    return Message(message_id, "sample", None, role, created_at=0, position=position, **values)  # type: ignore[arg-type]


def _row(*cells: str) -> tuple[tuple[Span, ...], ...]:
    return tuple((Span(cell),) for cell in cells)


def _sql_runs() -> tuple[CodeRun, ...]:
    """Colours by word, enough for a picture."""
    keywords = {"create", "policy", "on", "for", "select", "using", "exists", "from", "where", "and"}
    runs: list[CodeRun] = []
    word = ""
    comment = _CODE.index("--")
    for place, sign in enumerate(_CODE + "\0"):
        if sign.isalnum() or sign == "_":
            word += sign
            continue
        if word:
            kind = "keyword" if word in keywords else "number" if word.isdigit() else "plain"
            kind = "string" if word == "current_user" else kind
            runs.append(CodeRun(len(word), "comment" if place > comment else kind))
            word = ""
        if sign != "\0":
            runs.append(CodeRun(1, "comment" if place >= comment else "plain"))
    return tuple(runs)
