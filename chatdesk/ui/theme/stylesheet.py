"""Builds the one stylesheet from the tokens. Widgets pick a text size with the dynamic property ``textRole``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtGui import QColor

from chatdesk.ui.theme.tokens import FOCUS_RING_PX, LIGHT, TOUCH_TARGET_PX, TYPE, FontRole, Tokens

_TARGET_PX: Final = 24  # the minimum height of a pressed control


def build_stylesheet(tokens: Tokens, point_size: Callable[[FontRole], float], *, is_touched: bool = False) -> str:
    """Return the style sheet. ``point_size`` gives the size of a role at the scale in force; with ``is_touched`` there
    is room for fingers."""
    parts = (_text_roles, _buttons_and_lines, _boxes_and_lists, _switches, _menus_and_scroll_bars)
    sheet = "\n".join((*(part(tokens, point_size) for part in parts), _panels(tokens)))
    return f"{sheet}\n{_room_for_fingers(point_size)}" if is_touched else sheet


def _text_roles(tokens: Tokens, point_size: Callable[[FontRole], float]) -> str:
    rules = [
        f'QLabel[textRole="{role}"] {{ font-size: {point_size(role):.2f}pt; font-weight: {step.weight}; }}'
        for role, step in TYPE.items()
    ]
    rules.append(
        'QLabel[textRole="muted"], QLabel[textRole="note"], QLabel[textRole="group"], QLabel[isQuiet="true"] '
        f"{{ color: {tokens.muted}; }}"
    )
    return "\n".join(rules)


def _buttons_and_lines(tokens: Tokens, point_size: Callable[[FontRole], float]) -> str:
    """Return the rules of buttons and of fields with one line."""
    line_px = _line_px(point_size)
    arrow_px = round(point_size("text") * 1.15)
    ring = f"{FOCUS_RING_PX}px solid {tokens.accent}"
    return f"""
QPushButton, QCheckBox, QRadioButton, QTabBar {{ outline: none; }}
QToolTip {{ background: {tokens.floating}; color: {tokens.text}; border: 1px solid {tokens.field_line};
    padding: 2px 4px; font-size: {point_size("muted"):.2f}pt; }}
QLineEdit {{ background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.field_line};
    border-radius: {tokens.radius.row}px; padding: 5px 8px; placeholder-text-color: {tokens.muted};
    selection-background-color: {tokens.accent};
    selection-color: {tokens.on_accent}; }}
QLineEdit:focus {{ border: {ring}; padding: 4px 7px; }}
QPushButton {{ background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.field_line};
    border-radius: {tokens.radius.row}px; padding: 5px 14px; min-height: {line_px}px; }}
QPushButton:hover {{ background: {tokens.hover}; }}
QPushButton:pressed {{ background: {tokens.selected}; }}
QPushButton:focus {{ border: {ring}; padding: 4px 13px; }}
QPushButton:disabled {{ color: {tokens.muted}; }}
QPushButton:default, QPushButton[isPrimary="true"] {{ background: {tokens.accent}; color: {tokens.on_accent};
    border-color: {tokens.accent}; }}
QPushButton:default:hover, QPushButton[isPrimary="true"]:hover {{ background: {tokens.accent_hover}; }}
QPushButton:default:focus, QPushButton[isPrimary="true"]:focus {{ border: {FOCUS_RING_PX}px solid {tokens.text};
    background-clip: padding; }}
QPushButton:default:disabled, QPushButton[isPrimary="true"]:disabled {{ background: {tokens.hover};
  color: {tokens.muted}; border: 1px solid {tokens.line}; }}
QPushButton[isLink="true"] {{ color: {tokens.accent}; background: transparent;
    border: {FOCUS_RING_PX}px solid transparent; padding: 0; text-align: left;
    min-height: {_TARGET_PX - 2 * FOCUS_RING_PX}px; font-size: {point_size("muted"):.2f}pt; }}
QPushButton[isLink="true"]:hover {{ text-decoration: underline; background: transparent; }}
QPushButton[isLink="true"]:focus {{ border: {ring}; padding: 0; }}
QPushButton[isDanger="true"]:enabled {{ color: {tokens.danger}; }}
QPushButton::menu-indicator {{ image: url(theme:arrow-down.svg); width: {arrow_px}px; height: {arrow_px}px;
    subcontrol-origin: border; subcontrol-position: right center; right: 8px; }}
QPushButton[hasMenu="true"] {{ padding-right: {arrow_px + 14}px; }}
"""


def _boxes_and_lists(tokens: Tokens, point_size: Callable[[FontRole], float]) -> str:
    """Return the rules of boxes to choose from, of fields for numbers, and of lists and texts in dialogs."""
    arrow_px = round(point_size("text") * 1.15)
    small_px = round(point_size("text"))
    line_px = _line_px(point_size)
    ring = f"{FOCUS_RING_PX}px solid {tokens.accent}"
    return f"""
