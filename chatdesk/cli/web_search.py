"""``chatdesk tools search-engine`` chooses the engine that models search the web with, tests it, and shows it."""

from __future__ import annotations

import argparse
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from chatdesk.core.errors import InvalidInput
from chatdesk.core.paths import AppPaths
from chatdesk.core.system import terminal
from chatdesk.core.system.processes import environment
from chatdesk.core.texts import Text, shown, tr
from chatdesk.core.tools.web_search.choice import SEARCH_STEP_TEXTS, SearchChoice, SearchEngine

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.core.tools.tool_service import ToolService
    from chatdesk.core.tools.web_search.web_search import WebSearch

VERB = "search-engine"
_NONE = "none"
_ENGINES = ("searxng", "brave", "tavily", _NONE)


def add_verb(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        VERB, parents=[common], help=tr("show or set the search engine that models use for the web")
    )
    verb.add_argument("engine", metavar="ENGINE", nargs="?", choices=_ENGINES, help=f"{', '.join(_ENGINES)}")
    verb.add_argument("--address", metavar="URL", default="", help=tr("address of SearXNG"))
    verb.add_argument("--key", metavar="VARIABLE", default="", help=tr("environment variable that holds the key"))
    verb.add_argument(
        "--test",
        action="store_true",
        help=tr("test the engine step by step; an ENGINE that is given is tested without being set"),
    )
    verb.add_argument("--forget-key", action="store_true", help=tr("remove the stored key of the engine"))
    verb.set_defaults(check=_check)
    verb.add_argument(
        "--json", action="store_true", help=tr("print a JSON object, or with --test an array of its steps")
    )


def changes(options: argparse.Namespace) -> bool:
    """Return whether the command would change the settings of web search."""
    return options.verb == VERB and (options.forget_key or (options.engine is not None and not options.test))


def _check(options: argparse.Namespace, _paths: AppPaths) -> None:
    """Read the key into ``options.key``."""
    from chatdesk.core.tools.web_search.web_search import checked  # the help of all commands does without

    name, options.key = options.key, environment().get(options.key, "")
    if name and not options.key:
        raise InvalidInput(
            Text("The variable {key} is not set here.", key=str(name)),
            safe=Text("Nothing was changed."),
            next_step="",
        )
    engine = SearchEngine(options.engine) if options.engine not in (None, _NONE) else None
    if options.forget_key and engine is None:
        raise InvalidInput(Text("Name the engine whose key should be removed."), safe=Text("Nothing was changed."))
    if options.address:
        checked(SearchChoice(engine or SearchEngine.SEARXNG, options.address))


async def run(options: argparse.Namespace, service: ToolService) -> int:
    search, key = service.search, options.key
    engine = SearchEngine(options.engine) if options.engine not in (None, _NONE) else None
    if options.forget_key and engine is not None:
        await search.forget_key(engine)
        return 0
    address = options.address or (search.choice.address if engine is search.choice.engine else "")
    choice = search.choice if options.engine is None else SearchChoice(engine, address)
    if options.test:
        return await _test(search, choice, key, as_json=options.json)
    if options.engine is not None:
        await search.choose(choice, key)
        return 0
    return await _show(search, as_json=options.json)


async def _show(search: WebSearch, *, as_json: bool) -> int:
    engine = search.choice.engine
    has_key = engine is not None and engine.needs_key and await search.has_key(engine)
    name = engine.value if engine is not None else _NONE
    if as_json:
        terminal.say_json({"engine": name, "address": search.choice.address, "has_key": has_key})
    else:
        key = (tr("with a key") if has_key else tr("without a key")) if engine is not None and engine.needs_key else ""
        terminal.say("  ".join(filter(None, (name, search.choice.address, key))))
    return 0 if engine is not None else 1


async def _test(search: WebSearch, choice: SearchChoice, key: str, *, as_json: bool) -> int:
    if choice.engine is None:
        raise InvalidInput(
            Text("No search engine is chosen."), safe=Text("Nothing was sent."), next_step=Text("Name one to test it.")
        )
    async with aclosing(search.check(choice, key)) as checks:  # type: ignore[type-var]
        steps = [each async for each in checks]
    if as_json:
        terminal.say_json([{"step": each.step.value, "is_well": each.is_well, "remark": each.remark} for each in steps])
    else:
        for each in steps:
            state = tr("ok") if each.is_well else tr("failed")
            terminal.say(f"{shown(SEARCH_STEP_TEXTS[each.step])}: {state}  {shown(each.remark)}".rstrip())
    return 0 if all(each.is_well for each in steps) else 1
