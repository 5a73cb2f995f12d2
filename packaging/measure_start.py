"""Measures the start of the packaged program until a key stands in its text field: against the same program from the
checkout, and against a bare Qt window that PyInstaller packaged.

``measure_start.py [ROUNDS]``, after ``make package ARGS=build``, whose Python runs the checkout too. Starts take turns,
so that a busy machine is busy for all; a table has the medians.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import package  # noqa: E402

PROBE = package.DESKTOP / "start_probe.py"
BUILT = package.PLACE / "probe"
MOST = {"checkout": 1.2, "bare": 2.5}


def main(arguments):
    """Build the probes, start each ROUNDS times (21), and print the table. Returns 1 where a limit is passed."""
    rounds = int(arguments[0]) if arguments else 21
    if not package.PROGRAM.exists():
        print("There is no packaged program: make package ARGS=build", file=sys.stderr)
        return 1
    build()
    commands = {
        "packaged": [str(BUILT / "chatdesk" / "probe")],
        "checkout": [str(package.python_of(package.ENVIRONMENT)), "-P", str(PROBE)],
        "bare": [str(BUILT / "bare" / "bare")],
    }
    with tempfile.TemporaryDirectory() as data:
        found = {name: [] for name in commands}
        for _ in range(rounds + 1):
            for name, command in commands.items():
                found[name].append(start(command, "bare" if name == "bare" else "app", data))
    medians = {
        name: [statistics.median(each[at] for each in times[1:]) for at in (0, 1)]  # the first fills the cache of files
        for name, times in found.items()
    }
    print("{:10} {:>9} {:>12}".format("", "time", "processor"))
    for name, (wall_s, cpu_s) in medians.items():
        print("{:10} {:6.0f} ms {:9.0f} ms".format(name, wall_s * 1000, cpu_s * 1000))
    is_good = True
    for name, most in MOST.items():
        of_both = [medians["packaged"][at] / medians[name][at] for at in (0, 1)]
        print("packaged against {}: {:.2f} and {:.2f}, at most {}".format(name, *of_both, most))
        is_good = is_good and max(of_both) <= most
    return 0 if is_good else 1


def build():
    """Package the probe beside the program, with the same files, and alone with nothing but Qt."""
    os.environ.update(package.fixed_environment())
    options = ["--noconfirm", "--log-level", "ERROR", "--distpath", str(BUILT)]
    builder = [str(package.python_of(package.ENVIRONMENT)), "-m", "PyInstaller", *options]
    bare = ["--workpath", str(package.PLACE / "probe-work"), "--specpath", str(package.PLACE / "probe-work"), "--strip"]
    subprocess.run([*builder, *bare, "--name", "bare", "--exclude-module", "chatdesk", str(PROBE)], check=True)
    os.environ["CHATDESK_PROBE_SCRIPT"] = str(PROBE)
    work = ["--workpath", str(package.PLACE / "work"), str(package.DESKTOP / "chatdesk.spec")]
    subprocess.run([*builder, *work], check=True)


def start(command, kind, data):
    """Start one of them; seconds of time and of processor."""
    environment = {"PATH": os.environ["PATH"], "HOME": data, "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}
    if "DISPLAY" in os.environ:
        environment.update(DISPLAY=os.environ["DISPLAY"], QT_QPA_PLATFORM="xcb")
    environment.update(CHATDESK_DATA_DIR=data, PYTHONPATH=str(package.ROOT))
    environment["CHATDESK_PROBE"] = "{} {!r}".format(kind, time.monotonic())
    ended = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    wall_s, cpu_s = ended.stdout.splitlines()[-1].split()
    return float(wall_s), float(cpu_s)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
