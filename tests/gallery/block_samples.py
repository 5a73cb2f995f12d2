"""Every kind of block in its states. The gallery shows them, and pixel tests hold what they look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.message import Message, Role, Status
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
from chatdesk.core.rendering.drawing.math_drawing import draw_formula
from chatdesk.core.rendering.markdown import parse_markdown
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.transcript.contract import Picture, PictureSource
from chatdesk.ui.transcript.drawing.item import Item, PaintState
from chatdesk.ui.transcript.drawing.picture_loader import decode
from chatdesk.ui.transcript.drawing.transcript_style import TranscriptStyle
from chatdesk.ui.transcript.items.code_item import CodeItem
from chatdesk.ui.transcript.items.diagram_item import DiagramItem
from chatdesk.ui.transcript.items.fold_item import FoldItem
from chatdesk.ui.transcript.items.footer_item import FooterItem, Tool
from chatdesk.ui.transcript.items.gaps import grown_gaps
from chatdesk.ui.transcript.items.header_item import HeaderItem
from chatdesk.ui.transcript.items.image_item import ImageItem
from chatdesk.ui.transcript.items.items_from_blocks import items_for
from chatdesk.ui.transcript.items.notice_item import NoticeItem
from chatdesk.ui.transcript.items.picture_item import PictureItem
from chatdesk.ui.transcript.items.text_item import WaitingItem
from chatdesk.ui.transcript.messages.notices import notice_of, retry_notice
from chatdesk.ui.transcript.painting.canvas import paint_quote_bars, shared_quotes

WIDTH_PX = 520
_BETWEEN = """
1. first item

   its second paragraph
2. second item

- [ ] to do, in a list of its own
- [x] done

> A quote of two paragraphs,
>
> whose bar is one,
>
> | with | a table |
> |---|---|
> | 1 | 2 |

> and another quote
>
> > with one in it
"""
_RIGHT_TO_LEFT = """
1. الأول
2. الثاني
   - فرع

> اقتباس قصير
>
> ```python
> print("مرحبا")
> ```

