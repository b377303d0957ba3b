"""What is answered while books move to another database, and afterwards: part of the catalogue."""

from typing import Final

from comptoir.web.languages import Texts

MOVING: Final[dict[str, tuple[int, Texts, Texts]]] = {
    "books-moving": (
        503,
        ("Books are moving", "Livres en déplacement"),
        (
            (
                "The books are moving to another database: nothing was changed; repeat with the "
                "same key."
            ),
            (
                "Les livres passent dans une autre base : rien n'a changé ; répétez avec la même "
                "clé."
            ),
        ),
    ),
    "books-moved": (
        503,
        ("Books have moved", "Livres déplacés"),
        (
            (
                "The books have moved to another database, and this server serves the old one: "
                "nothing was changed; repeat with the same key where the books are."
            ),
            (
                "Les livres sont dans une autre base, et ce serveur sert l'ancienne : rien n'a "
                "changé ; répétez avec la même clé là où sont les livres."
            ),
        ),
    ),
    "books-arriving": (
        503,
        ("Books are arriving", "Livres en cours d'arrivée"),
        (
            (
                "The books are still moving into this database: nothing was changed; repeat with "
                "the same key. If the move was broken off, repeat it where the books came from: "
                "comptoir move."
            ),
            (
                "Les livres sont en train d'arriver dans cette base : rien n'a changé ; répétez "
                "avec la même clé. Si le déplacement a été interrompu, relancez-le là d'où "
                "viennent les livres : comptoir move."
            ),
        ),
    ),
}
"""Status, title and detail by code."""