QComboBox, QAbstractSpinBox {{ background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.field_line};
    border-radius: {tokens.radius.row}px; padding: 5px 10px; min-height: {line_px}px;
    selection-background-color: {tokens.accent}; selection-color: {tokens.on_accent}; }}
QComboBox {{ combobox-popup: 0; }}
QComboBox:hover {{ background: {tokens.hover}; }}
QComboBox:focus, QAbstractSpinBox:focus {{ border: {ring}; padding: 4px 9px; }}
QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {tokens.muted}; }}
QComboBox::drop-down {{ border: none; width: {arrow_px + 14}px; }}
QComboBox::down-arrow {{ image: url(theme:arrow-down.svg); width: {arrow_px}px; height: {arrow_px}px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ border: none; width: {small_px + 14}px;
    background: transparent; }}
QAbstractSpinBox::up-arrow {{ image: url(theme:arrow-up.svg); width: {small_px}px; height: {small_px}px; }}
QAbstractSpinBox::down-arrow {{ image: url(theme:arrow-down.svg); width: {small_px}px; height: {small_px}px; }}
QDialog QPlainTextEdit, QDialog QTextEdit, QDialog QListWidget, QDialog #importLines, *[inCard="true"] {{
    background: {tokens.card}; color: {tokens.text}; border: 1px solid {tokens.field_line};
    border-radius: {tokens.radius.row}px; padding: 4px; selection-background-color: {tokens.accent};
    selection-color: {tokens.on_accent}; placeholder-text-color: {tokens.muted}; }}
QDialog QPlainTextEdit:focus, QDialog QTextEdit:focus, QDialog QListWidget:focus, QDialog #importLines:focus,
*[inCard="true"]:focus {{ border: {ring}; padding: 3px; }}
QDialog QListWidget, QDialog #importLines {{ selection-background-color: {tokens.selected};
    selection-color: {tokens.text}; }}
QDialog QListView#importLines::item {{ padding: 5px 6px; border-radius: 6px; }}
QDialog QListView#importLines::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}
QComboBox QAbstractItemView {{ background: {tokens.floating}; color: {tokens.text};
    border: 1px solid {tokens.field_line}; padding: 4px; outline: none;
    selection-background-color: {tokens.selected}; selection-color: {tokens.text}; }}
QComboBox QAbstractItemView::item {{ padding: 4px 6px; border-radius: 6px; }}
QComboBox QAbstractItemView::item:selected {{ background: {tokens.selected}; color: {tokens.text}; }}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{ border: none; padding: 0; margin: 0 0 0 8px;
    background: transparent; }}
QAbstractSpinBox QLineEdit:focus, QComboBox QLineEdit:focus {{ border: none; padding: 0; }}
"""


def _switches(tokens: Tokens, point_size: Callable[[FontRole], float]) -> str:
    """Return the rules of check boxes, radio buttons, sliders and progress bars."""
    box_px = max(14, round(point_size("text") * 1.34))
    ring_px = max(4, round(box_px * 0.29))
    ring = f"{FOCUS_RING_PX}px solid {tokens.accent}"
    ink = "white" if QColor(tokens.on_accent).lightness() > 128 else "black"
    return f"""
QCheckBox, QRadioButton {{ spacing: 8px; min-height: {_TARGET_PX - 2 * FOCUS_RING_PX}px;
    border: {FOCUS_RING_PX}px solid transparent; border-radius: 6px; }}
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator {{ width: {box_px}px; height: {box_px}px;
    border: 1px solid {tokens.muted}; background: {tokens.card}; }}
