"""Make the pictures of docs/pictures: every page, light and dark, on a desk and on a phone.

Run it by hand after pages have changed, and look at each: `python scripts/pictures.py`. It needs
Chromium, and runs the tests that look at every page, which keep what they have seen.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "docs" / "pictures"
TESTS: Final = ("tests/browser/test_every_page.py", "tests/browser/test_first_minute.py")

SHOWN: Final = {
    "Operators": {
        "login": "Signing in: an address that works once",
        "overview": "Overview: do the books balance, what is owed, what was sold, who needs you",
        "accounts": "Accounts",
        "account": "An account: why this number?",
        "credits": "Credits: holds, lots that end, prices, packs",
        "stock": "Stock: on hand − held = available",
        "product": "A product: its reservations and movements",
        "reservations": "Reservations, counting down",
        "orders": "Orders: the funnel, and the newest",
        "order": "An order that was paid and partly refunded",
        "order-open": "An order that waits for its payment",
        "jobs": "Jobs by state",
        "job": "A dead job: every try, and why it failed",
        "webhooks": "The inbox of webhooks: what each did, in words",
        "webhook": "An event that failed, to be replayed",
        "cases": "Cases",
        "margin": "Margin",
        "settings": "Settings, read-only",
        "audit": "The audit",
        "first-minute": "The first minute of `make demo`, with four calls to make oneself",
        "receipt": "The receipt of a race: read back from the journal",
    },
    "Customers": {
        "portal": "The portal: balance, packs, the last movements",
        "portal-history": "History: held, used, given back",
        "portal-plan": "Plan and quotas",
        "portal-new": "The portal of somebody who has nothing yet",
        "return-waiting": "Back from paying, while the ledger is waited for",
    },
    "Documents": {"docs-guide": "The guide, served by the product"},
}
_HEAD: Final = """# What the pages look like

The data is demo data. `python scripts/pictures.py` takes these pictures; `make soak` looks at
every page in both languages too, with names that are too long and figures that are too large.
"""
_SIZES: Final = ("desk", "phone")
_THEMES: Final = ("light", "dark")


def main() -> int:
    """Take them, drop what is not shown, and write the page that shows them."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-m", "browser"]
    command += ["-k", "en-GB or try_to_break", *TESTS]
    said = dict(os.environ)  # noqa: TID251  # handed on to the test
    said["COMPTOIR_SHOTS"] = str(FOLDER)
    done = subprocess.run(command, cwd=ROOT, env=said, check=False)
    if done.returncode:
        return done.returncode
    wanted = {
        f"{name}-{theme}-{size}.webp"
        for names in SHOWN.values() for name in names for theme in _THEMES for size in _SIZES
    }  # fmt: skip
    for taken in FOLDER.glob("*.webp"):
        if taken.name not in wanted:
            taken.unlink()
    (FOLDER / "pages.md").write_text(page())
    return 0


def page() -> str:
    """What shows them, in Markdown."""
    parts = [_HEAD]
    for heading, names in SHOWN.items():
        parts.append(f"\n## {heading}\n")
        for name, words in names.items():
            parts.append(f"\n### {words}\n\n")
            for theme in _THEMES:
                parts.extend(
                    f"![{words}, {theme}, on a {size}]({name}-{theme}-{size}.webp)\n"
                    for size in _SIZES
                )
    return "".join(parts)


if __name__ == "__main__":
    sys.exit(main())
