"""The same window by actions alone: what switch access, voice control and a braille display do, without a key.

Writes each step that succeeded. Runs on the system's Python, like the screen reader it uses.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from screen_reader import Atspi, Gone, ScreenReader, describe, has, whole_text


class Walk:
    def __init__(self) -> None:
        self.reader = ScreenReader()
        self.exported = str(Path.home() / "zebra.zip")

    def go(self) -> None:
        for step in self.steps():
            step()
            sys.stdout.write(step.__name__ + "\n")
            sys.stdout.flush()

    def steps(self) -> tuple[Callable[[], None], ...]:
        return (
            self.write_and_send,
            self.stop_an_answer,
            self.open_a_thread,
            self.answer_again_and_switch_versions,
            self.copy_the_answer,
            self.find_in_the_thread,
            self.read_a_table,
            self.add_a_note,
            self.walk_from_thread_to_thread,
            self.change_the_look,
            self.open_what_was_found,
            self.delete_and_undo,
            self.export_the_thread,
            self.import_it_again,
            self.hear_a_name_of_each_choice,
            self.change_a_setting,
            self.show_the_inspector,
            self.quit,
        )

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

    def copy_the_answer(self) -> None:
        self.reader.heard.clear()
        self.do("push button", "^Copy$")
        self.reader.hear("^Copied")

    def find_in_the_thread(self) -> None:
        self.run("find in thread")
        self.fill(self.reader.find("text", "^Find in thread$"), "zebra")
        self.reader.hear(r"\d found, match 1 of")
        self.do("push button", "^Close")

    def read_a_table(self) -> None:
        self.do("push button", "^New thread$")
        self.reader.hear("^New thread$")
        self.ask("/demo table")
        self.reader.hear("^Table, ")
        self.reader.hear("has answered")
        table = self.reader.find("table")
        for cell in (("Price", "Column 2"), ("Price: 1.20", "Row 1, column 2")):
            self.reader.until(
                lambda cell=cell: (
                    cell in [(each.get_name(), each.get_description()) for each in self.reader.all(table)]
                ),
                f"the cell {cell}",
            )

    def add_a_note(self) -> None:
        self.fill(self.reader.find("text", "^Message$"), "a note")
        self.run("add as note")
        self.reader.hear("^Added as a note$")

    def walk_from_thread_to_thread(self) -> None:
        self.run("next thread")
        self.reader.hear("^zebra")
        self.reader.find("frame", "^zebra")

    def change_the_look(self) -> None:
        for command, heard in (
            ("Switch theme", "^Dark"),
            ("Larger text", "^Text size 1"),
            ("Normal text size", "100%"),
        ):
            self.run(command.lower())
            self.reader.hear(heard)

    def export_the_thread(self) -> None:
        self.run("export…")
        self.do("radio button", "^JSON")
        self.do("push button", "^Choose where")
        self.fill(self.reader.find("text", "^File name"), self.exported)
        self.do("push button", "^Save$")
        self.reader.hear("^Exported 1 thread")

    def import_it_again(self) -> None:
        self.run("import…")
        self.do("push button", "^Import a file")
        self.fill(self.reader.find("text", "^File name"), self.exported)
        self.reader.heard.clear()
        self.do("push button", "^Open$")
        self.reader.hear("^1 thread was here already")
        self.do("push button", "^Close$", self.reader.find("dialog", "^Import"))

    def open_a_thread(self) -> None:
        threads = self.reader.find("list", "^Threads$")
        self.do("list item", "^zebra", threads)
        self.reader.find("list item", "message 1 of 2", self.reader.find("list", "^Transcript$"))

    def open_what_was_found(self) -> None:
        self.search("zebra")
        self.do("list item", "Question, in zebra", self.reader.find("list", "^Results$"))
        self.reader.await_focus("list item", "^You, .*message 1 of 2")

    def delete_and_undo(self) -> None:
        for command, heard in (("delete thread", "^Moved to the trash: zebra"), ("undo", "^Undone: delete thread")):
            self.run(command)
            self.reader.hear(heard)
        self.reader.find("list item", "^zebra", self.reader.find("list", "^Threads$"))

    def hear_a_name_of_each_choice(self) -> None:
        """On each page of the settings all that can be used has a name, which is not its value."""
        self.do("push button", "^Settings$")
        dialog = self.reader.find("dialog", "Settings")
        pages = self.reader.find("list", "Pages of the settings", dialog)
        for place in range(pages.get_child_count()):
            assert Atspi.Selection.select_child(pages, place)
            nameless: list[str] = []

            def look(nameless: list[str] = nameless) -> bool:
                shown = [each for each in self.reader.all(dialog) if has(each, "showing") and has(each, "focusable")]
                nameless[:] = [describe(each) for each in shown if not name_of(each)]
                return bool(shown) and not nameless

            try:
                self.reader.until(look, "a name of each control")
            except Gone as error:
                raise AssertionError(nameless) from error
        self.do("push button", "^Close$", dialog)

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
        for name in ("Summary", "Usage", "Tree", "Questions", "Artifacts", "Context"):
            self.do("page tab", f"^{name}")
            self.reader.until(lambda name=name: has(self.reader.find("page tab", f"^{name}"), "selected"), name)

    def quit(self) -> None:
        self.run("quit")

    # What several steps need

    def ask(self, text: str) -> None:
        field = self.reader.find("text", "^Message$")
        self.fill(field, text)
        self.do("push button", "^Send$")
        self.reader.hear("is answering")

    def run(self, command: str) -> None:
        self.search(command)
        self.do("list item", f"(?i)^{re.escape(command)}", self.reader.find("list", "^Results$"))

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


def name_of(each: Any) -> str:
    """Return the name that is said. Qt gives a box to choose from its value as name; its label has what it is."""
    labels = [
        relation.get_target(0).get_name()
        for relation in each.get_relation_set()
        if relation.get_relation_type() == Atspi.RelationType.LABELLED_BY
    ]
    return labels[0] if labels else "" if each.get_role_name() == "combo box" else each.get_name()


if __name__ == "__main__":
    Walk().go()