QCheckBox::indicator, QAbstractItemView::indicator {{ border-radius: 4px; }}
QRadioButton::indicator {{ border-radius: {box_px // 2 + 1}px; }}
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {{ background: {tokens.accent};
    border-color: {tokens.accent}; image: url(theme:check-{ink}.svg); }}
QCheckBox::indicator:indeterminate, QAbstractItemView::indicator:indeterminate {{ background: {tokens.accent};
    border-color: {tokens.accent}; image: url(theme:dash-{ink}.svg); }}
QRadioButton::indicator:checked {{ width: {box_px + 2 - 2 * ring_px}px; height: {box_px + 2 - 2 * ring_px}px;
    border: {ring_px}px solid {tokens.accent}; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {tokens.accent}; }}
QSlider:horizontal {{ min-height: {max(_TARGET_PX, box_px + 6)}px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {tokens.line}; }}
QSlider::sub-page:horizontal {{ border-radius: 2px; background: {tokens.accent}; }}
QSlider::handle:horizontal {{ width: {box_px}px; height: {box_px}px; margin: -{box_px // 2 - 1}px 0;
    border-radius: {box_px // 2 + 1}px;
    border: 1px solid {tokens.accent}; background: {tokens.accent}; }}
QSlider::handle:horizontal:focus {{ border: 2px solid {tokens.text}; margin: -{box_px // 2}px 0;
    border-radius: {box_px // 2 + 2}px; }}
QSlider[isUnset="true"]::sub-page:horizontal {{ background: {tokens.line}; }}
QSlider[isUnset="true"]::handle:horizontal {{ background: {tokens.card}; border-color: {tokens.muted}; }}
QProgressBar {{ background: {tokens.hover}; border: none; border-radius: 4px; min-height: 8px; max-height: 8px;
    color: transparent; }}
QProgressBar:focus {{ border: {ring}; border-radius: 6px; }}
QProgressBar::chunk {{ background: {tokens.accent}; border-radius: 4px; }}
"""


def _menus_and_scroll_bars(tokens: Tokens, point_size: Callable[[FontRole], float]) -> str:
    check_px = round(point_size("text") * 1.4)
    return f"""
QMenu {{ background: {tokens.floating}; color: {tokens.text}; border: 1px solid {tokens.field_line};
    border-radius: {tokens.radius.row}px; padding: 4px; }}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 6px; background: transparent; }}
QMenu[hasIcons="true"]::item {{ padding-left: 18px; }}
QMenu[hasIcons="true"]::icon {{ left: 10px; }}
QMenu::item:selected {{ background: {tokens.selected}; }}
QMenu::item:disabled {{ color: {tokens.muted}; }}
QMenu::indicator {{ width: {check_px}px; height: {check_px}px; left: 6px; }}
QMenu::separator {{ height: 1px; background: {tokens.field_line}; margin: 4px 8px; }}
QPlainTextEdit#composer, QPlainTextEdit#quickField {{ background: transparent; border: none; color: {tokens.text};
    placeholder-text-color: {tokens.muted}; selection-background-color: {tokens.accent};
    selection-color: {tokens.on_accent}; }}
QScrollArea#emptyState, QWidget#emptyStatePage {{ background: {tokens.background}; border: none; }}
QLabel[isDanger="true"] {{ color: {tokens.danger}; }}
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {tokens.line}; border-radius: 4px; margin: 2px; min-height: 28px; min-width: 28px; }}
QScrollBar::handle:disabled {{ background: transparent; }}
QScrollBar::handle:hover {{ background: {tokens.muted}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""


def _line_px(point_size: Callable[[FontRole], float]) -> int:
    """Return the least height of a widget with a line of text."""
    return max(18, round(point_size("text") * 1.714))


def _panels(tokens: Tokens) -> str:
    """Return the rules of windows. The ground of Qt's balloon in the tray is pale yellow in every look."""
    return f"""
QDialog, QMainWindow {{ background: {tokens.background}; }}
QSplitter::handle {{ background: {tokens.line}; }}
QStatusBar {{ background: {tokens.surface}; color: {tokens.muted}; }}
QStatusBar::item {{ border: none; }}
QBalloonTip QLabel {{ color: {LIGHT.text}; }}
"""


def _room_for_fingers(point_size: Callable[[FontRole], float]) -> str:
    """Return the rules that make everything as high as a finger needs it."""
    inner_px = max(_line_px(point_size), TOUCH_TARGET_PX - 2 * (5 + 1))  # without padding and border
    pad_px = max(6, (TOUCH_TARGET_PX - _line_px(point_size)) // 2)
    return f"""
QPushButton, QLineEdit, QComboBox, QAbstractSpinBox {{ min-height: {inner_px}px; }}
QPushButton[isLink="true"] {{ min-height: {TOUCH_TARGET_PX - 2 * FOCUS_RING_PX}px; }}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{ min-height: 0; }}
QCheckBox, QRadioButton, QSlider:horizontal, QToolButton {{ min-height: {TOUCH_TARGET_PX}px;
    min-width: {TOUCH_TARGET_PX}px; }}
QMenu::item {{ padding-top: {pad_px}px; padding-bottom: {pad_px}px; }}
QListWidget::item, QTreeWidget::item, QTableView::item, QListView#importLines::item,
QComboBox QAbstractItemView::item {{ min-height: {TOUCH_TARGET_PX}px; }}
QTabBar::tab {{ min-height: {TOUCH_TARGET_PX}px; }}
"""
