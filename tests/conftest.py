"""What every test shares: how hard hypothesis tries, and how to repeat a run."""

import os

import pytest
from hypothesis import HealthCheck, settings

# Databases make an example slow, never wrong: the test's own timeout judges instead.
_ANY_SPEED = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}

settings.register_profile("dev", max_examples=50, **_ANY_SPEED)
settings.register_profile("ci", max_examples=100, derandomize=True, print_blob=True, **_ANY_SPEED)
settings.register_profile("night", max_examples=2_000, print_blob=True, **_ANY_SPEED)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev")
settings.load_profile(PROFILE)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how to run the same tests in the same order with the same draws."""
    seed = config.getoption("randomly_seed", default="off")
    terminalreporter.write_line(
        f"hypothesis profile {PROFILE}; repeat with: pytest --randomly-seed={seed}"
    )
