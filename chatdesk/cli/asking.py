"""``chatdesk ask`` asks a question and prints the answer as it comes."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli import team_sharing
from chatdesk.cli.attached_texts import check_texts, in_utf8
from chatdesk.cli.threads import checked_prefix, find_thread
from chatdesk.core.domain.prompt import PromptKind
from chatdesk.core.domain.tools import Answer, ToolServer
from chatdesk.core.errors import EmptyMessage, InvalidInput
from chatdesk.core.hidden_characters import distinct_name
from chatdesk.core.ids import checked_id
from chatdesk.core.paths import AppPaths
from chatdesk.core.rendering.sources import FILES_SENTENCES
from chatdesk.core.system import terminal
from chatdesk.core.texts import Sentences, Text, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

# The exit code of a complete answer with a call that was denied because there was no person to ask.
CALL_DENIED: Final = 3
_ASK, _DENY = "ask", "deny"
# A permission of --approve: the id of a server, and one of its tools, or None for all.
_Grant = tuple[str, str | None]


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    ask = commands.add_parser("ask", parents=[common], help=tr("ask a question and print the answer as it comes"))
    ask.add_argument("text", metavar="TEXT", help=tr("the question; - reads it from stdin"))
    where = ask.add_mutually_exclusive_group()
    where.add_argument("--thread", metavar="ID", help=tr("continue this thread (the start of its id is enough)"))
    where.add_argument(
        "--edit", metavar="MESSAGE", help=tr("ask another version of this question; the old one is kept")
    )
    where.add_argument("--new", action="store_true", help=tr("start a new thread (the default)"))
    ask.add_argument("--model", metavar="MODEL", help=tr("model to ask"))
    ask.add_argument(
        "--provider", metavar="NAME", help=tr("id of the provider to ask ('chatdesk providers' lists them)")
    )
    ask.add_argument("--assistant", metavar="NAME", help=tr("assistant from the library to ask"))
    ask.add_argument(
        "--attach", metavar="FILE", action="append", default=[], help=tr("file to attach; may be repeated")
    )
    ask.add_argument(
        "--tools", metavar="SERVERS", help=tr("tool servers that the model may use, separated by commas, or none")
    )
    ask.add_argument(
        "--approve",
        metavar="HOW",
        action="append",
        default=[],
        help=tr(
            "what to do with tool calls: ask (at a terminal), deny, or what to allow: SERVER for all tools of a server "
            "and SERVER/TOOL for one; may be repeated"
        ),
    )
    ask.add_argument("--encoding", metavar="NAME", help=tr("how the attached texts are encoded, such as windows-1251"))
    ask.add_argument("--json", action="store_true", help=tr("print one JSON object per line: start, text, ..., finish"))
    ask.set_defaults(run=_ask, check=_check)


def _check(options: argparse.Namespace, _paths: AppPaths) -> None:
    if options.text == "-":
        options.text = sys.stdin.read()
    if not (options.text.strip() or options.attach):
        raise EmptyMessage
    if options.thread:
        checked_prefix(options.thread)
    if options.edit:
        checked_id(options.edit)
    options.attach = [_absolute(each) for each in options.attach]
    check_texts([Path(each) for each in options.attach], options.encoding)


async def _ask(options: argparse.Namespace, services: Services) -> int:
    with tempfile.TemporaryDirectory() as folder:
        if options.encoding:
            limits = services.attachments.limits
            options.attach = await asyncio.to_thread(
                in_utf8, options.attach, options.encoding, Path(folder), limits=limits
            )
        return await _answered(options, services)


async def _answered(options: argparse.Namespace, services: Services) -> int:
    from chatdesk.services.asking import ask  # the help of all commands does without

    thread_id = (await find_thread(services, options.thread)).id if options.thread else None
    if thread_id is not None and await services.system_prompts.is_from_file(thread_id):
        terminal.complain(tr("An imported system prompt is sent with the question."))
    if thread_id is not None and (name := await services.system_prompts.changed_by_other(thread_id)) is not None:
        terminal.complain(tr("{name} changed the system prompt; it is sent with the question.", name=name))
    wanted, allowed = await _prepare_tools(services, options)
    approver = Approver(options.approve, allowed, is_json=options.json)
    asking = ask(
        services,
        options.text,
        thread_id=thread_id,
        edits=options.edit,
        provider=options.provider,
        model=options.model,
        files=options.attach,
        assistant_id=await _assistant_id(services, options.assistant),
    )
    last: dict[str, Any] = {}
    answer = terminal.TextWriter()
    # Closing the stream, on Ctrl+C or when the reader goes away, stops the answer and keeps its text.
    async with aclosing(asking) as events:
        async for event in events:
            last = event
            if event["event"] == "approval":
                answer.close(ends_line=True)
                await approver.answer(services, event)
            elif event["event"] == "tools":
                wanted.pop(event["server_id"], None)
                _print_offered(event, is_asked_for=options.tools is not None, is_json=options.json)
            elif options.json:
                terminal.say_json(event, indent=None)
            else:
                _print_event(event, answer)
    for server in wanted.values():
        terminal.complain(tr("{server}: {problem}", server=server.name, problem=_why_not(server)))
    answer.close(ends_line=True)
    _print_sources({} if options.json else last)
    if last.get("thread_id"):
        await team_sharing.send_asked(services, last["thread_id"])
    if last.get("status") == "complete":
        return CALL_DENIED if approver.has_denied_unasked else 0
    terminal.complain(last.get("error") or tr("The answer was not finished. What had arrived is kept."))
    return 1


def _print_event(event: dict[str, Any], answer: terminal.TextWriter) -> None:
    """Write the text of an answer, and its events to stderr."""
    if event["event"] == "text":
        answer.write(event["delta"])
    elif event["event"] == "file":
        terminal.complain(tr("{name}: {problem}", name=event["name"], problem=event["problem"]))
    elif event["event"] == "retry":
        again = Text("Trying again in {seconds} s.", seconds=round(event["delay_s"]))
        terminal.complain(Sentences.of(event["reason"], again))
    elif event["event"] == "waiting":
        waits = Text("The question waits, {count} before it; Ctrl+C cancels.", count=event["before"])
        terminal.complain(Sentences.of(event["reason"], waits))
    elif event["event"] == "unsaved":
        answer.close(ends_line=True)
        tries = Text("ChatDesk keeps trying to save the answer for a while; Ctrl+C stops it.")
        terminal.complain(Sentences.of(event["reason"], tries))


def _print_offered(event: dict[str, Any], *, is_asked_for: bool, is_json: bool) -> None:
    """Write the tools that a server offers for the answer, if one was named, and the reasons why others are not
    offered."""
    if is_json:
        terminal.say_json(event, indent=None)
    server, tools, notes = _server_of(event), tuple(map(distinct_name, event["tools"])), event["notes"]
    if is_asked_for and tools and not is_json:
        terminal.complain(tr("{server} offers: {names}.", server=server, names=tools))
    for note in notes or ((Text("It lists no tools."),) if is_asked_for and not tools else ()):
        terminal.complain(tr("{server}: {problem}", server=server, problem=note))


def _why_not(server: ToolServer) -> Text:
    """Return why a server that was named offers no tools."""
    if not server.is_on:
        return Text("It is switched off: chatdesk tools on {server} switches it on.", server=server.id)
    if server.is_of_project:
        return Text("It is for the threads of a project with a folder: see chatdesk tools folder.")
    return Text("It was not asked for its tools.")


def _print_sources(finish: dict[str, Any]) -> None:
    """Write the sources of an answer, or why no file is among them, to stderr, so that a pipe gets the answer alone."""
    for each in finish.get("sources", ()):
        terminal.report(f"[{each['number']}] {each['title']}  {each['url']}")
    sentence = FILES_SENTENCES.get(finish.get("project_files") or "")
    if sentence is not None:
        terminal.report(shown(sentence))


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())


class Approver:
    """Answers the calls of tools for a command: as its options say, by asking at the terminal, or with no."""

    def __init__(self, wanted: Sequence[str], allowed: frozenset[_Grant], *, is_json: bool) -> None:
        """Answer calls as the option ``wanted`` says: ``ask``, ``deny``, or with yes to those that are ``allowed``."""
        self._allowed = allowed
        is_terminal = sys.stdin is not None and sys.stdin.isatty()
        self._asks = _DENY not in wanted and is_terminal and (_ASK in wanted or not (wanted or is_json))
        self._is_deny_chosen = _DENY in wanted
        self._is_json = is_json
        self.has_denied_unasked = False

    async def answer(self, services: Services, event: dict[str, Any]) -> None:
        """Answer one call that waits for approval, and print the answer."""
        if services.has_other_owner:
            self._print_decision(event, None, tr("Answer in the window.") if not event["is_denied"] else _NOBODY)
            self.has_denied_unasked |= bool(event["is_denied"])
            return
        server_id, tool = event["server_id"], event["tool"]
        is_allowed = not self._allowed.isdisjoint(((server_id, None), (server_id, tool)))
        name = _pasteable(server_id, tool)
        nobody = Text("{words} It is allowed with --approve {name}.", words=_NOBODY, name=name) if name else _NOBODY
        words = tr("It was allowed.") if is_allowed else tr("It was denied.") if self._is_deny_chosen else nobody
        if not is_allowed and self._asks:
            is_allowed = await self._ask(event)
            words = tr("It was allowed.") if is_allowed else tr("It was denied.")
        elif not is_allowed and not self._is_deny_chosen:
            self.has_denied_unasked = True
        self._print_decision(event, is_allowed, words)
        answer = Answer.ONCE if is_allowed else Answer.DENY
        services.chat.tools.approvals.answer(event["id"], answer)

    async def _ask(self, event: dict[str, Any]) -> bool:
        terminal.complain(
            tr(
                "The model wants to call {tool} of {server} with",
                tool=distinct_name(str(event["tool"])),
                server=_server_of(event),
            )
        )
        terminal.report(str(event["arguments"]))
        return await terminal.agrees(tr("Allow it?"))

    def _print_decision(self, event: dict[str, Any], is_allowed: bool | None, words: str) -> None:
        if self._is_json:
            decided = event["is_denied"] if is_allowed is None else not is_allowed
            terminal.say_json({**event, "is_denied": decided}, indent=None)
        else:
            terminal.complain(
                tr(
                    "The model wants to call {tool} of {server}. {words}",
                    tool=distinct_name(str(event["tool"])),
                    server=_server_of(event),
                    words=words,
                )
            )


_NOBODY: Final = Text("It was denied: nobody can be asked here (see --approve).")


def _pasteable(server_id: str, tool: str) -> str:
    """Return the full name of a tool, quoted for a shell, since a server may choose any name. Empty if the name
    would be misleading in print."""
    import shlex  # only where a call was denied

    return shlex.quote(f"{server_id}/{tool}") if distinct_name(tool) == tool else ""


def _server_of(event: dict[str, Any]) -> str:
    """Return the name of a call's server, with its id where that is another: several may have the same name."""
    name, server_id = str(event["server"]), str(event.get("server_id") or "")
    return f"{name} ({server_id})" if server_id not in ("", name) else name


