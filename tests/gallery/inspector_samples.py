"""The inspector's tabs, filled, and compared answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtWidgets import QWidget

from chatdesk.core.domain.context import ContextEntry, ContextReport, ContextTotals, Reason
from chatdesk.core.domain.knowledge import (
    EnclosedPassages,
    ListedPassage,
    PassageChoice,
    PassageFate,
    PassagePlace,
)
from chatdesk.core.domain.memory import Memory, MemoryOrigin, SentMemory
from chatdesk.core.domain.message import Message, Role, Status
from chatdesk.core.domain.summary import StaleReason, Summary, SummaryAuthor, SummaryState, SummarySwitches
from chatdesk.core.domain.tree import TreeNode, tree_rows
from chatdesk.core.rendering.blocks import Block, Paragraph, Placement, Span
from chatdesk.ui.features.compare.view import CompareView
from chatdesk.ui.features.inspector.context_tab import ContextTab
from chatdesk.ui.features.inspector.summary_tab import SummaryTab
from chatdesk.ui.features.inspector.tree_tab import TreeTab
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.window.inspector import Inspector
from tests.gallery.transcript_samples import build_view, make_message, sample_answer

_HEIGHT_PX = 640


def build_samples(theme: Theme) -> list[tuple[str, QWidget]]:
    return [
        ("inspector-context", build_inspector(theme, "Context")),
        ("inspector-summary", build_inspector(theme, "Summary")),
        ("inspector-tree", build_inspector(theme, "Tree")),
        ("compare", build_comparison(theme, 1000)),
        ("compare-narrow", build_comparison(theme, 480)),
    ]


def build_inspector(theme: Theme, tab: str) -> Inspector:
    inspector = Inspector(theme)
    inspector.add_tab("Context", _context(theme))
    inspector.add_tab("Summary", _summary(theme))
    inspector.add_tab("Tree", _tree(theme))
    inspector.show_tab(tab)
    inspector.resize(inspector.maximumWidth(), _HEIGHT_PX)
    return inspector


def _context(theme: Theme) -> ContextTab:
    tab = ContextTab(theme, lambda _below: None)
    totals = ContextTotals(
        128_000, 16_384, system=1_024, memory=96, summary=2_310, pinned=1_980, recent=72_806, draft=900
    )
    tab.show_report(
        ContextReport(
            "t",
            "openai",
            "gpt-4o",
            totals,
            452,
            {Reason.EXCLUDED: 2},
            summarised_count=412,
            pinned_count=2,
            recent_count=38,
            memories=tuple(
                SentMemory(Memory(text, text, None, MemoryOrigin.PERSON, "", None, False, 1, 1), tokens, is_sent)
                for text, tokens, is_sent in (
                    ("I write British English.", 6, True),
                    ("Our release is on the first Tuesday of each month.", 12, True),
                    ("The staging server has no outgoing mail.", 9, False),
                )
            ),
            found=_found(),
        )
    )
    reasons = (Reason.SENT, Reason.SENT, Reason.EXCLUDED, Reason.SUMMARISED, Reason.EMPTY, Reason.DID_NOT_FIT)
    tab.add_entries(
        [
            ContextEntry(
                str(place),
                10 - place,
                "user",
                f"Message {place} of the thread",
                320 * place,
                False,
                reason,
                place == 1,
                is_excluded=reason is Reason.EXCLUDED,
            )
            for place, reason in enumerate(reasons)
        ],
        has_older=False,
    )
    return tab


def _found() -> EnclosedPassages:
    def row(name: str, fate: PassageFate, rank: int, **more: Any) -> ListedPassage:
        return ListedPassage(PassagePlace("s", name, 1, 9), name, "x", fate, rank, by_words=rank, **more)

    return EnclosedPassages(
        "…",
        rows=(
            row("handbook.pdf, page 4 — Leave", PassageFate.SENT, 2, choice=PassageChoice.PINNED, number=1),
            row("notes/2026/leave abroad.md — Austria", PassageFate.SENT, 1, by_meaning=3, number=2),
            row("old handbook.docx", PassageFate.LEFT_OUT, 3, choice=PassageChoice.LEFT_OUT),
            row("contracts.xlsx", PassageFate.NO_ROOM, 4),
            row("bicycles.md", PassageFate.FAR, 5),
        ),
    )


def _summary(theme: Theme) -> SummaryTab:
    tab = SummaryTab(theme, lambda _start: None)
    summary = Summary(
        "s", "t", 3, "a", "b", "The team compared sync designs; chose a log in Postgres.", 2_310,
        "openai", "gpt-4o", "1", 1_760_000_000_000, SummaryAuthor.MODEL,
        pinned_facts=("The launch is on 4 May.",), state=SummaryState.STALE, stale_reason=StaleReason.EDITED,
        input_tokens=40_000, output_tokens=2_310, message_count=412, from_position=0, to_position=411,
    )  # fmt: skip
    tab.show_summaries([summary], SummarySwitches(), can_be_made=True, cost_usd=0.123)
    asked = ("How do the designs differ?", "Three ways of keeping order", "And which one has Postgres?")
    sources = [
        ContextEntry(str(place), place, role, text, 320 * place + 12, False, Reason.SUMMARISED, False)
        for place, (role, text) in enumerate(zip(("user", "assistant", "user"), asked, strict=True))
    ]
    tab.sources.add(sources, next_position=None)
    return tab


def _tree(theme: Theme) -> TreeTab:
    tab = TreeTab(theme)
    texts = ("How do roles work?", "One login role each.", "Give each member a role.", "And the owner?", "She has all.")
    parents, roles = (None, "0", "0", "2", "3"), ("user", "assistant", "assistant", "user", "assistant")
    nodes = [
        TreeNode(str(place), parents[place], roles[place], "complete", None, text, is_shown=place != 1)
        for place, text in enumerate(texts)
    ]
    nodes.append(TreeNode("5", "2", "user", "complete", None, "Never mind", is_shown=False, is_in_trash=True))
    tab.show_rows(tree_rows(nodes))
    return tab


def build_comparison(theme: Theme, width: int) -> CompareView:
    _name, messages, blocks = sample_answer()
    question, answer = messages[0], messages[1]
    answers: list[Message] = [answer, replace(answer, id=f"{answer.id[:-1]}0", model="llama-3.3-70b")]
    left = list(answers)
    view = CompareView(
        theme,
        lambda _fetch: build_view(theme, [replace(left.pop(0), position=0)], blocks),
        live=lambda message: message,
    )
    view.resize(width, _HEIGHT_PX)
    view.show_answers(question, answers)
    return view


def build_answers(theme: Theme, width: int) -> CompareView:
    """Draw two answers that differ, and a third model that did not answer."""
    item = Placement(list_depth=1, marker="•")
    blocks: dict[str, tuple[Block, ...]] = {
        "first": (
            Paragraph((Span("HNSW", is_bold=True), Span(", if the vectors fit in memory: 3 GB plus the graph."))),
            Paragraph((Span("recall above 0.95 at low latency"),), item),
            Paragraph((Span("build takes minutes, inserts are cheap"),), item),
        ),
        "second": (
            Paragraph((Span("Start with "), Span("IVF-PQ", is_bold=True), Span(": it needs a tenth of the memory."))),
            Paragraph((Span("training pass over a sample first"),), item),
            Paragraph((Span("rebuild when the data drifts"),), item),
        ),
    }
    question = make_message(0, Role.USER, "HNSW or IVF for 2 million vectors on a laptop?")
    failure = "The provider is over its rate limit; it asks to wait 21 s. Your message is kept."
    answers = [
        make_message(1, Role.ASSISTANT, "first", total_tokens=612, latency_ms=2400),
        make_message(2, Role.ASSISTANT, "second", model="llama-3.3-70b", total_tokens=540, latency_ms=11_800),
        make_message(3, Role.ASSISTANT, "", model="mistral-large", status=Status.ERROR, error=failure),
    ]
    left = list(answers)
    view = CompareView(
        theme,
        lambda _fetch: build_view(theme, [replace(left.pop(0), position=0)], blocks),
        live=lambda message: message,
    )
    view.resize(width, _HEIGHT_PX)
    view.show_answers(question, answers)
    return view
