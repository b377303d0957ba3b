"""What is refused about the past: part of the catalogue."""

from typing import Final

from comptoir.web.languages import Texts

EXPLAIN: Final[dict[str, Texts]] = {
    "time-in-future": (
        "lies in the future of the database's clock",
        "est dans le futur de l'horloge de la base de données",
    ),
}
"""What is wrong with a time, as part of validation-failed."""
