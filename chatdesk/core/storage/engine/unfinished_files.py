"""Names unfinished files in ChatDesk's directories, and removes those whose process is gone.

The name is ``.NAME.PID-STARTED-RANDOM.new``, beside the final file. It contains the process and its start, so that the
next start or backup can tell a running copy from one that a killed process left.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from pathlib import Path
from typing import Final

from chatdesk.core.storage.engine import owner_token

_log = logging.getLogger(__name__)

_LONGEST_NAME: Final = 120
_BESIDE: Final = r"(?:-wal|-shm|-journal)?"
_OURS: Final = re.compile(rf"\..+\.(?P<pid>\d+)-(?P<started>\d*)-[0-9a-f]{{16}}\.new{_BESIDE}", re.DOTALL)
# File names of versions before this scheme. Only those of databases, which alone could be large.
_EARLIER: Final = re.compile(
    rf"\.zip-\d+\.db.*|chatdesk-look-\d+\.db{_BESIDE}"
    rf"|(?:chatdesk|before)-.+\.(?:db|damaged)(?:\.gz|\.zip|\.plain)*(?:\.new)+{_BESIDE}",
    re.DOTALL,
)
# On systems that do not tell whether a process lives, only files at least a day old count as left behind.
_OLD_S: Final = 24 * 3600


def name_for(target: Path) -> Path:
    """Return the name of a temporary file beside ``target``, usually renamed to it later."""
    pid = os.getpid()
    return target.with_name(
        f".{target.name[:_LONGEST_NAME]}.{pid}-{owner_token.started(pid)}-{secrets.token_hex(8)}.new"
    )


def clear(directory: Path) -> int:
    """Remove the files that killed processes left in ``directory``. Returns their number. Files with other names are
    not touched, and those that cannot be removed stay."""
    count = 0
    try:
        entries = list(os.scandir(directory))
    except OSError:
        return 0
    for entry in entries:
        if _is_left(entry):
            try:
                Path(entry.path).unlink()
                count += 1
            except OSError as error:
                _log.info("an unfinished file was not removed: errno %s", error.errno)
    if count:
        _log.info("removed %d unfinished files of processes that are gone", count)
    return count


def _is_left(entry: os.DirEntry[str]) -> bool:
    if entry.is_dir(follow_symlinks=False):
        return False
    match = _OURS.fullmatch(entry.name)
    if match is None:
        return _EARLIER.fullmatch(entry.name) is not None
    started = match["started"]
    if not started:
        try:
            return time.time() - entry.stat(follow_symlinks=False).st_mtime > _OLD_S
        except OSError:
            return False
    return owner_token.started(int(match["pid"])) != started
