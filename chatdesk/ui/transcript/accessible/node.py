"""The common base of the nodes in the transcript's accessible tree."""

from __future__ import annotations

from chatdesk.ui.accessibility.node import AccessibleNode
from chatdesk.ui.transcript.accessible.view import ReadableView


class Node(AccessibleNode):
    """The base of all nodes but the list itself."""

    view: ReadableView
