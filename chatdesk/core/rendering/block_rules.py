"""Adds block rules to markdown-it: fences that know whether they are closed, tables as rows, display math, and limits
on nesting.

A table becomes one token that holds its rows as text: markdown-it's own rule makes three tokens a cell and expands
ragged rows without need.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, blockquote, fence
from mdit_py_plugins.footnote.index import footnote_def

from chatdesk.core.rendering.footnotes import note_key
from chatdesk.core.rendering.list_rule import MAX_CONTAINER_LEVEL, bullet_end, list_rule

MAX_TABLE_COLUMNS = 64
MAX_TABLE_CELLS = 100_000
MAX_MATH_LINES = 200

DELIMITER_LINE = re.compile(r"[-:|][-:|\s]*")
_DELIMITER_CELL = re.compile(r":?-+:?")
_ALIGNMENTS = {(False, False): "", (True, False): "left", (False, True): "right", (True, True): "center"}
_NOTE_LABEL = re.compile(r"\[\^([^\s\]\[`]{1,100})\]:")
# Environments that are formulas by themselves, without dollars around them.
BARE_ENVIRONMENTS = tuple(
    name + star
    for name in ("equation", "align", "gather", "multline", "alignat", "flalign", "eqnarray")
    for star in ("", "*")
)
_FOLD = re.compile(r"<(/?)details(?: open)?>[ \t]*(?:<summary>([^\n]{0,500}?)</summary>)?", re.IGNORECASE)
_SUMMARY = re.compile(r"<summary>([^\n]{0,500}?)</summary>", re.IGNORECASE)
_MATH_OPENING = re.compile(rf"\$\$|\\\[|\\begin{{({'|'.join(map(re.escape, BARE_ENVIRONMENTS))})}}")
# A formula cannot contain the start of a fence or heading, so an unclosed one affects nothing behind such a line.
_ENDS_MATH = re.compile(r"```|~~~|#{1,6}(?:\s|$)")


def install_block_rules(md: MarkdownIt) -> None:
    """Replace and add the rules on ``md``, which starts from the commonmark preset."""
    ruler = md.block.ruler
    ends_paragraphs: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list", "footnote_def"]}
    ruler.at("list", list_rule, {"alt": ["paragraph", "reference", "blockquote"]})
    ruler.at("fence", fence_rule, ends_paragraphs)
    ruler.at("blockquote", blockquote_rule, ends_paragraphs)
    ruler.before("code", "chat_table", table_rule, {"alt": ["paragraph", "reference"]})
    ruler.before("chat_table", "chat_short_paragraph", short_paragraph_rule)
    ruler.before("code", "chat_definition", definition_rule, {"alt": ["paragraph"]})
    ruler.before("fence", "chat_math", math_rule, ends_paragraphs)
    ruler.before("fence", "chat_fold", fold_rule, ends_paragraphs)
    ruler.before("reference", "chat_footnote", footnote_rule, {"alt": ["paragraph", "reference", "blockquote"]})


def fold_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Parse ``<details>`` with its summary, and ``</details>``, each alone on a line and in no list or quote. They
    become leaf tokens, so that a stream may settle between them."""
    if not state.src.startswith("<", state.bMarks[start_line] + state.tShift[start_line]) or state.is_code_block(
        start_line
    ):
        return False
    if state.level and not (silent and state.sCount[start_line] < state.blkIndent):
        return False
    match = _FOLD.fullmatch(line_text(state, start_line).rstrip())
    if match is None:
        return False
    if silent:
        return True
    end = start_line + 1
    summary = match[2]
    if not match[1] and summary is None and end < end_line:
        below = _SUMMARY.fullmatch(line_text(state, end).strip())
        if below is not None:
            summary, end = below[1], end + 1
    token = state.push("chat_unfold" if match[1] else "chat_fold", "", 0)
    token.content = (summary or "").strip()
    token.info = state.getLines(start_line, end, 0, False).strip()
    token.map = [start_line, end]
    state.line = end
    return True


