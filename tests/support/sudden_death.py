"""Run something in a child process that dies, without a word, at its n-th step on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

STEPS = ("rename", "link", "fsync", "unlink")
_DIED = 86


def dies_at(step: int, action: Callable[[], object]) -> bool:
    """Run `action` in a child that ends before its n-th rename, link, fsync or unlink; False: it survived.

    The child must open whatever it uses itself: descriptors and connections do not survive a fork well.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _arm(step)
            action()
            code = 0
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, _DIED), f"the child ended with {code}"
    return code == _DIED


def _arm(step: int) -> None:
    left = step

    def armed(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(_DIED)
            return original(*arguments, **options)

        return call

    for name in STEPS:
        setattr(os, name, armed(getattr(os, name)))