async def _prepare_tools(
    services: Services, options: argparse.Namespace
) -> tuple[dict[str, ToolServer], frozenset[_Grant]]:
    """Limit the tool servers to those that were chosen, register that calls are answered here, and return those
    servers by their ids, and the calls that are allowed. Raises ``InvalidInput``."""
    if services.has_other_owner:
        if options.tools is not None or options.approve:
            raise InvalidInput(
                Text("A ChatDesk window is open and answers this question, so --tools and --approve cannot be used."),
                safe=Text("The question was not sent."),
                next_step=Text("Choose the tools in the window, or close it."),
            )
        return {}, frozenset()
    services.chat.tools.approvals.attend()
    names = [each for each in options.approve if each not in (_ASK, _DENY)]
    service = await services.tools.in_use()
    if service is not None and service.problem:
        terminal.complain(service.problem)
    if options.tools is None and not names:
        return {}, frozenset()
    servers = () if service is None else service.servers
    wanted: dict[str, ToolServer] = {}
    if options.tools is not None:
        named = [] if options.tools == "none" else [each.strip() for each in options.tools.split(",") if each.strip()]
        wanted = {server.id: server for server in (_the_server(servers, each) for each in named)}
        services.chat.tools.limit_to(tuple(wanted))
    return wanted, frozenset(grant for each in names if (grant := _grant_of(servers, each)) is not None)