def line_text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def short_paragraph_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Parse a paragraph of one line that begins with a letter, the most frequent block, without asking a dozen rules.
    Nothing else begins with a letter, but the line after may make a heading or a table of it, or go on."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    if silent or not state.src[start].isalpha() or state.is_code_block(start_line):
        return False
    following = start_line + 1
    if following < state.lineMax and not state.isEmpty(following) and not _is_next_bullet(state, following):
        return False
    state.line = following
    state.push("paragraph_open", "p", 1).map = [start_line, following]
    inline = state.push("inline", "", 0)
    inline.map = [start_line, following]
    inline.content = state.src[start : state.eMarks[start_line]].strip()
    inline.children = []
    state.push("paragraph_close", "p", -1)
    return True


def _is_next_bullet(state: StateBlock, line: int) -> bool:
    """Return whether ``line`` begins the next item of the enclosing list: it can be neither text nor code of this item.
    A lazy line of a quote has the column -1, and may be text."""
    column = state.sCount[line]
    return 0 <= column < state.blkIndent and column - max(0, state.listIndent) < 4 and bullet_end(state, line) >= 0


def blockquote_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    return state.level < MAX_CONTAINER_LEVEL and blockquote(state, start_line, end_line, silent)


def footnote_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    if state.level >= MAX_CONTAINER_LEVEL:
        return False
    label = _NOTE_LABEL.match(line_text(state, start_line))
    if label is None or not footnote_def(state, start_line, end_line, silent):
        return False
    if not silent:
        state.env["footnotes"]["refs"][":" + note_key(label[1])] = -1
    return True


def fence_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    if not fence(state, start_line, end_line, silent):
        return False
    if not silent:
        token = state.tokens[-1]
        last = state.line - 1
        closing = line_text(state, last).strip() if last > start_line else ""
        is_closed = (
            len(closing) >= len(token.markup)
            and not closing.strip(token.markup[0])
            and state.blkIndent <= state.sCount[last] < state.blkIndent + 4
        )
        token.meta = {"is_open": not is_closed and state.line >= len(state.bMarks) - 1}
    return True


def split_cells(line: str) -> list[str]:
    """Return the cells of a table row; ``\\|`` is a pipe inside a cell, in code too."""
    cells: list[str] = []
    start = 0
    at = line.find("|")
    while at >= 0:
        if at == 0 or line[at - 1] != "\\":
            cells.append(line[start:at])
            start = at + 1
        at = line.find("|", at + 1)
    cells.append(line[start:])
    if cells and not cells[0].strip():
        cells.pop(0)
    if cells and not cells[-1].strip():
        cells.pop()
    return [cell.replace("\\|", "|").strip() for cell in cells]


def read_delimiters(line: str) -> tuple[str, ...] | None:
    """Return the alignments of a delimiter row such as ``|:--|--:|``, None when the line is none."""
    if DELIMITER_LINE.fullmatch(line) is None or (line[0] == "-" and line[1:2] in ("", " ", "\t")):
        return None
    alignments: list[str] = []
    cells = line.split("|")
    for number, cell in enumerate(cells):
        text = cell.strip()
        if not text and number in (0, len(cells) - 1):
            continue
        if _DELIMITER_CELL.fullmatch(text) is None:
            return None
        alignments.append(_ALIGNMENTS[text[0] == ":", text[-1] == ":"])
    return tuple(alignments)


