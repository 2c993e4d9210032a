"""Quick tests try the same random examples every time, so that what they say of a change is about the change.

The long campaign (`make test-slow`) tries others each time.
"""

from __future__ import annotations

import pytest
from hypothesis import settings


def pytest_configure(config: pytest.Config) -> None:
    """Choose before the tests are imported: their own settings build on these."""
    settings.register_profile("same", derandomize=True)
    if config.getoption("markexpr") != "slow":
        settings.load_profile("same")
