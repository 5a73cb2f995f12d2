"""More of what a person does with threads, by actions alone: the trash, files, versions, projects, a second chat.

Writes each step that succeeded. Runs on the system's Python, like the screen reader it uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from screen_reader import has
from screen_reader_actions import Walk


class ThreadsWalk(Walk):
    def steps(self) -> tuple[Callable[[], None], ...]:
        return (
            self.write_and_send,
            self.restore_from_the_trash,
            self.rename_and_pin,
            self.attach_a_file,
            self.open_an_artifact,
            self.edit_a_question,
            self.keep_a_version,
            self.choose_a_model,
            self.make_a_project,
            self.open_beside,
            self.talk_in_passing,
            self.quit,
        )

    def restore_from_the_trash(self) -> None:
        self.run("delete thread")
        self.reader.hear("^Moved to the trash: zebra")
        self.run("show the trash")
        self.reader.await_focus("list", "^Trash$")
        self.do("list item", "^zebra, deleted", self.reader.find("list", "^Trash$"))
        self.reader.find("frame", "^zebra")
        self.run("restore from the trash")
        self.reader.hear("^Restored: zebra")
        self.run("show threads")
        self.reader.find("list item", "^zebra", self.reader.find("list", "^Threads$"))

    def rename_and_pin(self) -> None:
        for title in ("quagga", "zebra"):
            self.do("push button", "^Rename thread$")
            self.fill(self.reader.find("text", "^Thread title$"), title)
            self.run("go to the composer")
            self.reader.find("frame", f"^{title}")
        for command, heard in (("pin thread", "^Pinned: zebra"), ("unpin thread", "^No longer pinned: zebra")):
            self.run(command)
            self.reader.hear(heard)

    def open_an_artifact(self) -> None:
        self.do("push button", "^Open as artifact: note.txt$")
        self.reader.find("list", "^note.txt, version 1 of 1$")
        self.reader.await_focus("list item", "^note.txt, version 1 of 1$")
        self.do("check box", "^Show or hide the inspector$")

    def edit_a_question(self) -> None:
        self.do("push button", "^Edit$")
        self.reader.hear("^Editing your last question")
        self.ask("okapi")
        self.reader.hear("has answered")
        self.reader.find("label", "^Version 2 of 2$")

    def keep_a_version(self) -> None:
        self.do("push button", "^Regenerate$")
        self.reader.hear("has answered")
        self.run("compare versions")
        self.do("push button", "^Keep .*1")
        self.reader.find("label", "^Version 1 of 2$")

    def attach_a_file(self) -> None:
        """Attach one twice, of which one is taken back, and send the other."""
        note = Path.home() / "note.txt"
        note.write_text("a note", "utf-8")
        for is_wanted in (False, True):
            self.run("attach files…")
            self.fill(self.reader.find("text", "^File name"), str(note))
            self.do("push button", "^Open$")
            self.reader.hear("^note.txt is attached")
            self.reader.until(self.reader.give_keyboard, "the window to take the keyboard back")
            if not is_wanted:
                self.do("push button", "^Remove note.txt")
                self.reader.hear("^note.txt is removed")
        self.ask("read it")
        self.reader.hear("has answered")

    def choose_a_model(self) -> None:
        self.run("choose the model…")
        self.do("list item", "(?i)demo", self.beside_the_focus("list", "^Search models$"))
        self.reader.await_focus("text", "^Message$")

    def make_a_project(self) -> None:
        self.run("new project…")
        dialog = self.reader.find("dialog", "^New project")
        self.fill(self.reader.find("text", "^Name", dialog), "Savanna")
        self.do("push button", "^Create", dialog)
        self.reader.find("push button", "^Project Savanna")
        self.run("switch project…")
        self.do("list item", "^All projects", self.beside_the_focus("list", "^Find a project$"))
        self.reader.find("push button", "All projects$")

    def open_beside(self) -> None:
        self.run("open beside")
        self.reader.until(lambda: self.count("text", "^Message$") == 2, "a second chat")
        self.run("close this chat or window")
        self.reader.until(lambda: self.count("text", "^Message$") == 1, "the first chat alone")

    def talk_in_passing(self) -> None:
        self.run("new temporary chat")
        self.reader.hear("^Temporary chat$")
        self.ask("gnu")
        self.reader.hear("has answered")
        self.run("close the temporary chat")
        self.do("push button", "^Do not keep$", self.reader.find("dialog", "^Keep the temporary chat"))
        self.reader.hear("^New thread$")

    # What several steps need

    def beside_the_focus(self, role: str, name: str) -> Any:
        """Return what stands beside the named field, which has the focus: Qt lists no popup among the windows."""
        return self.reader.find(role, "", self.reader.await_focus("text", name).get_parent())

    def count(self, role: str, name: str) -> int:
        """Return how many such things are on the screen."""
        found = (each for each in self.reader.all() if each.get_role_name() == role and has(each, "showing"))
        return sum(bool(re.search(name, each.get_name() or "")) for each in found)


if __name__ == "__main__":
    ThreadsWalk().go()