def _the_server(servers: Sequence[ToolServer], name: str) -> ToolServer:
    """Return the one server with this id or name. Raises ``InvalidInput``."""
    found = [each for each in servers if name in (each.id, each.name)]
    if len(found) > 1:
        raise _several(name, [each.id for each in found])
    if not found:
        raise InvalidInput(
            Text("There is no tool server {first}.", first=name),
            safe=Text("The question was not sent."),
            next_step=Text("See 'chatdesk tools list'."),
        )
    return found[0]


def _grant_of(servers: Sequence[ToolServer], name: str) -> _Grant | None:
    """Return the grant that ``name`` gives: all tools of the server with this id or name, or the tool behind a slash.
    None where no server has it, perhaps because it is a tool's alone, which other servers may have too. Raises
    ``InvalidInput``."""
    readings: list[tuple[str, str | None]] = [(name, None)]
    readings += [(name[:at], name[at + 1 :]) for at, letter in enumerate(name) if letter == "/" and name[at + 1 :]]
    found = [(each.id, tool) for server, tool in readings for each in servers if server in (each.id, each.name)]
    if len(found) > 1:
        raise _several(name, ["/".join(filter(None, each)) for each in found])
    if not found:
        terminal.complain(tr("There is no tool server {name}: --approve allows nothing by this name.", name=name))
    return found[0] if found else None


def _several(name: str, found: Sequence[str]) -> InvalidInput:
    return InvalidInput(
        Text("{name} has several meanings: {names}.", name=name, names=tuple(found)),
        safe=Text("The question was not sent."),
        next_step=Text("Give each tool server a name of its own, or use its id ('chatdesk tools list')."),
    )


async def _assistant_id(services: Services, name: str | None) -> str | None:
    """Return the id of the assistant with this name or id. Raises ``InvalidInput``."""
    if name is None:
        return None

    heads = [head for head in await services.prompts.list() if head.kind is PromptKind.ASSISTANT]
    found = [head.id for head in heads if name.casefold() in (head.id, head.name.casefold())]
    if len(found) != 1:
        listed = tuple(head.name for head in heads[:10])
        raise InvalidInput(
            Text("There are several assistants called {name}.", name=name)
            if found
            else Text("There is no assistant called {name}.", name=name),
            safe=Text("The question was not sent."),
            next_step=Text("There are: {names}.", names=listed or Text("none")),
        )
    return found[0]
