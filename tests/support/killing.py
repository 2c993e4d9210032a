"""Runs something in a child process that kills itself (SIGKILL) at its n-th step that touches the disk."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.engine.default import DefaultDialect

_STEPS = ("open", "pwrite", "writev", "fsync", "mkdir", "rename", "link", "unlink", "rmdir")


class Child:
    """What the work in the child is given."""

    def __init__(self, kill_at: int, report: int) -> None:
        self._kill_at = kill_at
        self._report = report
        self._write = os.write

    def say(self, text: object) -> None:
        """Tell the parent what has been achieved."""
        self._write(self._report, f"{text}\n".encode())

    def arm(self) -> None:
        """Count from here on: system calls that change files, and both sides of each commit."""
        count = 0

        def step() -> None:
            nonlocal count
            count += 1
            if count == self._kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **keywords: Any) -> Any:
                step()
                return real(*args, **keywords)

            return call

        for name in _STEPS:
            setattr(os, name, counted(getattr(os, name)))
        commit: Callable[[Any, Any], None] = DefaultDialect.do_commit

        def counted_commit(dialect: DefaultDialect, connection: Any) -> None:
            step()
            commit(dialect, connection)
            step()

        DefaultDialect.do_commit = counted_commit  # type: ignore[method-assign]


class Work(Protocol):
    """Something to be killed in the middle; it calls `arm` when it begins in earnest."""

    def __call__(self, child: Child) -> None: ...


def run_killed_at(kill_at: int, work: Work, report: Path) -> tuple[bool, list[str]]:
    """Run `work` in a child that dies at step `kill_at`.

    Returns:
        Whether it was killed, and what it had said by then.
    """
    report.write_text("")
    process_id = os.fork()
    if process_id == 0:
        try:
            work(Child(kill_at, os.open(report, os.O_WRONLY | os.O_APPEND)))
        except BaseException:
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(process_id, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status), report.read_text().splitlines()
