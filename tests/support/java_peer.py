"""A real Java beside the tests: what it makes of regular expressions, formats, letters and numbers."""

from __future__ import annotations

import base64
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).with_name("JavaPeer.java")
# The compiler has to be there, too: the source is run as it is.
needs_java = pytest.mark.skipif(
    shutil.which("java") is None or shutil.which("javac") is None, reason="no Java development kit"
)


class Answer(NamedTuple):
    """What Java says: yes, no, refused (a pattern that is none) or failed; and texts."""

    outcome: str
    texts: tuple[str | None, ...] = ()


class JavaPeer:
    """One process that answers questions."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, question: str, *texts: str | None) -> Answer:
        """Ask one question; the words are explained in the source."""
        assert self._process.stdin is not None and self._process.stdout is not None
        words = ["-" if text is None else "=" + _encoded(text) for text in texts]
        self._process.stdin.write(" ".join([question, *words]) + "\n")
        self._process.stdin.flush()
        outcome, *found = self._process.stdout.readline().split()
        return Answer(outcome, tuple(None if word == "-" else _decoded(word[1:]) for word in found))


@contextmanager
def java_peer() -> Iterator[JavaPeer]:
    """A Java that ends with the block."""
    with subprocess.Popen(
        ["java", "-Xss16m", str(SOURCE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield JavaPeer(process)
        assert process.stdin is not None
        process.stdin.close()


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-le", "surrogatepass")).decode("ascii")


def _decoded(word: str) -> str:
    return base64.b64decode(word).decode("utf-16-le", "surrogatepass")
