"""The texts of the demo's pages: the band, the receipt, and what the newcomer does himself."""

from typing import Final

from comptoir.web.languages import Texts

FAULTS: Final[dict[str, Texts]] = {
    "fault.sold": (
        "{found} units were sold, not {wanted}.",
        "{found} unités ont été vendues, et non {wanted}.",
    ),
    "fault.lines": (
        "{found} lines of the journal take a unit, {wanted} reservations did.",
        "{found} lignes du journal prennent une unité, {wanted} réservations l'ont fait.",
    ),
    "fault.left": (
        "{found} units are left in stock, not {wanted}.",
        "Il reste {found} unités en stock, et non {wanted}.",
    ),
    "fault.paid": (
        "{found} orders are paid for {wanted} units.",
        "{found} commandes sont payées pour {wanted} unités.",
    ),
    "fault.numbers": (
        "{wanted} orders are paid under {found} numbers.",
        "{wanted} commandes sont payées sous {found} numéros.",
    ),
    "fault.grants": (
        "What the pack brings was given {found} times, not {wanted}.",
        "Ce qu'apporte le pack a été donné {found} fois, et non {wanted}.",
    ),
    "fault.decided": (
        "{found} buyers were decided, not {wanted}.",
        "{found} acheteurs ont eu une décision, et non {wanted}.",
    ),
    "fault.saw-bought": (
        "{found} clients saw that they bought, the books say {wanted}.",
        "{found} clients ont vu leur achat, les livres disent {wanted}.",
    ),
    "fault.saw-refused": (
        "{found} clients saw a refusal, the books say {wanted}.",
        "{found} clients ont vu un refus, les livres disent {wanted}.",
    ),
    "fault.saw-answers": (
        "{found} deliveries were answered, not {wanted}.",
        "{found} livraisons ont eu une réponse, et non {wanted}.",
    ),
    "fault.saw-grants": (
        "The customer saw the credits of {found} packs, the books say {wanted}.",
        "Le client a vu les crédits de {found} packs, les livres disent {wanted}.",
    ),
    "fault.packs": (
        "{found} packs were given of those bought in chaos, not {wanted}.",
        "{found} packs achetés dans le chaos ont été donnés, et non {wanted}.",
    ),
    "fault.saw-packs": (
        "The regular saw the credits of {found} packs, the books say {wanted}.",
        "L'habitué a vu les crédits de {found} packs, les livres disent {wanted}.",
    ),
    "fault.balanced": ("The books do not balance.", "Les livres ne sont pas justes."),
}
"""What does not fit in a receipt, on the page as on the terminal."""

