"""Declares the settings of the window's look and use, a part of ``Settings``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatdesk.core.languages import LANGUAGES, SYSTEM
from chatdesk.core.settings.declaration import Shown, declared
from chatdesk.core.texts import Text


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)  # `Settings` has the methods
class WindowSettings:
    """The settings that say how the window looks, and how messages are written and read in it."""

    theme: str = declared(
        "appearance.theme",
        "system",
        "Colours: those of the system, light, dark, or either of them with high contrast.",
        Shown(
            "General",
            Text("Theme"),
            section=Text("Look"),
            also=Text("colours colors dark mode appearance"),
            is_previewed=True,
        ),
        choices={
            "system": Text("Same as the system"),
            "light": Text("Light"),
            "dark": Text("Dark"),
            "light-contrast": Text("Light, high contrast"),
            "dark-contrast": Text("Dark, high contrast"),
        },
    )
    language: str = declared(
        "appearance.language",
        SYSTEM,
        "Language of the window and of the command line: that of the system, or one of those that ChatDesk speaks.",
        Shown(
            "General",
            Text("Language"),
            Text("Changes when ChatDesk starts again."),
            section=Text("Look"),
            also=Text("translation locale"),
        ),
        choices={SYSTEM: Text("Same as the system"), **LANGUAGES},
    )
    text_scale: float = declared(
        "appearance.text_scale",
        1.0,
        "Size of all text; 1.25 is 125 %.",
        Shown("General", Text("Text size"), section=Text("Look"), also=Text("font zoom"), is_previewed=True),
        choices={0.75: "75 %", 0.9: "90 %", 1.0: "100 %", 1.1: "110 %", 1.25: "125 %", 1.5: "150 %", 1.75: "175 %"}
        | {2.0: "200 %"},
        minimum=0.75,
        maximum=2.0,
    )
    touch: str = declared(
        "appearance.touch",
        "auto",
        "Room for fingers in buttons, menus and lists: from the first touch of the screen on, always, or never.",
        Shown(
            "General",
            Text("Room for fingers"),
            section=Text("Look"),
            also=Text("touch screen targets size density"),
        ),
        choices={"auto": Text("When the screen is touched"), "on": Text("Always"), "off": Text("Never")},
    )
    motion: str = declared(
        "accessibility.motion",
        "system",
        "Animations: as the system has them, all, or none.",
        Shown("Accessibility", Text("Animations"), also=Text("movement")),
        choices={"system": Text("Same as the system"), "full": Text("On"), "none": Text("Off")},
    )
    read_answers: str = declared(
        "accessibility.read_answers",
        "off",
        "What a screen reader says of an answer besides its start and end: nothing, all of it at the end, or each "
        "sentence as it comes.",
        Shown(
            "Accessibility",
            Text("Screen reader reads answers"),
            Text("Their start and end are always announced."),
            also=Text("speech voice"),
        ),
        choices={"off": Text("No"), "end": Text("When they are complete"), "sentences": Text("Sentence by sentence")},
    )
    send_on_enter: bool = declared(
        "composer.send_on_enter",
        True,
        "Enter sends and Shift+Enter adds a line (true), or Ctrl+Enter sends (false).",
        Shown(
            "General",
            Text("Send with"),
            Text("Shift+Enter always adds a line."),
            section=Text("Writing"),
            also=Text("return key newline"),
        ),
        choices={True: "Enter", False: "Ctrl+Enter"},
    )
    shortcuts: Mapping[str, str] = declared(
        "keyboard.shortcuts",
        {},
        "Keys that you changed: a command and its keys, several with a semicolon and a space between; empty is none.",
        Shown(
            "Shortcuts",
            Text("Keyboard shortcuts"),
            Text("Press Ctrl+/ to see them at any time."),
            hidden="the shortcuts dialog",
        ),
    )
    plain_user_messages: bool = declared(
        "transcript.plain_user_messages",
        False,
        "Your own messages are shown exactly as typed (true), or with their Markdown formatted (false).",
        Shown("General", Text("Show your messages"), section=Text("Writing"), also=Text("markdown")),
        choices={False: Text("With formatting"), True: Text("Exactly as typed")},
    )
    answer_notices: str = declared(
        "desktop.answer_notices",
        "long",
        "Notify of answers that end, and of tools that wait for approval, while another window is in front: of answers "
        "that took longer than ten seconds, of all, or never.",
        Shown(
            "General",
            Text("Notify when an answer is ready"),
            Text("While you work in another window."),
            section=Text("Desktop"),
        ),
        choices={"long": Text("If it took 10 seconds"), "all": Text("Always"), "off": Text("Never")},
    )
    tray: str = declared(
        "desktop.tray",
        "off",
        "An icon in the tray, where the desktop has one: none, an icon, or one with which ChatDesk goes on when its "
        "window is closed.",
        Shown(
            "General",
            Text("Icon in the tray"),
            section=Text("Desktop"),
            also=Text("system tray status close minimise background"),
        ),
        choices={"off": Text("None"), "on": Text("Show"), "close": Text("Show, and keep running in it")},
    )
    quick_keys: str = declared(
        "desktop.quick_keys",
        "",
        "Keys that show the quick window in whatever program you are, such as Ctrl+Alt+Space; empty is none.",
        Shown("Shortcuts", "Keys for a quick question", hidden="the page of shortcuts"),
    )
    start_at_login: bool = declared(
        "desktop.start_at_login",
        False,
        "Start ChatDesk when you log in (Linux desktops).",
        Shown("General", Text("Start when you log in"), section=Text("Desktop"), also=Text("autostart boot")),
    )
    delete_messages: str = declared(
        "transcript.delete_messages",
        "ask",
        "Deleting a message that others follow: ask each time, delete only this message, or the later ones too.",
        Shown("General", Text("When you delete a message"), section=Text("Messages")),
        choices={
            "ask": Text("Ask about later ones"),
            "only": Text("Delete only that one"),
            "later": Text("Delete later ones too"),
        },
    )
    updates_check: bool = declared(
        "updates.check",
        False,
        "Look for a new version once a day, in the feed that the portable program was built with. Copies that were "
        "installed in another way are updated there.",
        Shown(
            "General",
            Text("Look for a new version once a day"),
            Text("The portable program only; “Updates…” says how yours is updated."),
            section=Text("Updates"),
            also=Text("update upgrade release"),
        ),
    )
