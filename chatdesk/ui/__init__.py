"""Everything with a pixel."""

from chatdesk.ui.overrides import guard_overrides

guard_overrides()  # before any module of the window makes a class
