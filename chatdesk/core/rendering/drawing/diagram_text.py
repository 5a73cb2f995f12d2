"""Tells merman how wide the labels of diagrams are in the font that they are drawn in.

Left alone, merman measures by a table of another font and makes boxes that are too narrow. Import this where merman may
be loaded.
"""

from __future__ import annotations

from collections.abc import Iterator

from merman import merman_uniffi

from chatdesk.core.rendering.drawing.picture_fonts import width_of

_Operation = merman_uniffi.MermanTextMeasurementOperation
_Kind = merman_uniffi.MermanTextMeasurementResultKind
_LENGTHS = frozenset(
    each
    for each in _Operation
    if each.name.endswith(("_WIDTH", "_LENGTH")) and each != _Operation.WRAPPED_WITH_RAW_WIDTH
)
_METRICS = frozenset((_Operation.MEASURE, _Operation.WRAPPED, _Operation.MERMAID_CALCULATE_TEXT_DIMENSIONS))
_LEAST_BOLD = 600
_SPARE = 1.02  # kerning and rounding


class Measurer(merman_uniffi.MermanTextMeasurer):  # type: ignore[misc]
    """Measures widths in the fonts of pictures; everything else is left to merman."""

    def measure(self, request: merman_uniffi.MermanTextMeasureRequest) -> merman_uniffi.MermanTextMeasureResult | None:
        try:
            return _measure(request)
        except Exception:  # noqa: BLE001 - nothing may be thrown through the library, which then measures by itself
            return None


def new_painter() -> merman_uniffi.MermanEngine:
    services = merman_uniffi.MermanEngineServices().with_text_measurer(Measurer())
    return merman_uniffi.MermanEngine(None, services)


def _measure(request: merman_uniffi.MermanTextMeasureRequest) -> merman_uniffi.MermanTextMeasureResult | None:
    if request.operation not in _LENGTHS and request.operation not in _METRICS:
        return None
    lines = [line for each in request.text.split("\n") for line in _wrapped(each, request)]
    width = max(_width(line, request) for line in lines)
    is_length = request.operation in _LENGTHS
    return merman_uniffi.MermanTextMeasureResult(
        result_kind=_Kind.LENGTH if is_length else _Kind.METRICS,
        width=0.0 if is_length else width,
        height=0.0 if is_length else len(lines) * request.line_height,
        length=width if is_length else 0.0,
        line_count=0 if is_length else len(lines),
        bbox_left=None,
        bbox_right=None,
        raw_width=None,
    )


def _wrapped(line: str, request: merman_uniffi.MermanTextMeasureRequest) -> Iterator[str]:
    """Yield the lines that ``line`` is broken into, at blanks."""
    done = ""
    for word in line.split(" ") if request.max_width is not None else (line,):
        longer = f"{done} {word}" if done else word
        if done and _width(longer, request) > request.max_width:
            yield done
            longer = word
        done = longer
    yield done


def _width(line: str, request: merman_uniffi.MermanTextMeasureRequest) -> float:
    weight = request.font_weight or ""
    is_bold = weight in ("bold", "bolder") or (weight.isdigit() and int(weight) >= _LEAST_BOLD)
    spacing = len(line) * request.letter_spacing + line.count(" ") * request.word_spacing
    return float(_SPARE * width_of(line, request.font_size, is_bold=is_bold) + spacing)
