"""How tests are spread over the processes of pytest-xdist.

Its own `--dist=loadgroup` has no effect with pytest 9.2, where the name of a test can no longer be
changed by a plugin: expensive fixtures of modules were made once in every process. Its
`--dist=loadfile` would keep the long tests of one module behind each other.
"""

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

SINGLY: Final = ("tests/crash/", "tests/docs/", "tests/tidy/", "tests/library/", "tests/cli/test_")
"""Where each test stands alone and may take long; elsewhere, modules share expensive fixtures."""


class Spreading(LoadScopeScheduling):
    """Modules as a whole, but tests that stand alone one by one, in the order of collection."""

    def __init__(self, config: pytest.Config, log: Producer | None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return nodeid if nodeid.startswith(SINGLY) else nodeid.split("::", 1)[0]


def longest_first(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process waits for another's long test at the end."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    if item.get_closest_marker("slow"):
        return 0
    return 1 if item.get_closest_marker("crash") or item.get_closest_marker("race") else 2