| الاسم | القيمة | ملاحظة |
|---|--:|---|
| أحمد | 12 | نص أطول قليلا |
| سارة | 7 | |
"""
_LATER_MS = 4_000_000_000_000
_MARGIN_PX = 12
_BULLET = Placement(list_depth=1, marker="•")


@dataclass(slots=True)
class Sample:
    """Items one below the other; ``state`` is how the item at ``stateful`` is painted."""

    items: list[Item]
    state: dict[str, object] = field(default_factory=dict)
    stateful: int = 0


def _written(text: str) -> Sample:
    return _blocks(*parse_markdown(text))


def samples() -> dict[str, Sample]:
    """By name; new items each time."""
    made: dict[str, Callable[[], Sample]] = {
        "headings and words": lambda: _blocks(
            Heading(1, (Span("A first heading"),)),
            Paragraph(
                (
                    Span("Words with "),
                    Span("bold", is_bold=True),
                    Span(", "),
                    Span("italics", is_italic=True),
                    Span(", "),
                    Span("struck words", is_struck=True),
                    Span(" and "),
                    Span("inline code", is_code=True),
                    Span(". A mark"),
                    Span("1", note="fn-1"),
                    Span(" of a note."),
                )
            ),
            Heading(2, (Span("A second heading"),)),
            Rule(),
        ),
        "lists": lambda: _blocks(
            Paragraph((Span("first"),), Placement(list_depth=1, marker="1.")),
            Paragraph(
                (Span("below it, and long enough to need more than the one line that it begins on"),), _deep("•")
            ),
            Paragraph((Span("done"),), Placement(list_depth=1, marker="☑")),
            Paragraph((Span("to do"),), Placement(list_depth=1, marker="☐")),
            Paragraph((Span("Quoted words stand behind a bar."),), Placement(quote_depth=1)),
        ),
        "lists and quotes": lambda: _written(_BETWEEN),
        "right to left": lambda: _written(_RIGHT_TO_LEFT),
        "formula to come": lambda: _blocks(Paragraph((Span("It is"),)), MathBlock("", is_pending=True)),
        "links": lambda: _blocks(_links()),
        "link with the focus": lambda: _blocks(_links(), focused_action="link-1"),
        "formulas": lambda: _blocks(
            Paragraph((Span("Let "), _inline("x^2 + y^2"), Span(" and "), _inline(r"\frac{a}{b}"), Span(" be."))),
            _display(r"\int_0^1 x^2\,dx = \frac{1}{3}"),
            MathBlock(r"\notknown{x}"),
            Table(("", ""), ((Span("name"),), (Span("value"),)), (((_inline(r"\sqrt{2}"),), (Span("1.41"),)),)),
        ),
        "formulas with numbers": lambda: _blocks(
            Paragraph(
                (Span("Sums "), _inline(r"\sum_{i=1}^n x_i"), Span(" stay small: "), _inline(r"\int_0^1 f"), Span("."))
            ),
            _display(r"\begin{align} a &= b + c \tag{1} \\ d &= \frac{e}{f} \tag{2} \end{align}"),
            _display(r"A^{-1} = \begin{pmatrix} a & b \\ c & d \end{pmatrix}^{-1} \qquad ad - bc \neq 0"),
            _display(r"\ce{Zn^2+ <=>[+ 2OH-][+ 2H+] Zn(OH)2 v} \tag{3}"),
            Paragraph(
                (
                    _inline(r"\ce{2H2 + O2 -> 2H2O}"),
                    Span(", "),
                    _inline(r"\ce{^{227}_{90}Th+}"),
                    Span(", "),
                    _inline(r"\pu{1.2e3 kJ/mol}"),
                )
            ),
            _display(r"\textcolor{red}{x} + \textcolor{blue}{y} = \textcolor{green}{z} + w"),
        ),
        "formulas written out": lambda: _blocks(
            _display(
                r"\lim_{x \to 0} \frac{\sin x}{x} = \max\big\{ A \cup B,\ \operatorname*{arg\,max}_{\theta} L \big\}"
            ),
            _display(r"\genfrac{[}{]}{0pt}{}{n}{k} + \colorbox{yellow}{$x^2$} + \nicefrac{1}{2}\bigg\vert_{x=0}^{1}"),
            _display(r"f(x) = \begin{cases} 1 & \text{if $x \in \mathbb{RP}^2$} \\ 0 & \text{otherwise} \end{cases}"),
            _display(r"\Set{x \in \R | \abs{x} \le \norm{y}_2} \qquad \braket{\phi}{\psi} \qquad \mathbf{12} \times 3"),
        ),
        "formula selected": lambda: _blocks(_display("e^{i\\pi} = -1"), selected=(0, 5)),
        "formula too wide": lambda: _blocks(_display("+".join(f"x_{{{n}}}^2" for n in range(24)))),
        "code": lambda: _blocks(_python()),
        "code with its tools": lambda: _blocks(_python(), is_attended=True, focused_action="save-code"),
        "code selected": lambda: _blocks(_python(), selected=(4, 40)),
        "code wrapped": _wrapped,
        "code that is a page": lambda: _blocks(CodeBlock("html", "<h1>Plan</h1>"), is_attended=True),
        "code too wide": lambda: _blocks(CodeBlock("", "a long line " * 20)),
        "code folded": lambda: _blocks(CodeBlock("text", "\n".join(f"line {n}" for n in range(1, 313)))),
        "diff": lambda: _blocks(_diff()),
        "table": lambda: _blocks(_table(), is_attended=True),
        "table too wide": lambda: _blocks(_table(columns=9)),
        "image not asked for": lambda: _blocks(
            ImagePlaceholder("A cat on a roof", "https://example.org/cat.png", "example.org"),
            ImagePlaceholder("A local file", "/etc/passwd", ""),
        ),
        "image before it comes": lambda: Sample([_picture_item()]),
        "image": lambda: Sample([_with_picture(_picture_item())]),
        "image that failed": lambda: Sample([_failed(_picture_item())]),
        "image in the own network": lambda: Sample([_near("192.168.1.1")]),
        "diagram": lambda: Sample([_diagram()]),
        "diagram as source": lambda: Sample([_diagram(is_source=True)], {"focused_action": "show-source"}),
        "diagram that cannot be drawn": lambda: _blocks(
            CodeBlock("mermaid", "graph TD\nA --> B", remark="This diagram could not be drawn")
        ),
        "folds": lambda: Sample([*_folds()], {"focused_action": "toggle-fold"}, 1),
        "notices": lambda: Sample(
            [
                NoticeItem("The server did not answer within 30 s. Your message is kept.", (("retry", "Try again"),)),
                NoticeItem("This answer is not complete.", (("continue", "Continue"),), tone="warning"),
                NoticeItem("You stopped this answer.", tone="line"),
            ]
        ),
        "waiting and failures": _waiting_and_failures,
        "header and tools": lambda: Sample([HeaderItem("gpt-4o", "Today 14:02"), _footer()], {"is_active": True}, 1),
    }
    return {name: make() for name, make in made.items()}


def _waiting_and_failures() -> Sample:
    """What is where an answer is waited for, and below one that failed. The moments are so far away that each run
    draws the same."""
    waiting = WaitingItem("swift-small", _LATER_MS)
    waiting.tick(_LATER_MS + 12_000)
    retry = retry_notice("OpenAI is receiving too many requests.", attempt=2, due_ms=_LATER_MS)
    retry.tick(_LATER_MS - 21_000)
    refused = "OpenAI did not accept the API key. It says: “Incorrect API key provided”. Your message is kept."
    unknown = "OpenAI does not know this model or this address. Your message is kept. Choose another model."
    failures = [
        notice_of(
            Message("m", "t", "q", Role.ASSISTANT, Status.ERROR, 0, 1, error=text, error_type=kind),
            person="",
            can_continue=True,
            now_ms=0,
        )
        for text, kind in ((refused, "unauthorised"), (unknown, "model_not_found"))
    ]
    return Sample([waiting, retry, *(each for each in failures if each is not None)], {"show_caret": True}, 0)


def _indent_of(item: Item, style: TranscriptStyle) -> float:
    return style.indent(item.at, WIDTH_PX) if item.is_indented else 0.0


def draw(sample: Sample, style: TranscriptStyle) -> QImage:
    """The items as the transcript paints them, on its ground."""
    tops: list[float] = []
    y = float(_MARGIN_PX)
    gaps = grown_gaps((), sample.items, is_question=False)
    for item, gap in zip(sample.items, gaps, strict=True):
        item.ensure_layout(style, WIDTH_PX - _indent_of(item, style))
        y += gap
        tops.append(y)
        y += item.height
    image = QImage(WIDTH_PX + 2 * _MARGIN_PX, round(y) + _MARGIN_PX, QImage.Format.Format_RGB32)
    image.fill(style.colour("background"))
    painter = QPainter(image)
    for place, (item, top) in enumerate(zip(sample.items, tops, strict=True)):
        before = sample.items[place - 1].at if place else Placement()
        area = QRectF(_MARGIN_PX, top, WIDTH_PX, item.height)
        shared = shared_quotes(before, item.at)
        paint_quote_bars(painter, style, item.at, area=area, above=gaps[place], shared=shared)
        x = _MARGIN_PX + (0.0 if item.at.is_right_to_left else _indent_of(item, style))
        painter.translate(x, top)
        state = sample.state if place == sample.stateful else {}
        item.paint(painter, PaintState(style, QRectF(0, 0, WIDTH_PX, item.height), **state))  # type: ignore[arg-type]
        painter.translate(-x, -top)
    painter.end()
    return image


class _Shown(QWidget):
    """A sample as a widget, for the gallery."""

    def __init__(self, image: QImage) -> None:
        super().__init__()
        self._image = image
        self.setFixedSize(image.size())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawImage(QPointF(0, 0), self._image)
        painter.end()


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    style = TranscriptStyle(theme)
    return [(f"block {name}", _Shown(draw(sample, style))) for name, sample in samples().items()]


def _blocks(*blocks: Block, **state: object) -> Sample:
    return Sample([item for block in blocks for item in items_for(block)], state)


def _deep(marker: str) -> Placement:
    return Placement(list_depth=2, marker=marker)


def _links() -> Paragraph:
    return Paragraph(
        (
            Span("See "),
            Span("the documentation", href="https://example.org/docs"),
            Span(" or "),
            Span("bank.example", href="https://evil.test/login"),
            Span(", which is another place."),
        )
    )


def _inline(tex: str) -> Span:
    return Span(tex, is_math=True, drawing=draw_formula(tex, is_display=False))


def _display(tex: str) -> MathBlock:
    return MathBlock(tex, drawing=draw_formula(tex, is_display=True))


def _python() -> CodeBlock:
    text = "def total(items):\n    return sum(items)  # all of them\n"
    runs = (
        CodeRun(3, "keyword"),
        CodeRun(1, "plain"),
        CodeRun(5, "function"),
        CodeRun(13, "plain"),
        CodeRun(6, "keyword"),
        CodeRun(13, "plain"),
        CodeRun(15, "comment"),
        CodeRun(1, "plain"),
    )
    return CodeBlock("python", text, runs)


def _diff() -> CodeBlock:
    lines = [("@@ -1,3 +1,3 @@", "function"), ("-old line", "deleted"), ("+new line", "inserted"), (" same", "plain")]
    runs = tuple(CodeRun(len(line) + (place < len(lines) - 1), kind) for place, (line, kind) in enumerate(lines))
    return CodeBlock("diff", "\n".join(line for line, _ in lines), runs)


def _wrapped() -> Sample:
    item = CodeItem(CodeBlock("text", "a long line that goes on " * 8))
    item.is_wrapped = True
    return Sample([item])


def _table(columns: int = 3) -> Table:
    def row(*words: str) -> tuple[tuple[Span, ...], ...]:
        return tuple((Span(word),) for word in words)

    header = row(*(f"Column {n}" for n in range(1, columns + 1)))
    rows = tuple(row(*(f"cell {line}.{n}" for n in range(1, columns + 1))) for line in range(1, 4))
    return Table(("left", "center", "right", *[""] * columns)[:columns], header, rows)


def _picture_item() -> PictureItem:
    return PictureItem("A picture", PictureSource(stored="a.png"), shape=(300, 160))


def _with_picture(item: PictureItem) -> PictureItem:
    image = QImage(300, 160, QImage.Format.Format_ARGB32_Premultiplied)
    ramp = QLinearGradient(0, 0, 300, 160)
    ramp.setColorAt(0, QColor("#0B7A75"))
    ramp.setColorAt(1, QColor("#E0A94A"))
    painter = QPainter(image)
    painter.fillRect(image.rect(), ramp)
    painter.end()
    item.set_picture(Picture(image))
    return item


def _failed(item: PictureItem) -> PictureItem:
    item.set_picture(Picture(None, "The file is not there."))
    return item


def _near(host: str) -> ImageItem:
    """As it is when an address in the reader's own network was asked for once."""
    item = ImageItem(ImagePlaceholder("A cat on a roof", f"http://{host}/cat.png", host))
    item.set_picture(Picture(None, f"{host} is in your own network.", f"http://{host}/cat.png", host, is_near=True))
    return item


class _Ready:
    """A door that has every picture at once."""

    def load(self, source: PictureSource, on_done: Callable[[Picture], None]) -> None:
        on_done(decode(source.data, source.most))


def _diagram(*, is_source: bool = False) -> DiagramItem:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image = _with_picture(_picture_item()).image
    assert image is not None
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    item = DiagramItem(CodeBlock("mermaid", "graph TD\n A --> B", pictures=(bytes(data.data()),)))
    item.is_source_shown = is_source
    item.ask(_Ready(), lambda: None)
    return item


def _folds() -> list[Item]:
    opened = FoldItem("b", "Asked Files: read file · app.log", icon="terminal")
    opened.set_progress("0.2 s", is_done=True)
    return [FoldItem("a", "Thought for 4 s"), opened, FoldItem("c", "Thinking…")]


def _footer() -> FooterItem:
    tools = (
        Tool("copy", "Copy", "copy"),
        Tool("regenerate", "Regenerate", "refresh-cw"),
        Tool("more", "More", "ellipsis"),
    )
    return FooterItem(tools, versions=(2, 3), note="1,204 tokens · 3.1 s")
