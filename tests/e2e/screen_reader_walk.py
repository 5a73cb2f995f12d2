"""The walk: everything a person does with ChatDesk, by keyboard and by ear.

``screen_reader_walk.py COMMAND...``: the command prints the clipboard of this display. Writes each step that succeeded.
Runs on the system's Python, like the screen reader it uses.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from screen_reader import ScreenReader, has, read_by, whole_text


class Walk:
    def __init__(self, clipboard_command: list[str]) -> None:
        self._clipboard_command = clipboard_command
        self.reader = ScreenReader()

    def go(self) -> None:
        for step in (
            self.start,
            self.new_thread,
            self.type_and_send,
            self.hear_the_answer,
            self.walk_through_messages,
            self.read_the_code,
            self.copy_the_code,
            self.regenerate,
            self.switch_version,
            self.find_in_the_thread,
            self.find_in_the_sidebar,
            self.search_everything,
            self.run_a_command,
            self.open_settings,
            self.read_everything_while_it_changes,
            self.quit,
        ):
            step()
            sys.stdout.write(step.__name__ + "\n")
            sys.stdout.flush()

    def start(self) -> None:
        self.reader.await_focus("text", "Message")

    def new_thread(self) -> None:
        self.reader.press("ctrl+n")
        self.reader.await_focus("text", "Message")

    def type_and_send(self) -> None:
        editor = self.reader.await_focus("text", "Message")
        self.reader.type("/demo code")
        self.reader.until(lambda: whole_text(editor) == "/demo code", "what was typed in the message field")
        self.reader.press("Return")
        self.reader.until(lambda: whole_text(editor) == "", "the message field to be empty again")

    def hear_the_answer(self) -> None:
        self.reader.hear("is answering")
        self.reader.hear("same task in several languages")
        self.reader.hear("^Code, python, ")
        self.reader.hear("has answered")

    def walk_through_messages(self) -> None:
        reader = self.reader
        self.to_transcript()
        reader.press("End", "ctrl+Up")
        answer = reader.await_focus("list item", r"message 2 of 2")
        assert not has(answer, "busy")
        reader.press("ctrl+Up")
        question = reader.await_focus("list item", r"^You, .*message 1 of 2")
        assert whole_text(question) == "/demo code"
        reader.press("ctrl+Down")
        reader.await_focus("list item", r"message 2 of 2")

    def read_the_code(self) -> None:
        code = self.code()
        text = whole_text(code)
        assert text.startswith("from dataclasses import dataclass\n"), text
        for step in ("char", "word", "line", "sentence"):
            pieces = read_by(code, step)
            assert "".join(pieces) == text, (step, pieces[:10])
        assert read_by(code, "char")[:4] == ["f", "r", "o", "m"]
        assert read_by(code, "word")[0].strip() == "from"
        assert read_by(code, "line")[0] == "from dataclasses import dataclass\n"
        first = read_by(self.reader.find("paragraph", "same task"), "sentence")
        assert first == ["Here is the same task in several languages."], first

    def copy_the_code(self) -> None:
        text = whole_text(self.code())
        self.reader.tab_to("push button", "^Copy python code$")
        self.reader.press("space")
        self.reader.until(lambda: self.clipboard().strip() == text.strip(), "the code on the clipboard")

    def regenerate(self) -> None:
        reader = self.reader
        self.to_transcript()
        reader.press("End", "ctrl+Down")
        reader.tab_to("push button", "^Regenerate$")
        reader.heard.clear()
        reader.press("Return")
        reader.hear("is answering")
        reader.hear("has answered")
        reader.find("label", "^Version 2 of 2$")

    def switch_version(self) -> None:
        reader = self.reader
        self.to_transcript()
        reader.press("End", "ctrl+Down")
        reader.tab_to("push button", "^Previous version$")
        reader.press("Return")
        reader.hear("Version 1 of 2")
        reader.find("label", "^Version 1 of 2$")

    def find_in_the_thread(self) -> None:
        reader = self.reader
        reader.heard.clear()
        reader.press("ctrl+f")
        reader.await_focus("text", "[Ff]ind")
        reader.type("distance")
        reader.hear(r"\d found, match")
        reader.press("Return")
        reader.hear("^Match 2 of")
        reader.press("Escape")
        reader.until(lambda: self.is_in_transcript(reader.focused()), "the focus to be back in the transcript")

    def find_in_the_sidebar(self) -> None:
        reader = self.reader
        reader.press("ctrl+shift+f")
        reader.await_focus("text", "Search")
        reader.type("demo")
        reader.hear(r"\d threads?.* First: Titles: .*demo code")
        reader.press("Down", "Up")
        reader.hear("^Titles: .*demo code")
        reader.press("Return")
        reader.await_focus("text", "Message")

    def search_everything(self) -> None:
        reader = self.reader
        reader.heard.clear()
        reader.press("ctrl+k")
        reader.await_focus("text", "Search everything")
        reader.type("dataclass role:assistant")
        reader.hear(r"\d messages?")
        reader.press("Tab", "Down")
        reader.hear("dataclass")
        reader.press("Return")
        self.await_main_window()
        reader.until(lambda: self.is_in_transcript(reader.focused()), "the focus to be in the transcript")

    def run_a_command(self) -> None:
        reader = self.reader
        reader.heard.clear()
        reader.press("ctrl+shift+p")
        reader.await_focus("text", "Search everything")
        reader.type("go to the composer")
        reader.hear("1 command")
        reader.press("Return")
        self.await_main_window()
        reader.await_focus("text", "Message")

    def open_settings(self) -> None:
        reader = self.reader
        reader.press("ctrl+comma")
        dialog = reader.find("dialog", "Settings")
        reader.until(lambda: any(has(each, "focused") for each in reader.all(dialog)), "the focus in the settings")
        reader.press("Escape")
        self.await_main_window()
        reader.await_focus("text", "Message")

    def read_everything_while_it_changes(self) -> None:
        """Ask for all there is, over and over, while an answer grows, is regenerated, and threads are switched."""
        reader = self.reader
        reader.press("ctrl+n")
        reader.await_focus("text", "Message")
        reader.type("/demo markdown")
        reader.press("Return")
        reader.until(lambda: self.is_read_to_the_end("has answered"), "the answer, read while it grew")
        reader.press("ctrl+r")
        reader.until(lambda: self.is_read_to_the_end("has answered"), "the second answer")
        for keys in ("ctrl+Next", "ctrl+Prior", "ctrl+Next"):
            reader.press(keys)
            self.is_read_to_the_end("nothing")
        reader.await_focus("text", "Message")

    def quit(self) -> None:
        self.reader.press("ctrl+q")

    def is_read_to_the_end(self, last: str) -> bool:
        """Read everything once. Whether ``last`` has been heard."""
        for each in self.reader.all(self.reader.find("list", "Transcript")):
            each.get_role_name(), each.get_description(), each.get_state_set().get_states()
            if each.get_text_iface() is not None:
                read_by(each, "sentence")
        heard = any(last in sentence for sentence in self.reader.heard)
        if heard:
            self.reader.heard.clear()
        return heard

    # What several steps need

    def to_transcript(self) -> None:
        """F6 goes from one part of the window to the next."""
        for _ in range(8):
            focus = self.reader.focused()
            if focus is not None and self.is_in_transcript(focus):
                return
            self.reader.press("F6")
            before = focus
            self.reader.until(lambda before=before: self.reader.focused() != before, "the focus to move")
        raise AssertionError("F6 never reached the transcript")

    def await_main_window(self) -> None:
        """What a window manager does when a dialog has closed; none runs here."""
        self.reader.until(self.reader.give_keyboard, "the window to take the keyboard back")

    def is_in_transcript(self, each: Any) -> bool:
        while each is not None:
            if each.get_name() == "Transcript":
                return True
            each = each.get_parent()
        return False

    def code(self) -> Any:
        transcript = self.reader.find("list", "Transcript")

        def look() -> Any:
            return next(
                (each for each in self.reader.all(transcript) if each.get_name().startswith("Code, python")), None
            )

        return self.reader.until(look, "the Python code")

    def clipboard(self) -> str:
        run = subprocess.run(self._clipboard_command, capture_output=True, text=True, timeout=30, check=True)
        return run.stdout


if __name__ == "__main__":
    Walk(sys.argv[1:]).go()
