"""axe-core: what is wrong with a page, for whoever does not see it, or has no mouse."""

from functools import cache
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page

from tests.support import npm

_PINNED: Final = Path(__file__).parents[1] / "browser" / "axe"
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN: Final = """
(tags) => axe.run({ runOnly: tags, resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' ')}`))
"""


@cache
def script() -> str:
    """Its text.

    Skips the test where it can be neither found nor fetched.
    """
    found = npm.needed(_PINNED, "Nothing was looked at with axe-core")
    return (found / "axe-core" / "axe.min.js").read_text()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page as it is now; its policy does not stop the debugger."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(script())
    found: Any = page.evaluate(_RUN, _TAGS)
    return found
