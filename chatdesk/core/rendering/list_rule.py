"""Parses lists as models write them.

The rule is markdown-it's (``rules_block/list.py``, MIT licence, Alex Kocharov and others) with two changes: below a
numbered item, a nested list or fence indented by only two spaces belongs to the item (CommonMark asks for three or
more), and nesting stops at a fixed depth without losing text.
"""

from __future__ import annotations

from markdown_it.common.utils import isStrSpace
from markdown_it.rules_block import StateBlock

# Deeper structure is shown as text; markdown-it's own limit (maxNesting) would drop it.
MAX_CONTAINER_LEVEL = 40
_TASKS = {" ": False, "x": True, "X": True}


def bullet_end(state: StateBlock, line: int) -> int:
    """Return the position after the bullet of ``line``, -1 when there is none."""
    pos = state.bMarks[line] + state.tShift[line]
    end = state.eMarks[line]
    if pos >= end or state.src[pos] not in "*-+":
        return -1
    pos += 1
    return -1 if pos < end and not isStrSpace(state.src[pos]) else pos


def number_end(state: StateBlock, line: int) -> int:
    """Return the position after ``12.`` or ``12)`` of ``line``, -1 when there is none; at most nine digits."""
    start = pos = state.bMarks[line] + state.tShift[line]
    end = state.eMarks[line]
    while pos < end and "0" <= state.src[pos] <= "9":
        pos += 1
    if not 0 < pos - start <= 9 or pos >= end or state.src[pos] not in ".)":
        return -1
    pos += 1
    return -1 if pos < end and not isStrSpace(state.src[pos]) else pos


def list_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    if state.is_code_block(start_line) or state.level >= MAX_CONTAINER_LEVEL:
        return False
    # "- 1", " - 2", … "    - 5": the fifth line continues the paragraph of the fourth.
    if (
        state.listIndent >= 0
        and state.sCount[start_line] - state.listIndent >= 4
        and state.sCount[start_line] < state.blkIndent
    ):
        return False
    marker_end = number_end(state, start_line)
    is_ordered = marker_end >= 0
    if not is_ordered:
        marker_end = bullet_end(state, start_line)
        if marker_end < 0:
            return False
    ends_paragraph = silent and state.parentType == "paragraph" and state.sCount[start_line] >= state.blkIndent
    if ends_paragraph and (
        (is_ordered and int(_number(state, start_line, marker_end)) != 1)
        or state.skipSpaces(marker_end) >= state.eMarks[start_line]
    ):
        return False
    if silent:
        return True

    marker = state.src[marker_end - 1]
    kind = "ordered_list" if is_ordered else "bullet_list"
    opening = state.push(f"{kind}_open", "ol" if is_ordered else "ul", 1)
    opening.markup = marker
    if is_ordered:
        opening.meta = {"start": int(_number(state, start_line, marker_end))}
    opening.map = list_lines = [start_line, 0]
    terminators = state.md.block.ruler.getRules("list")
    old_parent = state.parentType
    state.parentType = "list"
    line = start_line
    while line < end_line:
        line = _item(state, line, end_line, marker_end=marker_end, is_ordered=is_ordered)
        if line >= end_line or state.sCount[line] < state.blkIndent or state.is_code_block(line):
            break
        if any(rule(state, line, end_line, True) for rule in terminators):
            break
        marker_end = number_end(state, line) if is_ordered else bullet_end(state, line)
        if marker_end < 0 or state.src[marker_end - 1] != marker:
            break
    state.push(f"{kind}_close", "ol" if is_ordered else "ul", -1)
    list_lines[1] = line
    state.line = line
    state.parentType = old_parent
    return True


def _number(state: StateBlock, line: int, marker_end: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : marker_end - 1]


def _item(state: StateBlock, line: int, end_line: int, *, marker_end: int, is_ordered: bool) -> int:
    """Read one item; return the line after it."""
    end = state.eMarks[line]
    marker_column = state.sCount[line]
    initial = offset = marker_column + marker_end - (state.bMarks[line] + state.tShift[line])
    pos = marker_end
    while pos < end:
        if state.src[pos] == "\t":
            offset += 4 - (offset + state.bsCount[line]) % 4
        elif state.src[pos] == " ":
            offset += 1
        else:
            break
        pos += 1
    padding = 1 if pos >= end else offset - initial
    if padding > 4:  # indented code in the item
        padding = 1
    strict_indent = indent = initial + padding
    if is_ordered:
        indent = _lenient_indent(state, line, end_line, marker_column=marker_column, indent=indent)
    # How far everything behind the marker is from where CommonMark would have it.
    leniency = strict_indent - indent

    token = state.push("list_item_open", "li", 1)
    token.map = item_lines = [line, 0]
    old_b_mark, old_t_shift, old_s_count = state.bMarks[line], state.tShift[line], state.sCount[line]
    old_list_indent, old_tight, old_blk_indent = state.listIndent, state.tight, state.blkIndent
    state.listIndent = state.blkIndent
    state.blkIndent = indent
    state.tight = True
    state.sCount[line] = offset - leniency
    if leniency:
        # ``getLines`` cuts ``blkIndent`` columns from the start of the line: these must not be the marker's own.
        state.bMarks[line] = max(state.bMarks[line], pos - state.sCount[line])
    state.tShift[line] = pos - state.bMarks[line]
    if not state.is_code_block(line):
        box = state.src[pos : pos + 4]
        if len(box) >= 3 and box[0] == "[" and box[1] in _TASKS and box[2] == "]" and box[3:] in ("", " ", "\t", "\n"):
            token.meta = {"checked": _TASKS[box[1]]}
            state.bMarks[line] = min(pos + 4, end)
            state.tShift[line] = 0
            pos = state.bMarks[line]
    if pos >= end and state.isEmpty(line + 1):
        # An empty item ends before an indented line that follows a blank one.
        state.line = min(state.line + 2, end_line)
    else:
        state.md.block.tokenize(state, line, end_line)
    state.blkIndent = old_blk_indent
    state.listIndent = old_list_indent
    state.bMarks[line], state.tShift[line], state.sCount[line] = old_b_mark, old_t_shift, old_s_count
    state.tight = old_tight
    state.push("list_item_close", "li", -1)
    item_lines[1] = state.line
    return state.line


def _lenient_indent(state: StateBlock, line: int, end_line: int, *, marker_column: int, indent: int) -> int:
    """Return the column of a numbered item's content: that of a nested list or fence that is two or more to the
    right. A number that counts on is the next item, wherever it is."""
    least = marker_column + 2
    next_number = str(int(_number(state, line, number_end(state, line))) + 1)
    following = line + 1
    while following < end_line:
        if not state.isEmpty(following):
            column = state.sCount[following]
            if column < least or column >= indent:
                break
            nested_end = number_end(state, following)
            if nested_end >= 0:
                return indent if _number(state, following, nested_end) == next_number else column
            if bullet_end(state, following) >= 0 or state.src.startswith(
                ("```", "~~~"), state.bMarks[following] + state.tShift[following]
            ):
                return column
        following += 1
    return indent
