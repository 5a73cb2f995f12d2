"""``chatdesk ask`` asks a question and prints the answer as it comes."""

from __future__ import annotations

import argparse
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from chatdesk.cli import team_sharing
from chatdesk.cli.threads import find_thread
from chatdesk.core import terminal

if TYPE_CHECKING:
    from chatdesk.services.services import Services


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    ask = commands.add_parser("ask", parents=[common], help="ask a question and print the answer as it comes")
    ask.add_argument("text", metavar="TEXT", help="the question; - reads it from stdin")
    where = ask.add_mutually_exclusive_group()
    where.add_argument("--thread", metavar="ID", help="go on in this thread (the beginning of its id is enough)")
    where.add_argument("--edit", metavar="MESSAGE", help="another version of this question; the old one stays")
    where.add_argument("--new", action="store_true", help="begin a new thread (the default)")
    ask.add_argument("--model", metavar="MODEL", help="model that answers")
    ask.add_argument("--provider", metavar="NAME", help="provider that answers, by its id: see providers")
    ask.add_argument("--json", action="store_true", help="one JSON object a line: start, text, ..., finish")
    ask.set_defaults(run=_ask)


async def _ask(options: argparse.Namespace, services: Services) -> int:
    thread_id = (await find_thread(services, options.thread)).id if options.thread else None
    if thread_id is not None and await services.system_prompts.is_from_file(thread_id):
        terminal.complain("An imported system prompt is sent with the question.")
    if thread_id is not None and (name := await services.system_prompts.changed_by_other(thread_id)) is not None:
        terminal.complain(f"{name} changed the system prompt; it is sent with the question.")
    asking = services.ask(
        options.text, thread_id=thread_id, edits=options.edit, provider=options.provider, model=options.model
    )
    last: dict[str, Any] = {}
    answer = terminal.TextWriter()
    # Closing the stream, on Ctrl+C or when the reader goes away, stops the answer and keeps its text.
    async with aclosing(asking) as events:
        async for event in events:
            last = event
            if options.json:
                terminal.say_json(event, indent=None)
            elif event["event"] == "text":
                answer.write(event["delta"])
            elif event["event"] == "retry":
                terminal.complain(f"{event['reason']} Trying again in {event['delay_s']:.0f} s.")
            elif event["event"] == "waiting":
                terminal.complain(f"{event['reason']} The question waits, {event['before']} before it; Ctrl+C cancels.")
            elif event["event"] == "approval":
                answer.close(ends_line=True)
                then = "It was denied: nobody can be asked here." if event["is_denied"] else "Answer in the window."
                terminal.complain(f"The model wants to call {event['tool']} of {event['server']}. {then}")
            elif event["event"] == "unsaved":
                answer.close(ends_line=True)
                terminal.complain(f"{event['reason']} Trying to save the answer for a while; Ctrl+C ends it.")
    answer.close(ends_line=True)
    if last.get("thread_id"):
        await team_sharing.send_asked(services, last["thread_id"])
    if last.get("status") == "complete":
        return 0
    terminal.complain(last.get("error") or "The answer was not finished. What had arrived is kept.")
    return 1
