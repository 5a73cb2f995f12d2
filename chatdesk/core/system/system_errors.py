"""Says in the language of the program why the system refused something: the C library speaks English here, whatever the
person reads."""

from __future__ import annotations

import errno
from typing import Final

from chatdesk.core.texts import Text

_REASONS: Final = {
    errno.EPERM: Text("Operation not permitted"),
    errno.ENOENT: Text("No such file or directory"),
    errno.EIO: Text("Input/output error"),
    errno.ENOMEM: Text("Cannot allocate memory"),
    errno.EACCES: Text("Permission denied"),
    errno.EBUSY: Text("Device or resource busy"),
    errno.EEXIST: Text("File exists"),
    errno.ENOTDIR: Text("Not a directory"),
    errno.EISDIR: Text("Is a directory"),
    errno.EINVAL: Text("Invalid argument"),
    errno.EMFILE: Text("Too many open files"),
    errno.EFBIG: Text("File too large"),
    errno.ENOSPC: Text("No space left on device"),
    errno.EROFS: Text("Read-only file system"),
    errno.EPIPE: Text("Broken pipe"),
    errno.ENAMETOOLONG: Text("File name too long"),
    errno.ENOTEMPTY: Text("Directory not empty"),
    errno.ELOOP: Text("Too many levels of symbolic links"),
    errno.EDQUOT: Text("Disk quota exceeded"),
    errno.EADDRINUSE: Text("Address already in use"),
    errno.EADDRNOTAVAIL: Text("Cannot assign requested address"),
    errno.ENETUNREACH: Text("Network is unreachable"),
    errno.EHOSTUNREACH: Text("No route to host"),
    errno.ECONNREFUSED: Text("Connection refused"),
    errno.ECONNRESET: Text("Connection reset by peer"),
    errno.ETIMEDOUT: Text("Connection timed out"),
}


def reason_text(error: OSError) -> str:
    """Return the system's reason for a refusal in a few words; an unknown one in the system's own words."""
    if isinstance(error.strerror, Text):  # ChatDesk's own words, for refusals of its own
        return error.strerror
    return _REASONS.get(error.errno or 0) or error.strerror or str(error) or Text("the system refused")
