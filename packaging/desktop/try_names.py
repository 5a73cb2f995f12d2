"""Prints the names by which a screen reader finds what is in ChatDesk's window, one a line.

Runs on the Python of the system that a package is tried in, which has gi and Atspi.
"""

import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402


def main():
    """Wait for the window, and print. Returns 1 where it does not come."""
    Atspi.init()
    for _ in range(100):
        desktop = Atspi.get_desktop(0)
        found = [desktop.get_child_at_index(at) for at in range(desktop.get_child_count())]
        names = {name for each in found if each is not None for name in names_below(each)}
        if names:
            print(*sorted(names), sep="\n")
            return 0
        time.sleep(0.2)
    return 1


def names_below(node, depth=0):
    """Yield the names of a node and of all below it."""
    if node.get_name():
        yield node.get_name()
    for at in range(node.get_child_count()) if depth < 40 else ():
        child = node.get_child_at_index(at)
        if child is not None:
            yield from names_below(child, depth + 1)


if __name__ == "__main__":
    sys.exit(main())