def table_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    if state.is_code_block(start_line):
        return False
    if start_line + 2 > end_line:
        return _parse_growing_header(state, start_line, silent=silent)
    delimiter_line = start_line + 1
    if state.sCount[delimiter_line] < state.blkIndent or state.is_code_block(delimiter_line):
        return False
    header_text = line_text(state, start_line).strip()
    if "|" not in header_text:
        return False
    alignments = read_delimiters(line_text(state, delimiter_line).strip())
    if not alignments or len(alignments) > MAX_TABLE_COLUMNS:
        return False
    header = split_cells(header_text)
    if len(header) != len(alignments):
        return False
    if silent:
        return True
    old_parent = state.parentType
    state.parentType = "table"
    terminators = state.md.block.ruler.getRules("blockquote")
    rows: list[list[str]] = []
    line = start_line + 2
    while line < end_line:
        if state.sCount[line] < state.blkIndent or state.is_code_block(line) or state.isEmpty(line):
            break
        if any(rule(state, line, end_line, True) for rule in terminators):
            break
        rows.append(split_cells(line_text(state, line).strip()))
        line += 1
    token = state.push("chat_table", "table", 0)
    token.map = [start_line, line]
    token.meta = {"alignments": alignments, "header": header, "rows": rows}
    token.content = state.getLines(start_line, line, state.blkIndent, False)
    state.parentType = old_parent
    state.line = line
    return True


def _parse_growing_header(state: StateBlock, line: int, *, silent: bool) -> bool:
    """Parse a line of cells at the very end of a growing text: the header of a table whose next line is to come."""
    text = line_text(state, line).strip()
    if not (state.env["is_tail"] and _is_last_line(state, line) and text.startswith("|")):
        return False
    header = split_cells(text)
    if not any(header) or len(header) > MAX_TABLE_COLUMNS:
        return False
    if not silent:
        token = state.push("chat_table", "table", 0)
        token.map = [line, line + 1]
        token.meta = {"alignments": ("",) * len(header), "header": header, "rows": []}
        token.content = text
        state.line = line + 1
    return True


def _is_last_line(state: StateBlock, line: int) -> bool:
    return line >= len(state.bMarks) - 2


def math_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Parse ``$$ … $$``, ``\\[ … \\]`` and ``\\begin{align} … \\end{align}`` that begin and end a line, without a
    blank line between."""
    start = state.bMarks[start_line] + state.tShift[start_line]
    if state.src[start : start + 1] not in ("$", "\\") or state.is_code_block(start_line):
        return False
    opening = _MATH_OPENING.match(state.src, start, state.eMarks[start_line])
    if opening is None:
        return False
    environment: str | None = opening[1]
    closing = f"\\end{{{environment}}}" if environment else "$$" if opening[0] == "$$" else "\\]"
    body: list[str] = []
    line = start_line
    while line < end_line:
        text = line_text(state, line) if line > start_line else state.src[opening.end() : state.eMarks[line]]
        if line > start_line and (
            not text
            or line - start_line > MAX_MATH_LINES
            or text.startswith(opening[0] if environment else "\\[")
            or state.sCount[line] < state.blkIndent
            or _ENDS_MATH.match(text) is not None
        ):
            return False
        at = text.find(closing)
        while closing == "\\]" and at > 0 and text[at - 1] == "\\":  # "\\]" ends a row of a matrix
            at = text.find(closing, at + 1)
        if at >= 0:
            if text[at + len(closing) :].strip():
                return False
            body.append(text[:at])
            break
        body.append(text)
        line += 1
    else:
        return _parse_open_math(state, start_line, line, silent=silent)
    content = "\n".join(body).strip()
    if not content:
        return False
    if silent:
        return True
    token = state.push("chat_math", "div", 0)
    token.content = f"{opening[0]}\n{content}\n{closing}" if environment else content
    token.map = [start_line, line + 1]
    state.line = line + 1
    return True


def _parse_open_math(state: StateBlock, start_line: int, end_line: int, *, silent: bool) -> bool:
    """Parse a formula at the very end of a growing text: a token without content, until its end comes."""
    if not (state.env["is_tail"] and _is_last_line(state, end_line - 1)):
        return False
    if not silent:
        token = state.push("chat_math", "div", 0)
        token.map = [start_line, end_line]
        token.meta = {"is_open": True}
        state.line = end_line
    return True


_MARK = re.compile(r":[ \t]+(?=[^ \t])")


def definition_rule(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """Parse a definition, which becomes a list of one item. Its terms are only recognised by the definition below
    them."""
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
    # Lines indented by two or more belong to the definition.
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
