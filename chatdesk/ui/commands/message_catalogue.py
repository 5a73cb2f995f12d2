"""Lists all actions on messages, from which the menu of a message and the tools below it are made."""

from __future__ import annotations

from typing import Final

from chatdesk.core.texts import Text, tr
from chatdesk.ui.commands.message_action import (
    QUICK,
    MessageAction,
    always,
    has_changes,
    has_open_calls,
    has_page,
    has_versions,
    is_answer,
    is_by_model,
    is_excluded,
    is_pinned,
    is_question,
    quick_action,
)

_NO_ANSWER: Final = Text("There is no finished answer here.")


# The quick actions that everybody has.
QUICK_ACTIONS: Final = (
    quick_action("shorter", Text("Shorter"), command="message.shorter", otherwise=_NO_ANSWER),
    quick_action("longer", Text("Longer"), command="message.longer", otherwise=_NO_ANSWER),
)

# The actions on a message, in the order of its menu.
MESSAGE_ACTIONS: Final[tuple[MessageAction, ...]] = (
    MessageAction(
        "copy",
        Text("Copy"),
        "copy",
        "copy",
        can=always,
        text_of=lambda state: tr("Copy selection") if state.has_selection else tr("Copy"),
        is_tool=True,
    ),
    MessageAction("copy-markdown", Text("Copy as Markdown"), "copy", can=always),
    MessageAction("copy-plain", Text("Copy as plain text"), "copy", can=always),
    MessageAction("copy-rich", Text("Copy as rich text"), "copy", can=always),
    MessageAction("link", Text("Copy link"), "copy", "link", can=always, command="message.copy_link"),
    MessageAction(
        "quote",
        Text("Quote"),
        "copy",
        "corner-down-right",
        can=always,
        text_of=lambda state: tr("Quote selection") if state.has_selection else tr("Quote"),
    ),
    MessageAction(
        "remember", Text("Remember selection…"), "copy", "brain", lambda state: state.has_selection, can=always
    ),
    MessageAction(
        "open-artifact",
        Text("Open as artifact"),
        "copy",
        "panel-right",
        lambda state: state.has_artifact(),
        command="message.open_artifact",
        otherwise=Text("No message in view has a file, or code of 15 lines or more."),
    ),
    MessageAction(
        "open-page",
        Text("Open page in browser"),
        "copy",
        "external-link",
        has_page,
        command="message.open_page",
        otherwise=Text("No message in view has a block of HTML."),
    ),
    MessageAction("answer", Text("Answer", "verb"), "ask", "sparkles", lambda state: state.is_unanswered, writes=True),
    MessageAction("regenerate", Text("Regenerate"), "ask", "refresh-cw", is_answer, is_tool=True, writes=True),
    MessageAction(
        "regenerate-with",
        Text("Regenerate with another model…"),
        "ask",
        "sparkles",
        lambda state: state.is_unanswered or is_answer(state),
        text_of=lambda state: (
            tr("Answer with another model…") if is_question(state) else tr("Regenerate with another model…")
        ),
        writes=True,
    ),
    MessageAction("edit", Text("Edit"), "ask", "pencil", is_question, is_tool=True, writes=True),
    MessageAction(
        "continue",
        Text("Continue"),
        "ask",
        "play",
        lambda state: state.can_continue,
        can=always,
        writes=True,
        command="message.continue",
        otherwise=Text("There is no answer here that could be continued."),
    ),
    MessageAction(
        "ask-calls",
        Text("Decide about open calls…"),
        "ask",
        "hammer",
        has_open_calls,
        can=always,
        writes=True,
    ),
    MessageAction(
        "changes",
        Text("Review proposed changes…"),
        "ask",
        "list-checks",
        has_changes,
        command="message.changes",
        otherwise=Text("No answer here proposes changes to files."),
    ),
    MessageAction(
        "edit-answer",
        Text("Edit answer"),
        "ask",
        "pencil",
        is_by_model,
        writes=True,
        command="message.edit_answer",
        otherwise=_NO_ANSWER,
    ),
    MessageAction("retry", Text("Try again"), None, writes=True),
    quick_action("", ""),  # stands for all quick actions
    MessageAction(
        "version-previous",
        Text("Previous version"),
        "versions",
        "chevron-left",
        has_versions,
        can=lambda state: state.message.version_index > 1,
        command="message.previous_version",
        otherwise=Text("There is no earlier version of this message."),
    ),
    MessageAction(
        "version-next",
        Text("Next version"),
        "versions",
        "chevron-right",
        has_versions,
        can=lambda state: state.message.version_index < state.message.version_count,
        command="message.next_version",
        otherwise=Text("There is no later version of this message."),
    ),
    MessageAction(
        "compare",
        Text("Compare versions"),
        "versions",
        "panel-right",
        lambda state: has_versions(state) and is_answer(state),
        can=always,
        command="message.compare_versions",
        otherwise=Text("This answer has one version only."),
    ),
    MessageAction(
        "branch",
        Text("Branch into a new thread"),
        "branch",
        "git-branch",
        is_tool=True,
        writes=True,
        command="message.branch",
    ),
    MessageAction(
        "pin",
        Text("Pin into the context"),
        "context",
        "pin",
        lambda state: not is_pinned(state),
        is_tool=True,
        command="message.pin",
    ),
    MessageAction(
        "unpin", Text("Unpin from the context"), "context", "pin-off", is_pinned, is_tool=True, command="message.pin"
    ),
    MessageAction(
        "exclude",
        Text("Exclude from the context"),
        "context",
        "eye-off",
        lambda state: not is_excluded(state),
        command="message.exclude",
    ),
    MessageAction(
        "include",
        Text("Include in the context"),
        "context",
        "eye",
        is_excluded,
        text_of=lambda state: (
            tr("Let the model see it") if state.message.is_note else tr("Include in the context again")
        ),
        command="message.exclude",
    ),
    MessageAction(
        "start-here",
        Text("Start the context here"),
        "context",
        "corner-down-right",
        lambda state: not state.is_context_start,
        command="message.start_here",
        otherwise=Text("The context starts here already."),
    ),
    MessageAction(
        "start-at-beginning",
        Text("Start the context at the beginning"),
        "context",
        "rotate-ccw",
        lambda state: state.starts_later,
        can=always,
        command="message.start_at_beginning",
        otherwise=Text("The context starts at the beginning already."),
    ),
    MessageAction("delete", Text("Delete"), "remove", "trash-2", writes=True, is_danger=True, command="message.delete"),
    MessageAction(
        "erase",
        Text("Erase for everyone…"),
        "remove",
        "trash-2",
        lambda state: state.is_shared,
        writes=True,
        is_danger=True,
    ),
)

_BY_NAME: Final = {action.name: action for action in MESSAGE_ACTIONS}


def message_action(name: str) -> MessageAction | None:
    """Return the action with this name; None if it is not an action on a message, such as a button of a notice."""
    return _BY_NAME.get(QUICK if name.startswith(QUICK) else name)
