"""Parses definitions as PHP Markdown Extra has them: a paragraph of terms, one a line, and ``: text`` below it."""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock

from chatdesk.core.rendering.list_rule import MAX_CONTAINER_LEVEL

_MARK = re.compile(r":[ \t]+(?=[^ \t])")


def definition_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Parse a definition, which becomes a list of one item. Nothing marks its terms but what is below them."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    match = _MARK.match(state.src, start, state.eMarks[start_line])
    if match is None or state.is_code_block(start_line) or state.level >= MAX_CONTAINER_LEVEL:
        return False
    if silent:
        # The next definition ends the paragraph of the one before it.
        is_next = 0 <= state.ddIndent <= state.sCount[start_line]
        return state.parentType == "paragraph" and (is_next or state.sCount[start_line] >= state.blkIndent)
    if not _follows_terms(state, start_line):
        return False
    meta = {"is_definition": True}
    state.push("bullet_list_open", "dl", 1).map = list_lines = [start_line, 0]
    state.tokens[-1].meta = meta
    state.push("list_item_open", "dd", 1).map = item_lines = [start_line, 0]
    state.tokens[-1].meta = meta
    old_t_shift, old_s_count = state.tShift[start_line], state.sCount[start_line]
    old = state.blkIndent, state.ddIndent, state.parentType, state.tight
    # What is indented by two or more belongs to the definition.
    state.blkIndent, state.ddIndent = old_s_count + 2, old_s_count
    state.tShift[start_line] += match.end() - start
    state.sCount[start_line] = state.blkIndent
    state.parentType = "list"
    state.md.block.tokenize(state, start_line, end_line)
    state.tShift[start_line], state.sCount[start_line] = old_t_shift, old_s_count
    state.blkIndent, state.ddIndent, state.parentType, state.tight = old
    state.push("list_item_close", "dd", -1)
    state.push("bullet_list_close", "dl", -1).meta = meta
    list_lines[1] = item_lines[1] = state.line
    return True


def _follows_terms(state: StateBlock, line: int) -> bool:
    """Return whether terms, or another definition of them, end right above ``line``, or above one blank line."""
    last = state.tokens[-1] if state.tokens else None
    if last is None or last.level != state.level:
        return False
    if last.type == "bullet_list_close":
        return bool(last.meta.get("is_definition"))
    opening = state.tokens[-3] if last.type == "paragraph_close" else None
    return opening is not None and opening.map is not None and line - opening.map[1] <= 1
