"""People and test books: erased customers, anonymous accounts, stored answers, the reset."""

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0002_people.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
