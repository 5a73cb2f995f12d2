"""What the nodes of the transcript's accessible tree have in common."""

from __future__ import annotations

from chatdesk.ui.accessibility.node import AccessibleNode
from chatdesk.ui.transcript.accessible.view import ReadableView


class Node(AccessibleNode):
    """Base of all nodes but the list itself."""

    view: ReadableView
