"""What is refused about customers, keys and test books: part of the catalogue."""

from typing import Final

from comptoir.web.languages import Texts

PEOPLE: Final[dict[str, tuple[int, Texts, Texts]]] = {
    "still-subscribed": (
        409,
        ("Still subscribed", "Abonnement en cours"),
        (
            "The customer has a plan that goes on: cancel the subscription, then erase again.",
            "Le client a un abonnement en cours : résiliez-le, puis relancez l'effacement.",
        ),
    ),
    "holds-open": (
        409,
        ("Open holds", "Retenues ouvertes"),
        (
            (
                "The customer has {holds} open holds: capture or release them, or wait until they "
                "expire; then erase again."
            ),
            (
                "Le client a {holds} retenues ouvertes : capturez-les, libérez-les ou attendez "
                "leur expiration ; puis relancez l'effacement."
            ),
        ),
    ),
    "export-too-long": (
        503,
        ("Export too long", "Export trop long"),
        (
            (
                "The export was not complete after {seconds} seconds; on the server, "
                "`comptoir customer export` has no such limit."
            ),
            (
                "L'export n'était pas complet au bout de {seconds} secondes ; sur le serveur, "
                "`comptoir customer export` n'a pas cette limite."
            ),
        ),
    ),
    "key-ended": (
        409,
        ("Key ended", "Clé échue"),
        (
            "The key is revoked or has expired: add a new one instead.",
            "La clé est révoquée ou échue : ajoutez-en plutôt une nouvelle.",
        ),
    ),
    "not-a-test-book": (
        409,
        ("Not a test book", "Pas un livre de test"),
        (
            "Only a test book can be reset; {book} is none.",
            "Seul un livre de test peut être remis à zéro ; {book} n'en est pas un.",
        ),
    ),
}
"""Status, title and detail by code."""
