"""Tries the portable .run as a plain user without root: installed, started, updated from a signed feed, and gone back.

The feed is a folder that a server on loopback serves over HTTPS. What is updated is the program of this commit under an
older version number, because a feed and its first keys are built into a program.
"""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

sys.dont_write_bytecode = True
import fresh_debian  # noqa: E402
import package  # noqa: E402

OLDER = "0.1.9"
_PLACE = package.PLACE / "portable"
_KEYS = ("root-1", "root-2", "root-3", "targets", "online")


def try_portable(tries, system):
    """Install the .run of this commit, then one that follows a feed, and update that."""
    portable = package.PLACE / "chatdesk-{}.run".format(package.version())
    tries.check("the .run is here", portable.exists)
    if not portable.exists():
        return
    shutil.rmtree(str(_PLACE), ignore_errors=True)
    _PLACE.mkdir(parents=True)
    shutil.copy(str(portable), str(system / "tmp" / "try" / "chatdesk.run"))
    _make_keys()
    with _served(_PLACE / "feed") as address:
        newer = _with_feed(address, package.version())
        shutil.copy(str(_older_run(newer)), str(system / "tmp" / "try" / "older.run"))
        _publish(newer)
        shutil.copy(str(_PLACE / "server.pem"), str(system / "tmp" / "try" / "authority.pem"))
        fresh_debian.inside("chmod -R a+rX /tmp/try")
        words = "VERSION={} OLDER={} sh /tmp/try/try_portable.sh".format(package.version(), OLDER)
        tries.script(fresh_debian.as_user(words))
    shutil.rmtree(str(_PLACE))


def _make_keys():
    for name in _KEYS:
        _openssl("genpkey", "-algorithm", "ed25519", "-out", str(_PLACE / (name + ".pem")))
    making = ["req", "-x509", "-newkey", "ed25519", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    making += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(_PLACE / "server.key")]
    _openssl(*making, "-out", str(_PLACE / "server.pem"))
    roots = [each for name in _KEYS[:3] for each in ("--root-key", str(_PLACE / (name + ".pem")))]
    _feed("start", *roots, *_signing())


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stderr=subprocess.DEVNULL)


def _feed(verb, *arguments):
    """Run packaging/feed.py in the environment of the packaged program, which has the same library."""
    command = [str(package.python_of(package.ENVIRONMENT)), "-P", str(package.ROOT / "packaging" / "feed.py"), verb]
    subprocess.run([*command, "--feed", str(_PLACE / "feed"), *arguments], check=True, stdout=subprocess.DEVNULL)


def _signing():
    return ["--targets-key", str(_PLACE / "targets.pem"), "--online-key", str(_PLACE / "online.pem")]


def _publish(program):
    notes = _PLACE / "notes.txt"
    notes.write_text("The light is brighter.\n", encoding="utf-8")
    told = ["--program", str(program), "--version", package.version(), "--notes", str(notes), "--level", "0"]
    _feed("publish", *told, *_signing())


def _with_feed(address, name):
    """Return a copy of the packaged program that follows the feed, as one that was built with its address does."""
    program = _PLACE / name
    shutil.copytree(str(package.PROGRAM), str(program), symlinks=True)
    root = _PLACE / "feed" / "metadata" / "1.root.json"
    package.write_feed(program / "_internal" / "resources" / "updates", address, root)
    return program


def _older_run(newer):
    """Return a .run of the program under an older version number, packed quickly."""
    program = _PLACE / OLDER
    shutil.copytree(str(newer), str(program), symlinks=True)
    source = (package.ROOT / "chatdesk" / "__init__.py").read_text(encoding="utf-8")
    changed = _PLACE / "__init__.py"
    changed.write_text(source.replace(package.version(), OLDER), encoding="utf-8")
    compiled = program / "_internal" / "chatdesk" / "__init__.pyc"
    compiling = "import py_compile, sys; py_compile.compile(*sys.argv[1:])"
    python = str(package.python_of(package.ENVIRONMENT))
    subprocess.run([python, "-c", compiling, str(changed), str(compiled)], check=True)
    return package.build_run(program, _PLACE / "older.run", level=1)


@contextmanager
def _served(folder):
    """Serve a folder over HTTPS on loopback; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(_PLACE / "server.pem"), str(_PLACE / "server.key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield "https://127.0.0.1:{}/".format(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments):
        """Print nothing for a request."""