MINUTE: Final[dict[str, Texts]] = {
    **FAULTS,
    "minute.data": (
        "Demo data: a throw-away shop, gone when the demo ends.",
        "Données de démo : une boutique jetable, qui disparaît avec la démo.",
    ),
    "minute.break": ("Try to break it", "Essayez de casser"),
    "minute.running": ("See it being attacked", "Voir l'attaque en cours"),
    "minute.stop": ("Stop traffic", "Arrêter le trafic"),
    "minute.move": ("Start traffic", "Lancer le trafic"),
    "minute.last": ("Last receipt", "Dernier reçu"),
    # The receipt
    "receipt": ("Receipt: try to break it", "Reçu : essayez de casser"),
    "receipt.what": (
        (
            "{buyers} buyers at once fight over {units} units, then the webhook of one paid pack "
            "is delivered {deliveries} times at once. Every call goes over HTTP, as a customer's "
            "would. The figures are read back by SQL on a fresh connection."
        ),
        (
            "{buyers} acheteurs à la fois se disputent {units} unités, puis le webhook d'un pack "
            "payé est livré {deliveries} fois à la fois. Chaque appel passe par HTTP, comme celui "
            "d'un client. Les chiffres sont relus par SQL, sur une connexion neuve."
        ),
    ),
    "receipt.none": (
        "Nobody has tried yet. Press the button.",
        "Personne n'a encore essayé. Appuyez sur le bouton.",
    ),
    "receipt.failed": (
        "The last attempt did not come to its end: the machine was too busy. Try again.",
        "Le dernier essai n'est pas allé au bout : la machine était trop occupée. Réessayez.",
    ),
    "receipt.goes-on": (
        "It is running. This page goes on by itself.",
        "C'est en cours. Cette page avance toute seule.",
    ),
    "receipt.look": ("Look again", "Regarder à nouveau"),
    "step.seed": ("Units are put into stock", "Des unités entrent en stock"),
    "step.stampede": ("500 buyers at once", "500 acheteurs à la fois"),
    "step.deliveries": ("One webhook, 50 times at once", "Un webhook, 50 fois à la fois"),
    "step.receipt": ("The receipt is read by SQL", "Le reçu est lu par SQL"),
    "step.done": ("done", "fait"),
    "step.now": ("now", "en cours"),
    "receipt.line": (
        (
            "{sold} sold, {refused} refused, {oversold} oversold, {deliveries} deliveries → "
            "{grants} credit, books balanced"
        ),
        (
            "{sold} vendues, {refused} refusés, {oversold} en trop, {deliveries} livraisons → "
            "{grants} crédit, livres équilibrés"
        ),
    ),
    "receipt.bad": (
        "{n} figures are not what they must be:",
        "{n} chiffres ne sont pas ce qu'ils doivent être :",
    ),
    "receipt.sold": ("Sold", "Vendues"),
    "receipt.sold-of": ("{sold} of {units}", "{sold} sur {units}"),
    "receipt.sold-why": (
        "Each unit has left the stock once, and its order is paid under a number of its own.",
        "Chaque unité a quitté le stock une fois, et sa commande est payée sous son numéro.",
    ),
    "receipt.refused": ("Refused", "Refusés"),
    "receipt.refused-why": (
        "Whoever came too late was told so at once, and paid nothing.",
        "Qui arrivait trop tard l'a su aussitôt, et n'a rien payé.",
    ),
    "receipt.oversold": ("Oversold", "En trop"),
    "receipt.oversold-why": (
        "Units sold that were not there. It must be 0.",
        "Unités vendues qui n'existaient pas. Ce doit être 0.",
    ),
    "receipt.deliveries": ("Deliveries → credit", "Livraisons → crédit"),
    "receipt.deliveries-why": (
        (
            "One webhook came {deliveries} times at once: {answered} were answered, the pack was "
            "credited {grants} time."
        ),
        (
            "Un webhook est venu {deliveries} fois à la fois : {answered} réponses, le pack "
            "crédité {grants} fois."
        ),
    ),
    "receipt.packs": ("Packs in chaos", "Packs dans le chaos"),
    "receipt.packs-of": ("{granted} of {packs}", "{granted} sur {packs}"),
    "receipt.packs-why": (
        "Bought while webhooks were copied, shuffled and late: each is credited once.",
        "Achetés avec des webhooks copiés, mêlés, en retard : chacun crédité une fois.",
    ),
    "receipt.books": ("Books", "Livres"),
    "receipt.books-yes": ("Balanced", "Équilibrés"),
    "receipt.books-no": ("Not balanced", "Faux"),
    "receipt.books-why": (
        "Every balance follows from the journal, by our check and by SQL without our code.",
        "Chaque solde suit du journal, par notre contrôle et par du SQL sans notre code.",
    ),
    "receipt.at": ("Measured {at} UTC, in {n} s", "Mesuré {at} UTC, en {n} s"),
    "see.stock": ("See the stock", "Voir le stock"),
    "see.orders": ("See its movements", "Voir ses mouvements"),
    "see.webhook": ("See the webhook", "Voir le webhook"),
    "see.account": ("See the buyer's account", "Voir le compte de l'acheteur"),
    "see.books": ("See the books", "Voir les livres"),
    "see.check": ("Check the books now", "Contrôler les livres maintenant"),
    # The newcomer's own calls
    "turn": ("Your turn", "À vous"),
    "turn.what": (
        "Paste these into a terminal or a page. A box ticks when your own call arrives.",
        "Collez ceci dans un terminal ou une page. La case se coche quand votre appel arrive.",
    ),
    "turn.you": ("You are the customer", "Vous êtes le client"),
    "turn.http": ("HTTP: spend credits", "HTTP : dépenser des crédits"),
    "turn.python": ("Python: set aside, use, give back", "Python : retenir, user, rendre"),
    "turn.badge": ("Badge: in any page of yours", "Badge : dans une page à vous"),
    "turn.trigger": (
        "Webhook: sent 4 times, in any order",
        "Webhook : envoyé 4 fois, dans le désordre",
    ),
    "turn.copy": ("Copy", "Copier"),
    "turn.copied": ("Copied", "Copié"),
    "turn.came": ("Your call arrived", "Votre appel est arrivé"),
    "turn.waits": ("Waiting for your call", "En attente de votre appel"),
}
