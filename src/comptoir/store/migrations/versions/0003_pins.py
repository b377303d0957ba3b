"""What holds pinned when they were made."""

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the SQL file of this revision."""
    text = (Path(__file__).parents[1] / "sql" / "0003_pins.sql").read_text()
    op.get_bind().connection.cursor().execute(text)
