"""Contains the window: all parts of ChatDesk that are drawn."""

from chatdesk.ui.qt.pyside_support import import_without_developer_support

import_without_developer_support()  # before anything else imports PySide

from chatdesk.ui.qt.overrides import guard_overrides  # noqa: E402

guard_overrides()  # before any module of the window makes a class
