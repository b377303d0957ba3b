"""Imports as processes of their own, and what a file must come to in the books."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comptoir.config import surroundings
from tests.support.batches import rows
from tests.support.postgres import Database

_BALANCES = """SELECT c.customer, a.posted, a.version FROM comptoir.accounts a
    JOIN comptoir.customers c ON (c.book_id, c.id) = (a.book_id, a.customer_id)
    WHERE a.version > 0"""
_MOVEMENTS = "SELECT count(*) FROM comptoir.movements"


@dataclass(frozen=True, slots=True)
class History:
    """Customers who are each granted 10, spend 3, are granted 2 and spend 4, in turns."""

    customers: int

    @property
    def lines(self) -> int:
        return 4 * self.customers

    @property
    def balances(self) -> dict[str, tuple[int, int]]:
        """By customer the balance and how many movements make it."""
        return {f"c{n}": (5, 4) for n in range(self.customers)}

    def write(self, path: Path, *, backwards: bool = False) -> None:
        """The turns one after the other; the customers of each turn in one order or the other."""
        customers = list(range(self.customers))
        order = customers[::-1] if backwards else customers
        with path.open("w") as file:
            file.write("customer,kind,amount,balance\n")
            for kind, amount in (("grant", 10), ("spend", 3), ("grant", 2), ("spend", 4)):
                final = 5 if amount == 4 else ""
                file.writelines(f"c{n},{kind},{amount},{final}\n" for n in order)


@contextmanager
def importing(database: Database, file: Path) -> Iterator[subprocess.Popen[str]]:
    """`comptoir credits import` of a file into tokens, while the block runs."""
    environment = surroundings(file.parent, "en") | {
        "DATABASE_URL": database.app_url,
        "DATABASE_DIRECT_URL": database.owner_url,
    }
    command = [sys.executable, "-m", "comptoir.cli", "credits", "import", str(file), "--json"]
    with subprocess.Popen(
        [*command, "--asset", "tokens"],
        cwd=file.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The report of an import that comes to its end without a fault."""
    out, err = process.communicate(timeout=90)
    assert (process.returncode, err) == (0, ""), err
    return json.loads(out)


def balances(database: Database) -> dict[str, tuple[int, int]]:
    """By customer the balance and the number of movements, for whoever has any."""
    found = rows(database.superuser_url, _BALANCES)
    return {customer: (posted, version) for customer, posted, version in found}


def movements(database: Database) -> int:
    """How many movements the books have."""
    [(count,)] = rows(database.superuser_url, _MOVEMENTS)
    return count
