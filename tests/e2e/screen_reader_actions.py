"""The same window by actions alone: what switch access, voice control and a braille display do, without a key.

Writes each step that succeeded. Runs on the system's Python, like the screen reader it uses.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from screen_reader import Atspi, ScreenReader, has, whole_text


class Walk:
    def __init__(self) -> None:
        self.reader = ScreenReader()

    def go(self) -> None:
        for step in (
            self.write_and_send,
            self.stop_an_answer,
            self.open_a_thread,
            self.answer_again_and_switch_versions,
            self.open_what_was_found,
            self.delete_and_undo,
            self.change_a_setting,
            self.show_the_inspector,
            self.quit,
        ):
            step()
            sys.stdout.write(step.__name__ + "\n")
            sys.stdout.flush()

    def write_and_send(self) -> None:
        self.ask("zebra")
        self.reader.hear("has answered")

    def stop_an_answer(self) -> None:
        self.do("push button", "^New thread$")
        self.reader.find("frame", "^(?!zebra)")
        self.ask("/demo long")
        self.do("push button", "^Stop the answer$")
        self.reader.hear("^The answer was stopped")

    def answer_again_and_switch_versions(self) -> None:
        self.do("push button", "^Regenerate$")
        self.reader.hear("has answered")
        self.do("push button", "^Previous version$")
        self.reader.hear("Version 1 of 2")

    def open_a_thread(self) -> None:
        threads = self.reader.find("list", "^Threads$")
        self.do("list item", "^zebra", threads)
        self.reader.find("list item", "message 1 of 2", self.reader.find("list", "^Transcript$"))

    def open_what_was_found(self) -> None:
        self.search("zebra")
        self.do("list item", "Question, in zebra", self.reader.find("list", "^Results$"))
        self.reader.await_focus("list item", "^You, .*message 1 of 2")

    def delete_and_undo(self) -> None:
        for command, heard in (("Delete thread", "^Moved to the trash: zebra"), ("Undo", "^Undone: delete thread")):
            self.search(command.lower())
            self.do("list item", f"^{command}", self.reader.find("list", "^Results$"))
            self.reader.hear(heard)
        self.reader.find("list item", "^zebra", self.reader.find("list", "^Threads$"))

    def change_a_setting(self) -> None:
        self.do("push button", "^Settings$")
        dialog = self.reader.find("dialog", "Settings")
        pages = self.reader.find("list", "Pages of the settings", dialog)
        names = [pages.get_child_at_index(place).get_name() for place in range(pages.get_child_count())]
        assert Atspi.Selection.select_child(pages, names.index("Tools"))
        switch = self.reader.find("check box", "^Your threads$", dialog)
        self.do("check box", "^Your threads$", dialog)
        self.reader.until(lambda: has(switch, "checked"), "the switch to be on")
        self.do("push button", "^Close$", dialog)

    def show_the_inspector(self) -> None:
        self.do("check box", "^Show or hide the inspector$")
        self.reader.find("page tab list")

    def quit(self) -> None:
        self.search("quit")
        self.do("list item", "^Quit", self.reader.find("list", "^Results$"))

    # What several steps need

    def ask(self, text: str) -> None:
        field = self.reader.find("text", "^Message$")
        self.fill(field, text)
        self.do("push button", "^Send$")
        self.reader.hear("is answering")

    def search(self, text: str) -> None:
        self.fill(self.reader.find("text", "^Search everything$"), text)

    def fill(self, field: Any, text: str) -> None:
        self.reader.until(lambda: Atspi.EditableText.set_text_contents(field, text), "a field that takes text")
        self.reader.until(lambda: whole_text(field) == text, f"{text!r} in the field")

    def do(self, role: str, name: str, root: Any = None) -> None:
        """Do the first action of the first such thing once it is enabled."""

        def look() -> Any:
            for each in self.reader.all(root):
                is_it = each.get_role_name() == role and re.search(name, each.get_name() or "")
                if is_it and has(each, "showing") and has(each, "enabled"):
                    return each
            return None

        found = self.reader.until(look, f"a {role} named like {name!r}")
        assert Atspi.Action.do_action(found, 0)


if __name__ == "__main__":
    Walk().go()
