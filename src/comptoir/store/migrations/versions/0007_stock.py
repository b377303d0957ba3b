"""Stock: products in sizes, orders with what they have set aside, and the numbers of orders."""

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0007_stock.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
