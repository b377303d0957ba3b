"""Texts of `comptoir pack`, `webhook`, `reconcile` and `trigger`."""

from typing import Final

from comptoir.web.languages import Texts

MONEY: Final[dict[str, Texts]] = {
    "help.pack": ("Packs and plans: what is for sale.", "Les packs et les plans en vente."),
    "help.pack.seed": (
        "Sell what a file says, Comptoir's own by default; twice the same changes nothing.",
        "Vendre ce que dit un fichier, celui de Comptoir par défaut ; deux fois ne change rien.",
    ),
    "help.pack.push": (
        "Make products and prices at Stripe for what is for sale; what is there stays.",
        "Créer chez Stripe les produits et tarifs de ce qui est en vente ; l'existant reste.",
    ),
    "help.pack.list": (
        "Show packs and plans with their prices, with and without tax.",
        "Montrer les packs et les plans avec leurs prix, avec et sans taxe.",
    ),
    "help.price": (
        "The price book: what an action costs.",
        "Le tarif : ce que coûte une action.",
    ),
    "help.price.list": (
        "Show the prices in force, with what an action costs the seller.",
        "Montrer les prix en vigueur, avec ce qu'une action coûte au vendeur.",
    ),
    "help.price.set": (
        "Let an action cost something else from now on; the same again changes nothing.",
        "Fixer le prix d'une action dès maintenant ; le même encore ne change rien.",
    ),
    "option.price-action": ("The action that has the price.", "L'action qui a ce prix."),
    "option.real-cost": (
        "What one call costs the seller, in major units, such as 0.04; none unless said.",
        "Ce qu'un appel coûte au vendeur, en unités, comme 0.04 ; aucun si rien n'est dit.",
    ),
    "column.price-action": ("action", "action"),
    "column.price-asset": ("asset", "actif"),
    "column.price-amount": ("amount", "montant"),
    "column.price-real_cost": ("real cost", "coût réel"),
    "column.price-version": ("version", "version"),
    "column.price-created_at": ("since", "depuis"),
    "help.webhook": (
        "What Stripe has told us, and what became of it.",
        "Ce que Stripe nous a dit, et ce qui en est advenu.",
    ),
    "help.webhook.list": (
        "Show events, the newest first.",
        "Montrer les événements, les plus récents d'abord.",
    ),
    "help.webhook.show": (
        "Show an event, with what it has done and its body.",
        "Montrer un événement, ce qu'il a fait et son contenu.",
    ),
    "help.webhook.replay": (
        "Let an event be handled once more; what it has done is not done again.",
        "Traiter encore un événement ; ce qu'il a fait n'est pas refait.",
    ),
    "help.reconcile": (
        "Compare Stripe with the books; exit code 3 if something is left.",
        "Rapprocher Stripe et les livres ; code de sortie 3 s'il reste quelque chose.",
    ),
    "help.trigger": (
        (
            "Make an event happen at the sandbox, deliver it often, say what it has done. "
            "TYPE: payment_intent.succeeded, payment_intent.payment_failed, "
            "checkout.session.completed, checkout.session.expired, charge.refunded, "
            "charge.dispute.created or invoice.paid."
        ),
        (
            "Provoquer un événement au bac à sable, le livrer souvent, et dire ce qu'il a fait. "
            "TYPE : payment_intent.succeeded, payment_intent.payment_failed, "
            "checkout.session.completed, checkout.session.expired, charge.refunded, "
            "charge.dispute.created ou invoice.paid."
        ),
    ),
    "option.event-id": ("The event.", "L'événement."),
    "option.event-state": (
        "Only those received, deferred, failed, done, ignored, orphan or dead.",
        "Seulement ceux à l'état received, deferred, failed, done, ignored, orphan ou dead.",
    ),
    "option.event-type": ("Only those of a type.", "Seulement ceux d'un type."),
    "option.troubles": ("Only those that are not done.", "Seulement ceux qui ne sont pas finis."),
    "option.replay-dry-run": (
        "Only say what it would do.",
        "Dire seulement ce qu'il ferait.",
    ),
    "option.reconcile-fix": (
        "Mend what the audit finds.",
        "Réparer ce que l'audit trouve.",
    ),
    "option.reconcile-since": (
        "Look back to this moment, as 2030-01-01T00:00:00Z; 35 days by default.",
        "Remonter jusqu'à ce moment, comme 2030-01-01T00:00:00Z ; 35 jours par défaut.",
    ),
    "option.pack": ("The pack that is bought.", "Le pack acheté."),
    "option.trigger-plan": (
        "The plan that invoice.paid pays.",
        "Le plan que paie invoice.paid.",
    ),
    "option.times": (
        "How often each event is delivered.",
        "Combien de fois chaque événement est livré.",
    ),
    "option.shuffle": ("Deliver in any order.", "Livrer dans le désordre."),
    "column.item": ("item", "article"),
    "column.gives": ("gives", "donne"),
    "column.price": ("price", "prix"),
    "column.without-tax": ("without tax", "hors taxe"),
    "column.with-tax": ("with tax", "taxe comprise"),
    "column.at-stripe": ("at Stripe", "chez Stripe"),
    "column.found": ("state", "état"),
    "column.event-id": ("id", "id"),
    "column.event-type": ("type", "type"),
    "column.event-state": ("state", "état"),
    "column.event-attempts": ("attempts", "essais"),
    "column.event-received_at": ("received", "reçu"),
    "column.event-effect": ("effect", "effet"),
    "pack.seeded": ("{item}", "{item}"),
    "pack.all-seeded": (
        "Catalogue {version} is in force; {count} changed.",
        "Le catalogue {version} est en vigueur ; {count} changements.",
    ),
    "pack.nothing-seeded": (
        "Catalogue {version} was in force already; {count} changed.",
        "Le catalogue {version} était déjà en vigueur ; {count} changement.",
    ),
    "pack.is-new": ("made", "créé"),
    "pack.was-there": ("was there", "existait"),
    "pack.each-month": ("{amount} {asset} a month", "{amount} {asset} par mois"),
    "webhook.shown": (
        "{id}: {type} of {object}, {state} after {attempts} attempts, received {received_at}",
        "{id} : {type} de {object}, {state} après {attempts} essais, reçu {received_at}",
    ),
    "webhook.effect": ("It has done: {said}.", "Il a fait : {said}."),
    "webhook.error": ("It has met: {said}.", "Il a rencontré : {said}."),
    "webhook.due": ("Its next try: {said}.", "Prochain essai : {said}."),
    "webhook.forgotten": (
        "Its body was forgotten after 90 days.",
        "Son contenu a été oublié après 90 jours.",
    ),
    "webhook.replayed": (
        "{id} waits to be handled once more, by whoever serves.",
        "{id} attend d'être traité encore, par le serveur.",
    ),
    "webhook.would-do": ("{id} would do: {effect}.", "{id} ferait : {effect}."),
    "webhook.would-do-nothing": (
        "{id} would change nothing.{effect}",
        "{id} ne changerait rien.{effect}",
    ),
    "reconcile.looked": (
        "Read {events} events, looked at {objects} unfinished things and {payments} payments.",
        "{events} événements lus, {objects} objets en cours et {payments} paiements regardés.",
    ),
    "reconcile.nothing": ("All is as it should be.", "Tout est comme il faut."),
    "reconcile.all-mended": (
        "{found} found, all of them mended; {left} left.",
        "{found} trouvés, tous réparés ; reste {left}.",
    ),
    "reconcile.left": (
        "{found} found, {left} left: repeat with --fix.",
        "{found} trouvés, reste {left} : relancez avec --fix.",
    ),
    "reconcile.stays": (
        "{found} found, {left} could not be mended: see what is open in /api/admin/cases.",
        "{found} trouvés, {left} non réparés : voyez les dossiers de /api/admin/cases.",
    ),
    "trigger.delivered": (
        "{type}: {events} events, delivered {deliveries} times in all.",
        "{type} : {events} événements, {deliveries} livraisons en tout.",
    ),
    "trigger.not-come": ("did not come", "pas arrivé"),
    "trigger.not-granted": (
        "Credits were granted {times} times.",
        "Crédits accordés {times} fois.",
    ),
    "trigger.granted-once": ("Credits were granted once.", "Crédits accordés une seule fois."),
    "trigger.granted-often": (
        "Credits were granted {times} times!",
        "Crédits accordés {times} fois !",
    ),
    "trigger.balance": (
        "{customer} has {balance} credits ({change}).",
        "{customer} a {balance} crédits ({change}).",
    ),
    "trigger.right": ("That is as it should be.", "C'est comme il faut."),
    "trigger.wrong": (
        "That is not as it should be: comptoir reconcile",
        "Ce n'est pas comme il faut : comptoir reconcile",
    ),
    "trigger.unsettled": (
        "Not all of it is handled yet: is `comptoir serve` running?",
        "Tout n'est pas encore traité : `comptoir serve` tourne-t-il ?",
    ),
    "error.trigger-without-sandbox": (
        "There is no sandbox here: events are triggered beside a running `comptoir serve`.",
        "Pas de bac à sable ici : on provoque des événements à côté d'un `comptoir serve`.",
    ),
    "error.sandbox-refused": (
        "The sandbox would not have it: {reason}",
        "Le bac à sable a refusé : {reason}",
    ),
    "error.sandbox-away": (
        "The sandbox at {base} does not answer.",
        "Le bac à sable {base} ne répond pas.",
    ),
}
