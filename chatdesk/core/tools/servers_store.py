"""Reads and writes the file of tool servers in the configuration directory. It holds no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from chatdesk.core.domain.tools import ServerKind, ToolServer
from chatdesk.core.errors import ChatDeskError
from chatdesk.core.settings.document_file import DocumentFile, NewerDocument
from chatdesk.core.texts import Sentences, Text, plural
from chatdesk.core.tools.seals import NoSealKey, Seals
from chatdesk.core.tools.web_search.choice import SearchChoice, SearchEngine

FILE_NAME: Final = "tools.json"
_VERSION: Final = 1
_MOST_SERVERS, _MOST_VALUES, _MOST_FOLDERS, _LONGEST = 100, 200, 5_000, 8_000
_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_SCOPES: Final = ("thread", "project")


_NO_SEARCH: Final = SearchChoice()


@dataclass(frozen=True, slots=True)
class StoredServers:
    """The contents of the file. ``chosen`` says for a scope, such as ``thread:ID``, which servers are on there;
    ``folders`` has the folders of projects on this computer, absolute, by the ids of the projects; ``built_in`` names
    the servers of ChatDesk's own that are on; ``search`` is the engine for the web. ``problem`` is a sentence for the
    person, if the file was not as it should be."""

    servers: tuple[ToolServer, ...] = ()
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    built_in: tuple[str, ...] = ()
    search: SearchChoice = _NO_SEARCH
    problem: str = ""


class ServersNotSaved(ChatDeskError):
    code = "tool_servers_not_saved"
    what = Text("The tool servers could not be saved.")
    safe = Text("The old file is unchanged; the change applies until ChatDesk closes.")
    safe_without_window = Text("Everything saved before is unchanged.")
    next_step = Text("Check the permissions and the free space of the configuration directory.")


class ServersStore:
    """The file ``tools.json`` in the configuration directory: its owner's only, replaced in one step."""

    def __init__(self, config_dir: Path, seals: Seals, *, needs_seals: bool) -> None:
        """Read and write the servers' file. ``needs_seals``: the directory may belong to somebody else, so a server
        without this person's seal is switched off until they have looked at it."""
        self._seals = seals
        self._needs_seals = needs_seals
        self._foreign = 0
        self._file = DocumentFile(
            config_dir / FILE_NAME, subject=Text("tool servers"), list_name="servers", version=_VERSION
        )

    def load(self) -> StoredServers:
        """Read the file and never raise."""
        document, problem = self._file.read()
        if document is None:
            return StoredServers(problem=problem or self._file.kept_problem())
        servers: dict[str, ToolServer] = {}
        lost = foreign = self._foreign = 0
        for row in document["servers"][:_MOST_SERVERS]:
            server = _server_of(row)
            if server is None or server.id in servers:
                lost += 1
                continue
            if self._needs_seals and server.is_on and not self._seals.holds(_data_of(server), row.get("seal")):
                server, foreign = replace(server, is_on=False), foreign + 1
            servers[server.id] = server
        problem = ""
        if lost:
            problem = plural(
                "{count} tool servers were left out: the entry in {file} cannot be used.",
                "{count} tool server was left out: the entry in {file} cannot be used.",
                lost,
                file=FILE_NAME,
            )
        if foreign:
            problem = plural(
                "{count} tool servers in this data directory may be from somebody else and stay off until you switch "
                "them on.",
                "{count} tool server in this data directory may be from somebody else and stays off until you switch "
                "it on.",
                foreign,
            )
        chosen, folders = _chosen_of(document.get("chosen")), self._folders_of(document.get("folders"))
        built_in = tuple(self._built_in_of(document.get("built_in")))
        search = self._search_of(document.get("search"))
        if self._foreign:
            others = plural(
                "{count} other choices for tools in this data directory (a folder, a server of ChatDesk's own, the "
                "search engine) may be from somebody else and do not hold until you choose again.",
                "{count} other choice for tools in this data directory (a folder, a server of ChatDesk's own, the "
                "search engine) may be from somebody else and does not hold until you choose again.",
                self._foreign,
            )
            problem = Sentences.of(problem, others)
        return StoredServers(tuple(servers.values()), chosen, folders, built_in, search, problem)

    def _is_own(self, data: Mapping[str, Any], seal: object) -> bool:
        """Return whether this person made this entry on this computer, and count entries that another may have made."""
        is_own = not self._needs_seals or self._seals.holds(data, seal)
        self._foreign += not is_own
        return is_own

    def save(self, stored: StoredServers) -> None:
        """Write the file. Raises ``ServersNotSaved``."""
        try:
            self._file.write(
                {
                    "servers": [self._sealed(_data_of(server)) for server in stored.servers],
                    "chosen": {scope: list(ids) for scope, ids in stored.chosen.items()},
                    "folders": [
                        self._sealed({"project": project_id, "path": path})
                        for project_id, path in stored.folders.items()
                    ],
                    "built_in": [self._sealed({"id": each}) for each in stored.built_in],
                    "search": self._sealed(_search_data(stored.search)),
                }
            )
        except NewerDocument:
            raise ServersNotSaved(
                Text("The file of tool servers was written by a newer ChatDesk."),
                next_step=Text("Update ChatDesk to change it."),
            ) from None
        except NoSealKey as error:
            raise ServersNotSaved(
                Text("What you set up for tools cannot be marked as yours, so the next start would not trust it."),
                next_step=Sentences.of(
                    error.args[0], Text("Unlock the keyring, or check your configuration directory, and try again.")
                ),
            ) from error
        except OSError as error:
            raise ServersNotSaved(
                Text("The file of tool servers {path} could not be written.", path=self._file.path)
            ) from error

    def _folders_of(self, rows: object) -> dict[str, str]:
        """Return the folders of projects, without those that another program may have written: tools would work
        there."""
        folders: dict[str, str] = {}
        for row in rows[:_MOST_FOLDERS] if isinstance(rows, list) else ():
            try:
                data = {"project": _text(row["project"]), "path": _text(row["path"])}
            except (KeyError, TypeError):
                continue
            if Path(data["path"]).is_absolute() and self._is_own(data, row.get("seal")):
                folders[data["project"]] = data["path"]
        return folders

    def _built_in_of(self, rows: object) -> Iterator[str]:
        """Yield ChatDesk's own servers that are on, without those that another program may have switched on."""
        for row in rows[:_MOST_SERVERS] if isinstance(rows, list) else ():
            id_ = row.get("id") if isinstance(row, dict) else None
            if isinstance(id_, str) and self._is_own({"id": id_}, row.get("seal")):
                yield id_

    def _search_of(self, row: object) -> SearchChoice:
        """Return the chosen engine; none if another program may have chosen it."""
        if not isinstance(row, dict):
            return SearchChoice()
        try:
            engine = SearchEngine(row["engine"]) if row["engine"] else None
            found = SearchChoice(engine, _text(row["address"]))
        except (KeyError, TypeError, ValueError):
            return SearchChoice()
        is_own = found.engine is None or self._is_own(_search_data(found), row.get("seal"))
        return found if is_own else SearchChoice()

    def _sealed(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "seal": self._seals.make(data)} if self._needs_seals else data


