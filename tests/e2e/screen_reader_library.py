"""What a person keeps, by actions alone: tags, branches, prompts, parameters, and a team's dialogs.

Writes each step that succeeded. Runs on the system's Python, like the screen reader it uses.
"""

from __future__ import annotations

from collections.abc import Callable

from screen_reader import whole_text
from screen_reader_actions import Walk


class LibraryWalk(Walk):
    def steps(self) -> tuple[Callable[[], None], ...]:
        return (
            self.write_and_send,
            self.tag_the_thread,
            self.branch_off,
            self.delete_messages,
            self.save_a_prompt,
            self.insert_a_prompt,
            self.change_the_parameters,
            self.join_a_team,
            self.create_a_team,
            self.quit,
        )

    def tag_the_thread(self) -> None:
        for name in ("savanna", "river"):
            self.run("tags of the thread…")
            dialog = self.reader.find("dialog", "^Tags")
            self.fill(self.reader.find("text", "^New tag$", dialog), name)
            self.do("push button", "^Save$", dialog)
            self.reader.find("list item", f"^zebra.*{name}", self.reader.find("list", "^Threads$"))
        self.run("tags of the thread…")
        dialog = self.reader.find("dialog", "^Tags")
        self.do("check box", "^river$", dialog)
        self.do("push button", "^Save$", dialog)
        self.run("all tags…")
        dialog = self.reader.find("dialog", "^Tags$")
        self.reader.find("list item", "^savanna, 1 thread", dialog)
        self.reader.find("list item", "^river, 0 threads", dialog)
        self.do("push button", "^Close", dialog)

    def branch_off(self) -> None:
        self.run("branch into a new thread")
        self.reader.hear("^This is a branch")
        self.reader.find("frame", "^zebra.*branch")

    def delete_messages(self) -> None:
        """Delete the last one, which is not asked about, and then the first alone."""
        transcript = self.reader.find("list", "^Transcript$")
        self.run("delete the message")
        self.reader.hear("^Message moved to the trash")
        self.reader.find("list item", "message 1 of 1", transcript)
        self.run("undo")
        self.reader.find("list item", "message 2 of 2", transcript)
        self.do("list item", "^You, .*message 1 of 2", transcript)
        self.run("delete the message")
        self.do("push button", "^This message only$", self.reader.find("dialog", "^Delete this message"))
        self.reader.hear("^Message moved to the trash")
        self.run("undo")
        self.reader.find("list item", "^You, .*message 1 of 2", transcript)

    def save_a_prompt(self) -> None:
        self.fill(self.reader.find("text", "^Message$"), "Name three animals.")
        self.run("save as prompt…")
        dialog = self.reader.find("dialog", "(?i)prompt")
        self.fill(self.reader.find("text", "^Name", dialog), "Animals")
        self.do("push button", "^(Save|Done)$", dialog)

    def insert_a_prompt(self) -> None:
        self.fill(self.reader.find("text", "^Message$"), "")
        self.run("prompts…")
        dialog = self.reader.find("dialog", "^Prompts")
        self.do("list item", "^Animals", dialog)
        self.do("push button", "^Insert$", dialog)
        field = self.reader.find("text", "^Message$")
        self.reader.until(lambda: whole_text(field) == "Name three animals.", "the prompt in the message")

    def change_the_parameters(self) -> None:
        self.run("parameters…")
        dialog = self.reader.find("dialog", "^Parameters")
        self.fill(self.reader.find("text", "(?i)temperature", dialog), "0.5")
        self.do("push button", "^Save$", dialog)
        self.reader.find("push button", "^Parameters.*0.5|Temperature 0.5")

    def join_a_team(self) -> None:
        self.run("join a workspace…")
        dialog = self.reader.find("dialog", "^Join")
        self.fill(self.reader.find("text", "(?i)invitation|code", dialog), "garbage")
        self.reader.hear("(?i)invitation|code")
        self.do("push button", "^Cancel$", dialog)

    def create_a_team(self) -> None:
        self.run("team sync…")
        dialog = self.reader.find("dialog", "Settings")
        self.do("push button", "^Create", dialog)
        made = self.reader.find("dialog", "(?i)workspace")
        self.do("push button", "^Cancel$", made)
        self.do("push button", "^Close$", dialog)


if __name__ == "__main__":
    LibraryWalk().go()
