"""Fetches the two token encodings and the word vectors with the packages, so that nothing is downloaded at run time.

llama-index-core (MIT) carries both encodings, byte for byte the ones that tiktoken expects: their SHA-256 sums stand in
tiktoken's own source. They land in ``build/encodings`` (not in git) under the names tiktoken's cache looks for: the
SHA-1 of each download address. wordllama (MIT) carries the vectors of 32,000 tokens and the vocabulary that goes with
them; nothing else of it is used.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "build" / "encodings"
REQUIREMENTS = ROOT / "requirements" / "encodings.txt"
SHA256 = {
    "9b5ad71b2ce5302211f9c61530b329a4922fc6a4": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "fb374d419588a4632f3f557e76b4b70aebbca790": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    "l2_supercat_256.safetensors": "64b47a2dc493cb8e85944076601189739852d7b64e0e1eedcb1937a251cd9fd5",
    "l2_supercat_tokenizer_config.json": "93248f2a9ec36c7b35f700a033d5f36228aae48db61aee31007fa49062cdeb68",
}


def are_here():
    return all(_sum(TARGET / name) == expected for name, expected in SHA256.items())


def fetch(uv):
    """Put the files into ``build/encodings``; ``uv`` is the program to install with. Raises on failure."""
    if are_here():
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                uv,
                "pip",
                "install",
                "--quiet",
                "--no-deps",
                "--require-hashes",
                # The files are the same for all; without these, a system without a wheel would compile.
                "--only-binary=:all:",
                "--python-platform=x86_64-manylinux_2_28",
                "--python-version=3.12",
                "--target",
                folder,
                "-r",
                str(REQUIREMENTS),
            ],
            check=True,
            stdin=subprocess.DEVNULL,
        )
        found = {path.name: path for path in Path(folder).rglob("*") if path.name in SHA256}
        for name, expected in SHA256.items():
            if name not in found or _sum(found[name]) != expected:
                raise RuntimeError("the file " + name + " is missing or not the expected file")
        TARGET.mkdir(parents=True, exist_ok=True)
        for name in SHA256:
            shutil.copyfile(str(found[name]), str(TARGET / name))


def _sum(path):
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
