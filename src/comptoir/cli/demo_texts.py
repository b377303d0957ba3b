"""The texts of the demo: the part of the table in texts.py that would make it too long."""

from typing import Final

from comptoir.web.dashboard.texts_minute import FAULTS
from comptoir.web.languages import Texts

DEMO: Final[dict[str, Texts]] = {
    "demo.opening": (
        "Opening a throw-away shop: PostgreSQL, a server, customers ...",
        "Ouverture d'une boutique jetable : PostgreSQL, un serveur, des clients ...",
    ),
    "demo.login": (
        "Dashboard, moving: {address} (signs you in once, within 30 minutes)",
        "Tableau de bord, vivant : {address} (vous connecte une fois, dans les 30 minutes)",
    ),
    "demo.interrupted": (
        "Closed before the race was over: no receipt.",
        "Fermé avant la fin de la course : pas de reçu.",
    ),
    "demo.phase.seed": ("stocking the shop", "on garnit la boutique"),
    "demo.phase.traffic": ("customers come and go", "des clients vont et viennent"),
    "demo.phase.stampede": (
        "try to break it: 500 buyers, 10 units",
        "essayons de casser : 500 acheteurs, 10 unités",
    ),
    "demo.phase.deliveries": (
        "try to break it: one webhook, delivered 50 times",
        "essayons de casser : un webhook, livré 50 fois",
    ),
    "demo.phase.receipt": (
        "reading the receipt from the database",
        "lecture du reçu dans la base de données",
    ),
    "demo.phase.open": ("the shop stays open", "la boutique reste ouverte"),
    "demo.traffic-was": (
        (
            "{requests} requests, {rate}/s, {refused} refused as they should be, p50 {p50} ms, "
            "p99 {p99} ms"
        ),
        "{requests} requêtes, {rate}/s, {refused} refusées à bon droit, p50 {p50} ms, p99 {p99} ms",
    ),
    "demo.race.coming": (
        "Then {buyers} buyers at once for {units} units.",
        "Puis {buyers} acheteurs à la fois pour {units} unités.",
    ),
    "demo.race.seen": (
        (
            "{buyers} buyers at once for {units} units: {bought} got one and paid, {refused} were "
            "refused, {unheard} got no answer."
        ),
        (
            "{buyers} acheteurs à la fois pour {units} unités : {bought} en ont eu une et payé, "
            "{refused} refusés, {unheard} sans réponse."
        ),
    ),
    "demo.repeats.coming": (
        (
            "Then a paid pack, its webhook delivered {deliveries} times at once; and {packs} packs "
            "in chaos."
        ),
        (
            "Puis un pack payé, son webhook livré {deliveries} fois à la fois ; et {packs} packs "
            "dans le chaos."
        ),
    ),
    "demo.repeats.seen": (
        (
            "A webhook delivered {deliveries} times at once: {answered} answers, {grants} grant. "
            "{packs} packs in chaos: {granted} granted."
        ),
        (
            "Un webhook livré {deliveries} fois à la fois : {answered} réponses, {grants} don. "
            "{packs} packs dans le chaos : {granted} reçus."
        ),
    ),
    "demo.receipt.coming": (
        "Then the receipt, read back by SQL.",
        "Puis le reçu, relu par SQL.",
    ),
    "demo.receipt.right": (
        (
            "Receipt, read back by SQL: {sold} of {units} sold, {oversold} oversold, {grants} "
            "grant of {deliveries} deliveries, books balanced."
        ),
        (
            "Reçu, relu par SQL : {sold} vendues sur {units}, {oversold} en trop, {grants} don "
            "pour {deliveries} livraisons, livres justes."
        ),
    ),
    "demo.receipt.faults": (
        "Receipt, read back by SQL: {count} figures are not what they must be.",
        "Reçu, relu par SQL : {count} chiffres ne sont pas ce qu'ils doivent être.",
    ),
    **{f"demo.{key}": texts for key, texts in FAULTS.items()},
    "demo.view.leave": (
        "Ctrl-C closes the shop and removes everything.",
        "Ctrl-C ferme la boutique et supprime tout.",
    ),
    "demo.view.login": (
        "The dashboard of this shop; Enter opens it in a browser. The address works once.",
        "Le tableau de bord de cette boutique ; Entrée l'ouvre. L'adresse sert une fois.",
    ),
    "demo.view.http": ("HTTP", "HTTP"),
    "demo.view.ledger": ("Ledger", "Livres"),
    "demo.view.journal": ("Last movements", "Derniers mouvements"),
    "demo.view.race": ("Try to break it", "Essayez de casser"),
    "demo.view.rate": ("requests/s", "requêtes/s"),
    "demo.view.requests": ("requests", "requêtes"),
    "demo.view.refused": ("refused", "refusées"),
    "demo.view.held": ("credits held", "crédits réservés"),
    "demo.view.spent": ("credits sold", "crédits vendus"),
    "demo.view.units": ("units in stock", "unités en stock"),
    "demo.view.movements": ("movements checked", "mouvements contrôlés"),
    "demo.view.books": ("books", "livres"),
    "demo.view.balanced": ("balanced", "justes"),
    "demo.view.unbalanced": ("NOT BALANCED", "FAUX"),
    "demo.view.unknown": ("not checked yet", "pas encore contrôlés"),
    "number.point": (".", ","),
}
