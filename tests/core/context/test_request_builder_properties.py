"""For any path, window, marks, start and summary: the request fits, keeps order, has the newest question, pairs tools,
and every message is explained.

A token is a letter here, so that what a request takes can be counted again from its words.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import assume, given
from hypothesis import strategies as st

from chatdesk.core.context.budget import Candidates, Selection, TokenBudget, select
from chatdesk.core.context.group_run import GroupRun
from chatdesk.core.context.groups import FENCE_TOKENS, TOKENS_PER_MESSAGE, Group, fenced, make_groups
from chatdesk.core.context.request_builder import build_request, summary_text
from chatdesk.core.domain.context import ContextPart, ContextRow, Reason
from chatdesk.core.domain.message import ContextMark, PartType, Role
from chatdesk.core.domain.model_info import ModelInfo
from chatdesk.core.domain.parameters import Parameters
from chatdesk.core.domain.summary import Summary, SummaryAuthor
from chatdesk.core.errors import DoesNotFit, MessageLargerThanWindow, QuestionExcluded
from chatdesk.core.providers.base import ChatRequest, RequestMessage

_CALL_IDS = ("", "c1", "c2")


@dataclass
class Case:
    groups: list[Group]
    first_known: int
    budget: TokenBudget
    system_prompt: str
    summary: Summary | None
    starts_at: int

    @property
    def tail(self) -> list[Group]:
        return [group for group in self.groups if group.first >= self.first_known]

    @property
    def pinned(self) -> list[Group]:
        """As storage finds them: only those before what is in memory."""
        return [group for group in self.groups if group.first < self.first_known and group.mark is ContextMark.PINNED]

    @property
    def candidates(self) -> Candidates:
        return Candidates(
            GroupRun(self.tail).upto(),
            self.pinned,
            system_tokens=_tokens(self.system_prompt),
            summary_tokens=None if self.summary is None else _tokens(summary_text(self.summary)),
            summarised_to=-1 if self.summary is None else self.summary.to_position,
            starts_at=self.starts_at,
        )

    def select(self) -> Selection:
        return select(self.budget, self.candidates)

    def request(self, selection: Selection) -> ChatRequest:
        return build_request(
            ModelInfo("m", "m", self.budget.window, self.budget.reserved),
            self.candidates,
            selection,
            system_prompt=self.system_prompt,
            summary=self.summary,
            parameters=Parameters(),
        )


def _tokens(text: str) -> int:
    return len(text) + TOKENS_PER_MESSAGE if text else 0


def _size(message: RequestMessage) -> int:
    """A token is a letter here, but for the marks around what a tool returned, which are counted as they are."""
    marks = FENCE_TOKENS - len(fenced("")) if message.role is Role.TOOL else 0
    return len(message.text) + marks


def _part(kind: PartType, text: str, call_id: str = "") -> ContextPart:
    return ContextPart(f"p{id(text)}", kind, text, call_id, "tool" if call_id else "", len(text))


@st.composite
def _rows(draw: st.DrawFn) -> list[ContextRow]:
    rows = []
    position = 0
    for number in range(draw(st.integers(1, 25))):
        position += draw(st.integers(1, 3)) if number else 0  # messages in the trash leave gaps
        role = draw(st.sampled_from([Role.USER, Role.ASSISTANT, Role.ASSISTANT, Role.TOOL]))
        parts = []
        if draw(st.integers(0, 5)):
            parts.append(_part(PartType.TEXT, f"<{number}>" + "x" * draw(st.integers(0, 60))))
        if role is Role.ASSISTANT:
            for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
                parts.append(_part(PartType.TOOL_CALL, "{}", draw(st.sampled_from(_CALL_IDS))))
            if draw(st.booleans()):
                parts.append(_part(PartType.TOOL_RESULT, f"[{number}]", draw(st.sampled_from(_CALL_IDS))))
        if role is Role.TOOL:
            parts.append(_part(PartType.TOOL_RESULT, f"[{number}]", draw(st.sampled_from(_CALL_IDS))))
        mark = draw(st.sampled_from([ContextMark.NONE] * 4 + [ContextMark.PINNED, ContextMark.EXCLUDED]))
        rows.append(ContextRow(f"m{number}", position, role, mark, tuple(parts)))
    rows.append(
        ContextRow("ask", position + 1, Role.USER, ContextMark.NONE, (_part(PartType.TEXT, "<ask>" + "q" * 10),))
    )
    return rows


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    rows = draw(_rows())
    groups = make_groups(rows)
    positions = [group.first for group in groups]
    window = draw(st.integers(30, 3_000))
    summary = None
    if draw(st.booleans()):
        last = draw(st.sampled_from(rows)).position
        summary = Summary(
            "s", "t", 1, "m0", "mX", "s" * draw(st.integers(1, 80)), 0, None, None, "1", 0, SummaryAuthor.MODEL,
            pinned_facts=("fact",), from_position=0, to_position=last, message_count=1,
        )  # fmt: skip
    return Case(
        groups,
        first_known=draw(st.sampled_from(positions)),
        budget=TokenBudget.of(
            window, answer=draw(st.integers(1, 2_000)), factor=draw(st.sampled_from([1.0, 1.15, 2.5, 0.5]))
        ),
        system_prompt=draw(st.sampled_from(["", "Be brief.", "y" * 200])),
        summary=summary,
        starts_at=draw(st.sampled_from([0, 0, 0, *positions])),
    )


def _chosen(case: Case) -> tuple[Selection, ChatRequest]:
    try:
        selection = case.select()
    except DoesNotFit:
        assume(False)
        raise
    return selection, case.request(selection)


@given(_cases())
def test_the_request_fits_with_room_for_the_answer(case: Case) -> None:
    selection, request = _chosen(case)
    counted = sum(
        _size(message) + sum(len(call.arguments) for call in message.tool_calls) + TOKENS_PER_MESSAGE
        for message in request.messages
    )
    assert counted <= case.budget.counted
    assert case.budget.scaled(counted) <= case.budget.window - case.budget.reserved + 1
    summary = _tokens(summary_text(case.summary)) if case.summary and selection.has_summary else 0
    assert counted == _tokens(case.system_prompt) + summary + selection.pinned_tokens + selection.recent_tokens


@given(_cases())
def test_the_order_is_that_of_the_path(case: Case) -> None:
    _choice, request = _chosen(case)
    assert request.messages[-1].text.startswith("<ask>")
    wire = [id(message) for group in case.groups for message in group.wire]
    places = [wire.index(id(message)) for message in request.messages if id(message) in wire]
    assert places == sorted(places)


@given(_cases())
def test_no_call_is_without_its_result(case: Case) -> None:
    _choice, request = _chosen(case)
    open_calls: list[str] = []
    for message in request.messages:
        if message.role is Role.TOOL:
            assert message.tool_call_id == open_calls.pop(0)
            continue
        assert not open_calls
        open_calls = [call.id for call in message.tool_calls]
        assert all(open_calls)
    assert not open_calls


@given(_cases())
def test_every_message_is_explained_and_the_reason_is_true(case: Case) -> None:
    selection, request = _chosen(case)
    sent_texts = [message.text for message in request.messages]
    known = {id(group) for group in (*case.tail, *case.pinned)}
    for group in case.groups:
        reason = selection.reason(group)
        is_there = all(message.text in sent_texts for message in group.wire) and not group.is_empty
        if reason is Reason.SENT:
            assert is_there
        elif id(group) in known and not group.is_empty:
            assert not any(message.text in sent_texts for message in group.wire if message.text.startswith("<"))
        if group.mark is ContextMark.EXCLUDED:
            assert reason is Reason.EXCLUDED
        if reason is Reason.SUMMARISED:
            assert case.summary is not None
            assert group.first <= case.summary.to_position


@given(_cases())
def test_nothing_that_fits_is_left_out_before_something_older(case: Case) -> None:
    """Between the oldest message of the tail that is sent and the question there is no gap but what the reader made."""
    selection, _request = _chosen(case)
    for group in case.tail:
        if group.first >= selection.tail_from:
            assert selection.reason(group) in (Reason.SENT, Reason.EXCLUDED, Reason.EMPTY)


@given(_cases())
def test_a_refusal_has_its_own_words(case: Case) -> None:
    refusal = _refusal(case)
    is_larger = case.groups[-1].tokens > case.budget.counted
    assert isinstance(refusal, MessageLargerThanWindow) == is_larger
    assert refusal is None or (refusal.what and refusal.next_step)
    assert not isinstance(refusal, QuestionExcluded)


def _refusal(case: Case) -> DoesNotFit | None:
    try:
        case.select()
    except DoesNotFit as error:
        return error
    return None
