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
        "Colours of the window: those of the system, light or dark, or either of these with high contrast.",
        Shown(
            "General",
            Text("Theme"),
            section=Text("Look"),
            also=Text("colours colors dark mode appearance"),
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
        "Language of the window and of the command line: that of the system, or one that ChatDesk comes with.",
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
        "Size of all text; 1.25 means 125 %.",
        Shown("General", Text("Text size"), section=Text("Look"), also=Text("font zoom")),
        choices={0.75: "75 %", 0.9: "90 %", 1.0: "100 %", 1.1: "110 %", 1.25: "125 %", 1.5: "150 %", 1.75: "175 %"}
        | {2.0: "200 %"},
        minimum=0.75,
        maximum=2.0,
    )
    touch: str = declared(
        "appearance.touch",
        "auto",
        "When buttons, menus and lists are large enough for fingers: auto (from the first touch of the screen on), on "
        "(always) or off (never).",
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
        "Animations: system (as the system is set), full (all) or none.",
        Shown("General", Text("Animations"), section=Text("Accessibility"), also=Text("movement")),
        choices={"system": Text("Same as the system"), "full": Text("On"), "none": Text("Off")},
    )
    read_answers: str = declared(
        "accessibility.read_answers",
        "off",
        "What a screen reader reads of an answer, besides announcing its start and end: off (nothing), end (the whole "
        "answer once it is complete) or sentences (each sentence as it arrives).",
        Shown(
            "General",
            Text("Screen reader reads answers"),
            Text("Their start and end are always announced."),
            section=Text("Accessibility"),
            also=Text("speech voice"),
        ),
        choices={"off": Text("No"), "end": Text("When they are complete"), "sentences": Text("Sentence by sentence")},
    )
    send_on_enter: bool = declared(
        "composer.send_on_enter",
        True,
        "If true, Enter sends and Shift+Enter adds a line. If false, Ctrl+Enter sends.",
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
        "Keyboard shortcuts that you changed: each command with its keys. Several keys are separated by a semicolon "
        "and a space.",
        Shown(
            "Shortcuts",
            Text("Keyboard shortcuts"),
            Text("Press Ctrl+/ to see them at any time."),
            hidden="the page of shortcuts",
        ),
    )
    plain_user_messages: bool = declared(
        "transcript.plain_user_messages",
        False,
        "If true, your own messages are shown exactly as typed. If false, their Markdown is formatted.",
        Shown("General", Text("Show your messages"), section=Text("Writing"), also=Text("markdown")),
        choices={False: Text("With formatting"), True: Text("Exactly as typed")},
    )
    answer_notices: str = declared(
        "desktop.answer_notices",
        "long",
        "When to notify you that an answer has ended, while another window is in front: long (if it took ten seconds "
        "or more), all or off. Unless it is off, you are also notified of tools that wait for your approval.",
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
        "Icon in the tray, if the desktop has one: off (no icon), on (an icon) or close (an icon, and ChatDesk keeps "
        "running when its window is closed).",
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
        "Keys that open the quick window from any program, such as Ctrl+Alt+Space; empty means none.",
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
        "What deleting a message does when later messages follow it: ask (asks each time), only (deletes only this "
        "message) or later (deletes the later ones too).",
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
        "Look for a new version once a day, at the page of releases that the portable program was built with. Copies "
        "that were installed in another way are updated in that way.",
        Shown(
            "General",
            Text("Look for a new version once a day"),
            Text("The portable program only; “Updates…” says how yours is updated."),
            section=Text("Updates"),
            also=Text("update upgrade release"),
        ),
    )