def _search_data(choice: SearchChoice) -> dict[str, Any]:
    return {"engine": choice.engine.value if choice.engine is not None else "", "address": choice.address}


def _data_of(server: ToolServer) -> dict[str, Any]:
    return {
        "id": server.id,
        "name": server.name,
        "kind": server.kind.value,
        "argv": list(server.argv),
        "address": server.address,
        "env": dict(server.env),
        "env_names": list(server.env_names),
        "headers": dict(server.headers),
        "header_names": list(server.header_names),
        "folder": server.folder,
        "is_on": server.is_on,
        # Left out where they are empty, so that the seals of older files hold.
        **({"client_id": server.client_id} if server.client_id else {}),
        **({"is_signed_in": True} if server.is_signed_in else {}),
        **({"may_ask_model": True} if server.may_ask_model else {}),
    }


def _server_of(row: object) -> ToolServer | None:
    if not isinstance(row, dict) or row.get("kind") not in (ServerKind.COMMAND.value, ServerKind.ADDRESS.value):
        return None
    try:
        server = ToolServer(
            id=_text(row["id"]),
            name=_text(row["name"]),
            kind=ServerKind(row["kind"]),
            argv=_texts(row.get("argv", [])),
            address=_text(row.get("address", "")),
            env=_mapping(row.get("env", {})),
            env_names=_texts(row.get("env_names", [])),
            headers=_mapping(row.get("headers", {})),
            header_names=_texts(row.get("header_names", [])),
            folder=_text(row.get("folder", "")),
            is_on=row.get("is_on") is not False,
            client_id=_text(row.get("client_id", "")),
            is_signed_in=row.get("is_signed_in") is True,
            may_ask_model=row.get("may_ask_model") is True,
        )
    except (KeyError, TypeError):
        return None
    has_way = bool(server.argv) if server.kind is ServerKind.COMMAND else bool(server.address)
    return server if has_way and _ID.match(server.id) else None


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise TypeError
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MOST_VALUES:
        raise TypeError
    return tuple(map(_text, value))


def _mapping(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > _MOST_VALUES:
        raise TypeError
    return {_text(name): _text(each) for name, each in value.items()}


def _chosen_of(value: object) -> dict[str, tuple[str, ...]]:
    chosen: dict[str, tuple[str, ...]] = {}
    for scope, ids in value.items() if isinstance(value, dict) else ():
        if isinstance(scope, str) and scope.partition(":")[0] in _SCOPES and isinstance(ids, list):
            chosen[scope] = tuple(each for each in ids if isinstance(each, str) and _ID.match(each))
    return chosen
