"""Prepares the theme for painters: fonts, colours and measures that are made once, not at every paint."""

from __future__ import annotations

import math

from PySide6.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPen, QPixmap, QRawFont, QTextCharFormat

from chatdesk.core.rendering.blocks import Placement
from chatdesk.ui.theme.icons import icon_pixmap
from chatdesk.ui.theme.theme import Theme
from chatdesk.ui.theme.tokens import FontRole, SyntaxColours, Tokens

_SPECIFIED_ONLY = QTextCharFormat.FontPropertiesInheritanceBehavior.FontPropertiesSpecifiedOnly

_MAX_DEPTH = 20  # deeper lists stay at this indent: hostile nesting must not push text out of the column
_DIFF_ALPHA = 26
# The kinds of code whose colours callouts have.
_CALLOUT_KINDS = {"note": "number", "tip": "inserted", "important": "keyword", "warning": "type", "caution": "deleted"}
_HEADING_FACTORS = {1: 1.45, 2: 1.25, 3: 1.1}
BUBBLE_MAX_PX = 560
BUBBLE_PAD_X = 14
BUBBLE_PAD_Y = 9
LIST_INDENT_PX = 22
QUOTE_INDENT_PX = 16
TOOL_PX = 28


class TranscriptStyle:
    """The style of the transcript for one theme at one scale, replaced as a whole when the theme changes."""

    def __init__(
        self,
        theme: Theme,
        *,
        device_pixel_ratio: float = 1.0,
        is_mirrored: bool = False,
        tokens: Tokens | None = None,
    ) -> None:
        """Make the style of ``theme``.

        ``is_mirrored`` swaps left and right. ``tokens`` replace those of the theme.
        """
        self.tokens = tokens or theme.tokens
        self.is_mirrored = is_mirrored
        self._quiet: TranscriptStyle | None = None
        self.scale = theme.scale
        self._theme = theme
        self.ratio = device_pixel_ratio
        self._pixmaps: dict[tuple[str, str, int], QPixmap] = {}
        self._colours: dict[str, QColor] = {}
        self._fonts: dict[FontRole, QFont] = {}
        self._metrics: dict[FontRole, QFontMetricsF] = {}
        self._formats: dict[object, QTextCharFormat] = {}
        self.line_pen = QPen(self.colour("line"), 1)
        self.selection = QTextCharFormat()
        tint = QColor(self.tokens.accent)
        tint.setAlpha(70)
        self.selection.setBackground(QBrush(tint))

    @property
    def quiet(self) -> TranscriptStyle:
        """The same style with all text in the colour of hints, for messages that are not sent to the model."""
        if self._quiet is None:
            muted = self.tokens.muted
            syntax = SyntaxColours(*[muted] * len(SyntaxColours._fields))
            tokens = self.tokens._replace(text=muted, syntax=syntax)
            self._quiet = TranscriptStyle(
                self._theme, device_pixel_ratio=self.ratio, is_mirrored=self.is_mirrored, tokens=tokens
            )
        return self._quiet

    def colour(self, name: str) -> QColor:
        """Return the colour of the token ``name``."""
        colour = self._colours.get(name)
        if colour is None:
            colour = self._colours[name] = QColor(str(getattr(self.tokens, name)))
        return colour

    def font(self, role: FontRole) -> QFont:
        font = self._fonts.get(role)
        if font is None:
            font = self._fonts[role] = self._theme.font(role)
        return font

    def metrics(self, role: FontRole) -> QFontMetricsF:
        metrics = self._metrics.get(role)
        if metrics is None:
            metrics = self._metrics[role] = QFontMetricsF(self.font(role))
        return metrics

    def line_height(self, role: FontRole) -> float:
        """Return the height of a line: the design's, or more if the letters need more."""
        return max(round(self._theme.line_px(role)), math.ceil(self.metrics(role).height()))

    def heading_font(self, level: int) -> QFont:
        font = QFont(self.font("strong"))
        font.setPointSizeF(font.pointSizeF() * _HEADING_FACTORS.get(level, 1.0))
        return font

    def px(self, value: float) -> float:
        """Return a distance scaled with the size of text."""
        return round(value * self.scale)

    def indent(self, at: Placement, width: float) -> float:
        """Return how much narrower than the column a block is; it is never narrower than half of the column."""
        lists, quotes = min(at.list_depth, _MAX_DEPTH), min(at.quote_depth, _MAX_DEPTH)
        return min(self.px(lists * LIST_INDENT_PX + quotes * QUOTE_INDENT_PX), width / 2)

    def insets(self, at: Placement, width: float, *, is_right_to_left: bool | None = None) -> tuple[float, float]:
        """Return the distances of a block from the left and from the right of the column.

        The bars of quotes are where the quote begins to read, and markers where the item does. ``is_right_to_left``
        is the direction of the item where it differs from that of ``at``.
        """
        whole = self.indent(at, width)
        lists, quotes = (
            min(at.list_depth, _MAX_DEPTH) * LIST_INDENT_PX,
            min(at.quote_depth, _MAX_DEPTH) * QUOTE_INDENT_PX,
        )
        quotes = round(whole * quotes / max(1, lists + quotes))
        lists_at_right = at.is_right_to_left if is_right_to_left is None else is_right_to_left
        right = (quotes if at.is_right_to_left else 0.0) + (whole - quotes if lists_at_right else 0.0)
        return whole - right, right

    def code_format(self, kind: str) -> QTextCharFormat:
        found = self._formats.get(kind)
        if found is None:
            found = QTextCharFormat()
            found.setForeground(QBrush(QColor(self.tokens.syntax.of(kind))))
            self._formats[kind] = found
        return found

    def callout(self, kind: str) -> QColor:
        """Return the colour of a callout's bar and title, in which text can be read."""
        key = f"callout {kind}"
        colour = self._colours.get(key)
        if colour is None:
            colour = self._colours[key] = QColor(self.tokens.syntax.of(_CALLOUT_KINDS.get(kind, "plain")))
        return colour

    def diff_ground(self, kind: str) -> QColor:
        """Return the tint under an inserted or deleted line."""
        ground = self._colours.get(f"ground of {kind}")
        if ground is None:
            ground = QColor(self.tokens.syntax.of(kind))
            ground.setAlpha(_DIFF_ALPHA)
            self._colours[f"ground of {kind}"] = ground
        return ground

    def em(self, role: FontRole) -> float:
        """Return the size of the letters of ``role`` in px."""
        return QRawFont.fromFont(self.font(role)).pixelSize()

    def span_format(
        self,
        *,
        is_bold: bool,
        is_italic: bool,
        is_struck: bool,
        is_code: bool,
        is_link: bool,
        is_raised: bool = False,
        is_lowered: bool = False,
    ) -> QTextCharFormat:
        key = (is_bold, is_italic, is_struck, is_code, is_link, is_raised, is_lowered)
        found = self._formats.get(key)
        if found is None:
            found = QTextCharFormat()
            if is_code:
                found.setFont(self.font("code"), _SPECIFIED_ONLY)
            if is_bold:
                found.setFontWeight(QFont.Weight.Bold)
            if is_italic:
                found.setFontItalic(True)
            if is_struck:
                found.setFontStrikeOut(True)
            if is_link:
                found.setForeground(QBrush(self.colour("accent")))
                found.setFontUnderline(not is_raised)
            if is_raised:
                found.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSuperScript)
            if is_lowered:
                found.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignSubScript)
            self._formats[key] = found
        return found

    def icon(self, name: str, colour: str, size: int = 16) -> QPixmap:
        """Return the icon ``name`` in the colour of a token; each one is drawn once."""
        side = round(size * min(self.scale, 1.5))
        key = (name, colour, side)
        found = self._pixmaps.get(key)
        if found is None:
            found = icon_pixmap(name, self.colour(colour), side, device_pixel_ratio=self.ratio)
            self._pixmaps[key] = found
        return found
