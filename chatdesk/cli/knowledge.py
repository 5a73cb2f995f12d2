"""``chatdesk knowledge`` adds folders, files and pages to a project, and finds what is in them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from chatdesk.cli.threads import find_project, positive
from chatdesk.core.domain.kept_question import KeptQuestion
from chatdesk.core.domain.knowledge import (
    Embedding,
    EmbeddingStatus,
    FileState,
    FoundPassage,
    KnowledgeSource,
    Sharing,
    SourceStatus,
)
from chatdesk.core.domain.reading_pace import secrets_text, time_left_text
from chatdesk.core.errors import InvalidInput, NotPossible
from chatdesk.core.hidden_characters import visible_controls
from chatdesk.core.knowledge.embedding_words import cost_sentences, embedding_sentences, fallback_sentence
from chatdesk.core.paths import AppPaths
from chatdesk.core.system import terminal
from chatdesk.core.texts import Text, plural, shown, tr

if TYPE_CHECKING:  # the help of all commands does without
    from chatdesk.services.services import Services

_CHANGING: Final = frozenset(("add", "remove", "share", "embedding", "providers"))
_LONGEST_LINE: Final = 300
_LARGEST_TEST_BYTES: Final = 2_000_000


def add_command(commands: Any, common: argparse.ArgumentParser) -> None:
    parser = commands.add_parser("knowledge", parents=[common], help=tr("answer from your own files"))
    parser.set_defaults(run=_knowledge)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    add = verbs.add_parser("add", parents=[common], help=tr("add a folder, a file or a web page, and read it"))
    listed = verbs.add_parser("list", parents=[common], help=tr("list what a project has, and how far it is read"))
    search = verbs.add_parser("search", parents=[common], help=tr("find the passages that fit a question"))
    test = verbs.add_parser("test", parents=[common], help=tr("try questions with the file that should be found"))
    remove = verbs.add_parser("remove", parents=[common], help=tr("forget a folder, file or page"))
    share = verbs.add_parser("share", parents=[common], help=tr("choose what the team of a shared project gets of it"))
    embedding = verbs.add_parser(
        "embedding", parents=[common], help=tr("choose what makes the vectors for finding by meaning")
    )
    providers = verbs.add_parser(
        "providers", parents=[common], help=tr("list the providers that get the files, or never do")
    )
    for each in (add, listed, search, test, remove, share, embedding, providers):
        each.add_argument("project", metavar="PROJECT", help=tr("its name or id"))
    add.add_argument("place", metavar="PLACE", help=tr("folder, file, or address of a web page"))
    add.add_argument(
        "--exclude", metavar="RULE", action="append", default=[], help=tr("leave out what a line of a .gitignore would")
    )
    add.add_argument("--secret", action="store_true", help=tr("read it though its name looks like that of a secret"))
    add.set_defaults(check=_check_add)
    search.add_argument("question", metavar="QUESTION", nargs="+", help=tr("what you want to know"))
    search.add_argument("--limit", type=positive, default=8, metavar="N", help=tr("at most N passages (8)"))
    search.set_defaults(check=_check_question)
    test.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help=tr("JSON list of objects with a question and a file; - reads stdin; without it, the kept questions"),
    )
    test.add_argument("--keep", action="store_true", help=tr("keep those of FILE, and try all that are kept"))
    test.set_defaults(check=_check_test)
    for each in (remove, share):
        each.add_argument("source", metavar="SOURCE", help=tr("its id or place, as listed"))
    share.add_argument(
        "sharing", choices=[each.value for each in Sharing], help=tr("nothing, its name, or the text of its files too")
    )
    chosen = embedding.add_mutually_exclusive_group()
    chosen.add_argument("--model", metavar="PROVIDER/MODEL", help=tr("a model for embeddings of one of your providers"))
    chosen.add_argument("--own", action="store_true", help=tr("the vectors that come with ChatDesk, without a network"))
    embedding.add_argument("--yes", action="store_true", help=tr("with --model: do it, after its cost was told"))
    embedding.set_defaults(check=_check_embedding)
    said = providers.add_mutually_exclusive_group()
    said.add_argument("--never", metavar="PROVIDER", help=tr("never send the files of the project to it"))
    said.add_argument("--send", metavar="PROVIDER", help=tr("send them again"))
    for each in (listed, search, test, embedding, providers):
        each.add_argument("--json", action="store_true", help=tr("as JSON"))


def _check_add(options: argparse.Namespace, _paths: AppPaths) -> None:
    from chatdesk.core.knowledge.places import kind_of_place  # the help of all commands does without

    options.kind, options.place = kind_of_place(options.place)


def _check_question(options: argparse.Namespace, _paths: AppPaths) -> None:
    options.question = " ".join(options.question).strip()
    if not options.question:
        raise InvalidInput(Text("The question is empty."), safe="", next_step="")


def _check_test(options: argparse.Namespace, _paths: AppPaths) -> None:
    """Read the questions into ``options.wanted``: pairs of a question and the end of the path that should be found;
    none without a file."""
    options.wanted = []
    if options.file is None:
        if options.keep:
            raise InvalidInput(
                Text("There is no file of questions to keep."),
                safe=Text("Nothing was changed."),
                next_step=Text("Give a FILE with --keep."),
            )
        return
    refusal = InvalidInput(
        Text("“{file}” is no JSON list of objects with a question and a file.", file=options.file[:60]),
        safe=Text("Nothing was changed."),
        next_step=Text("Write: {example}", example='[{"question": "…", "file": "guide.md"}]'),
    )
    try:
        text = sys.stdin.read(_LARGEST_TEST_BYTES) if options.file == "-" else _text_of(Path(options.file))
        rows = json.loads(text)
        options.wanted = [(row["question"], row["file"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise refusal from error
    if not options.wanted or not all(isinstance(each, str) and each.strip() for row in options.wanted for each in row):
        raise refusal


def _check_embedding(options: argparse.Namespace, _paths: AppPaths) -> None:
    """Take provider and model of ``--model`` apart."""
    options.provider, _, options.model_name = (options.model or "").strip().partition("/")
    if options.model is not None and not (options.provider and options.model_name.strip()):
        raise InvalidInput(
            Text("“{model}” is no provider and model.", model=options.model[:60]),
            safe=Text("Nothing was changed."),
            next_step=Text("Write: {example}", example="openai/text-embedding-3-small"),
        )
    if options.yes and options.model is None:
        raise InvalidInput(Text("--yes belongs to --model."), safe=Text("Nothing was changed."), next_step="")


def _text_of(path: Path) -> str:
    if not path.is_file() or path.stat().st_size > _LARGEST_TEST_BYTES:
        raise OSError("not a file of that size")
    return path.read_text("utf-8")


async def _knowledge(options: argparse.Namespace, services: Services) -> int:
    if services.has_other_owner and (options.verb in _CHANGING or (options.verb == "test" and options.keep)):
        raise NotPossible(
            Text("ChatDesk is open and reads the files of projects."),
            safe=Text("Nothing was changed."),
            next_step=Text("Change them in the window, in the project's Files, or close ChatDesk first."),
        )
    project = await find_project(services, options.project)
    return await _VERBS[options.verb](options, services, project.id)


async def _add(options: argparse.Namespace, services: Services, project_id: str) -> int:
    source = await services.knowledge.add(
        project_id,
        options.kind,
        options.place,
        exclusions="\n".join(options.exclude),
        allows_secret=options.secret,
    )
    await services.knowledge.wait_until_read()
    terminal.say(source.id)
    for each in await services.knowledge.statuses(project_id):
        if each.source.id == source.id:
            terminal.report(_state(each))
            return 1 if each.source.problem else 0
    return 1


async def _list(options: argparse.Namespace, services: Services, project_id: str) -> int:
    from chatdesk.core.knowledge.places import place_text  # the help of all commands does without

    found = await services.knowledge.statuses(project_id)
    if options.json:
        terminal.say_json([_status_data(each) for each in found])
        return 0
    for each in found:
        terminal.say(f"{each.source.id}  {place_text(each.source)}  {_state(each)}")
        for file in await services.knowledge.repository.files(each.source.id):
            if file.state is FileState.UNREADABLE:
                terminal.complain(f"  {visible_controls(file.path)}: {file.problem}")
            elif file.state is FileState.CLOSED:
                said = tr("looks like a secret, not read")
                terminal.complain(f"  {visible_controls(file.path)}: {said}")
    return 0


async def _search(options: argparse.Namespace, services: Services, project_id: str) -> int:
    found = await services.knowledge.search(project_id, options.question, limit=options.limit)
    if options.json:
        terminal.say_json([_passage_data(each) for each in found])
        return 0
    for number, each in enumerate(found, 1):
        page = tr(", page {page}", page=each.passage.page) if each.passage.page else ""
        heading = f" — {each.passage.heading}" if each.passage.heading else ""
        terminal.say(f"{number}. {visible_controls(each.file.path + heading)}{page}")
        terminal.say(f"   {visible_controls(' '.join(each.passage.text.split()))[:_LONGEST_LINE]}")
    if not found:
        terminal.complain(tr("Nothing was found."))
    fallback = (await services.knowledge.embeddings.status(project_id)).fallback
    if fallback:
        terminal.complain(shown(fallback_sentence(fallback)))
    return 0


async def _test(options: argparse.Namespace, services: Services, project_id: str) -> int:
    """Say for each question at which place its file was found; returns 1 if one was not among the first five."""
    from chatdesk.core.knowledge.kept_questions import hits_of, outcome_text  # the help of all commands does without

    kept = services.kept_questions
    if options.keep:
        await kept.repository.keep(project_id, options.wanted)
    if options.keep or not options.wanted:
        tried = await kept.run(project_id)
        if not tried:
            raise NotPossible(
                Text("No questions are kept for this project."),
                safe="",
                next_step=Text("Give a FILE with --keep, or add some in the window, in the project's Files."),
            )
    else:
        given = [(question, file, await kept.place(project_id, question, file)) for question, file in options.wanted]
        tried = tuple(KeptQuestion("", project_id, *each) for each in given)
    hits = hits_of(tried)
    if options.json:
        terminal.say_json([_tried_data(each) for each in tried])
    else:
        for each in tried:
            changed = f"  {shown(outcome_text(each))}" if each.has_changed else ""
            place = str(each.place or "–")
            terminal.say(f"{place:>3}  {visible_controls(f'{each.file}  {each.question}')}{changed}")
        terminal.report(tr("{hits} of {total} among the first five", hits=hits, total=len(tried)))
    return 0 if hits == len(tried) else 1


async def _share(options: argparse.Namespace, services: Services, project_id: str) -> int:
    source_id = await _source_id(options, services, project_id)
    await services.knowledge.share(source_id, Sharing(options.sharing))
    await services.knowledge.wait_until_read()
    return 0


async def _remove(options: argparse.Namespace, services: Services, project_id: str) -> int:
    await services.knowledge.remove(await _source_id(options, services, project_id))
    return 0


async def _source_id(options: argparse.Namespace, services: Services, project_id: str) -> str:
    """Return the id of the source that is meant. Raises ``InvalidInput``."""
    sources = [each.source for each in await services.knowledge.statuses(project_id)]
    wanted = options.source.strip()
    found = next((each for each in sources if wanted in (each.id, each.place)), None)
    if found is None:
        raise InvalidInput(
            Text("The project has no such folder, file or page."),
            safe=Text("Nothing was changed."),
            next_step=Text("See 'chatdesk knowledge list'."),
        )
    return found.id


async def _providers(options: argparse.Namespace, services: Services, project_id: str) -> int:
    """List the providers, or change whether one gets the files."""
    offers = {each.name: each.label for each in services.providers.all()}
    wanted = options.never or options.send
    if wanted is not None:
        provider = next((name for name, label in offers.items() if wanted in (name, label)), None)
        if provider is None:
            raise InvalidInput(
                Text("There is no provider “{provider}”.", provider=wanted[:60]),
                safe=Text("Nothing was changed."),
                next_step=Text("See 'chatdesk providers list'."),
            )
        await services.knowledge.embeddings.deny(project_id, provider, is_denied=options.never is not None)
    denied = await services.knowledge.choices.denied(project_id)
    if options.json:
        terminal.say_json([{"provider": name, "gets_files": name not in denied} for name in offers])
        return 0
    for name, label in offers.items():
        said = tr("never") if name in denied else tr("gets the files")
        terminal.say(f"{name}  {visible_controls(label)}  {said}")
    return 0


async def _embedding(options: argparse.Namespace, services: Services, project_id: str) -> int:
    """Print or change the model that makes the vectors; returns 1 if it was not done, or not all vectors are made."""
    embeddings = services.knowledge.embeddings
    if options.own:
        await embeddings.use_own(project_id)
        await embeddings.wait_until_made()
    elif options.model:
        cost = await embeddings.cost(project_id, options.provider, options.model_name)
        terminal.report(" ".join(map(shown, cost_sentences(cost))))
        if not options.yes:
            terminal.report(tr("Nothing was sent or changed. Add --yes to do it."))
            return 1
        await embeddings.choose(project_id, options.provider, options.model_name)
        await services.knowledge.wait_until_read()
    status = await embeddings.status(project_id)
    if options.json:
        terminal.say_json(_embedding_data(status))
    else:
        terminal.say(" ".join(map(shown, embedding_sentences(status))))
    return 1 if status.wanted is not None or status.missing else 0


_VERBS: Final = {
    "add": _add,
    "list": _list,
    "search": _search,
    "test": _test,
    "remove": _remove,
    "share": _share,
    "embedding": _embedding,
    "providers": _providers,
}


def _state(status: SourceStatus) -> str:
    """Return a line that says how far a source is read."""
    source = status.source
    if source.problem:
        return source.problem
    parts = [shown(plural("{count} files read", "{count} file read", status.read))]
    if status.waiting:
        parts.append(shown(plural("{count} to be read", "{count} to be read", status.waiting)))
    if status.unreadable:
        parts.append(shown(plural("{count} cannot be read", "{count} cannot be read", status.unreadable)))
    if status.secrets:
        parts.append(shown(secrets_text(status.secrets)))
    if source.is_paused:
        parts.append(tr("paused"))
    elif status.seconds_left is not None:
        parts.append(shown(time_left_text(status.seconds_left)))
    return ", ".join(parts)


def _embedding_data(status: EmbeddingStatus) -> dict[str, Any]:
    def model_of(embedding: Embedding | None) -> dict[str, Any] | None:
        if embedding is None:
            return None
        return {"provider": embedding.provider, "model": embedding.model, "problem": embedding.problem}

    answering, wanted = model_of(status.answering), model_of(status.wanted)
    return {"answering": answering, "wanted": wanted, "passages": status.passages, "missing": status.missing}


def _source_data(source: KnowledgeSource) -> dict[str, Any]:
    return {
        "id": source.id,
        "kind": source.kind.value,
        "place": source.place,
        "exclusions": source.exclusions.splitlines(),
        "is_paused": source.is_paused,
        "problem": source.problem,
        "sharing": source.sharing.value,
    }


def _status_data(status: SourceStatus) -> dict[str, Any]:
    counts = {"read": status.read, "waiting": status.waiting, "unreadable": status.unreadable}
    counts["secrets"] = status.secrets
    return {
        **_source_data(status.source),
        **counts,
        "passages": status.passages,
        "seconds_left": status.seconds_left,
    }


def _tried_data(tried: KeptQuestion) -> dict[str, Any]:
    data = {"question": tried.question, "file": tried.file, "place": tried.place or None}
    return {**data, "before": tried.before or None} if tried.id else data


def _passage_data(found: FoundPassage) -> dict[str, Any]:
    passage = found.passage
    return {
        "file": found.file.path,
        "source": found.source.id,
        "page": passage.page,
        "heading": passage.heading,
        "start": passage.start,
        "end": passage.end,
        "text": passage.text,
        "by_words": found.by_words,
        "by_meaning": found.by_meaning,
    }
