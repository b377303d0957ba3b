"""A plain script: sell something for credits and keep the order, in one transaction.

    python examples/script.py

Without DATABASE_URL it runs on the embedded PostgreSQL in ./.comptoir; a table of one's own goes
into the same database.
"""

from comptoir import Insufficient
from comptoir.sync import Comptoir, Transaction


def main() -> None:
    """Sell until the credits are gone."""
    with Comptoir.open() as books:
        books.credits.grant("alice", 12, reason="Welcome gift", idempotency_key="welcome-alice")
        with books.transaction() as tx:
            tx.connection.execute(
                "CREATE TABLE IF NOT EXISTS orders (number text PRIMARY KEY, movement text)"
            )
        for number in ("2026-1", "2026-2", "2026-3"):
            try:
                books.commit(lambda tx, number=number: sell(tx, number))
            except Insufficient as refused:
                print(f"{number}: {refused}")
            else:
                print(f"{number}: sold")
        left = books.credits.balance("alice")
        print(f"left: {left.available}, balanced: {books.ledger.verify().balanced}")


def sell(tx: Transaction, number: str) -> None:
    """One order for five credits: both are kept, or neither."""
    spent = tx.credits.spend("alice", 5, reason="Poster", idempotency_key=f"order-{number}")
    tx.connection.execute(
        "INSERT INTO orders VALUES (%s, %s) ON CONFLICT DO NOTHING", (number, spent.movement.id)
    )


if __name__ == "__main__":
    main()
