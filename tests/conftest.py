"""Quick tests try the same random examples every time, so that what they say of a change is about the change.

The long campaign (`make test-slow`) tries others each time. How long an example takes is no matter in either:
on a busy machine that is chance, too.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings


def pytest_configure(config: pytest.Config) -> None:
    """Choose before the tests are imported: their own settings build on these."""
    is_long = config.getoption("markexpr") == "slow"
    settings.register_profile(
        "ours", derandomize=not is_long, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("ours")
