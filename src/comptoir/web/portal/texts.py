"""Every text of the pages for customers, in English and French."""

from typing import Final

from comptoir.web.languages import Texts

TEXTS: Final[dict[str, Texts]] = {
    # The frame of every page
    "skip": ("Go to the content", "Aller au contenu"),
    "nav": ("Pages", "Pages"),
    "nav.home": ("Credits", "Crédits"),
    "nav.history": ("History", "Historique"),
    "nav.plan": ("Plan", "Formule"),
    "account-of": ("Account of {name}", "Compte de {name}"),
    "sign-out": ("Sign out", "Se déconnecter"),
    "language": ("Language", "Langue"),
    "theme": ("Theme", "Thème"),
    "theme.auto": ("Auto", "Auto"),
    "theme.light": ("Light", "Clair"),
    "theme.dark": ("Dark", "Sombre"),
    "test": ("Test: nothing here is real.", "Test : rien n'est réel ici."),
    "slow": (
        "This took too long and is left out. Try again in a moment.",
        "Trop long : laissé de côté. Réessayez dans un instant.",
    ),
    "zone": ("Times: {zone}.", "Heures : {zone}."),
    # Coming in
    "enter": ("Your account", "Votre compte"),
    "enter.what": (
        "This link opens your account in this browser. It works once.",
        "Ce lien ouvre votre compte dans ce navigateur. Il ne sert qu'une fois.",
    ),
    "enter.other": (
        "This browser shows the account of {name}. The link is that of another account.",
        "Ce navigateur montre le compte de {name}. Le lien est celui d'un autre compte.",
    ),
    "enter.do": ("Open my account", "Ouvrir mon compte"),
    "enter.switch": ("Open the other account", "Ouvrir l'autre compte"),
    "enter.stay": ("Stay here", "Rester ici"),
    "out": ("You are signed out", "Vous êtes déconnecté"),
    "out.why": (
        (
            "Your visit has ended, or the link was used or is too old. Nothing is lost: go back to"
            " where you came from, and open your account from there."
        ),
        (
            "Votre visite est terminée, ou le lien a servi ou est trop ancien. Rien n'est perdu :"
            " revenez d'où vous venez et ouvrez votre compte de là."
        ),
    ),
    "problem.nothing": ("Nothing was changed.", "Rien n'a été modifié."),
    "problem.code": ("Code:", "Code :"),
    "problem.back": ("Back to your account", "Retour à votre compte"),
    # Home
    "balance": ("You have", "Vous avez"),
    "credits.one": ("credit", "crédit"),
    "credits.many": ("credits", "crédits"),
    "tokens": ("tokens", "jetons"),
    "low": ("Running low", "Bientôt épuisé"),
    "empty": ("None left", "Épuisé"),
    "bar": (
        "Available of what there was after the last top-up",
        "Disponible, sur le total après le dernier ajout",
    ),
    "on-hold": (
        "{n} on hold: set aside for what is under way, used or given back when it ends.",
        "{n} en attente : mis de côté pour ce qui est en cours, utilisés ou rendus à la fin.",
    ),
    "expires": ("{n} expire on {day}.", "{n} expirent le {day}."),
    "debt": (
        "{n} are owed: your next credits pay for them first.",
        "{n} sont dus : vos prochains crédits les règlent d'abord.",
    ),
    "others": ("You also have", "Vous avez aussi"),
    "buy": ("Buy credits", "Acheter des crédits"),
    "buy.pack": ("Pack", "Pack"),
    "buy.each": ("{price} a credit", "{price} par crédit"),
    "buy.best": ("Best value", "Meilleur prix"),
    "buy.do": ("Continue to payment", "Continuer vers le paiement"),
    "buy.where": (
        "You pay on the page of our payment provider, and come back here.",
        "Vous payez sur la page de notre prestataire de paiement, puis revenez ici.",
    ),
    "buy.none": ("There is nothing for sale now.", "Rien n'est en vente pour le moment."),
    "buy.closed": (
        "Buying is not possible at the moment.",
        "L'achat est impossible pour le moment.",
    ),
    "tax.included": ("incl. {percent}% tax", "TVA {percent} % incluse"),
    "tax.added": (
        "plus {percent}% tax: {sum} in all",
        "plus {percent} % de TVA : {sum} au total",
    ),
    "tax.later": ("plus tax", "hors taxes"),
    "last": ("Last movements", "Derniers mouvements"),
    "all": ("All movements", "Tous les mouvements"),
    "none": (
        "Nothing yet. What you buy and what you use shows here.",
        "Rien pour l'instant. Vos achats et votre usage paraissent ici.",
    ),
    "leave": ("Continue to the payment provider", "Continuer chez le prestataire de paiement"),
    "leave.what": ("The page is ready.", "La page est prête."),
    # History
    "show": ("Show", "Montrer"),
    "show.all": ("All", "Tout"),
    "show.added": ("Added", "Ajouts"),
    "show.used": ("Used", "Usage"),
    "show.held": ("On hold", "En attente"),
    "col.date": ("Date", "Date"),
    "col.what": ("What", "Quoi"),
    "col.change": ("Change", "Variation"),
    "col.after": ("Balance after", "Solde après"),
    "more": ("Older", "Plus anciens"),
    "first": ("Newest", "Plus récents"),
    "csv": ("Download as CSV", "Télécharger en CSV"),
    "history.none": ("Nothing of this kind.", "Rien de ce genre."),
    "history.looked": (
        "None among the last movements; older ones may be.",
        "Aucun parmi les derniers mouvements ; de plus anciens peut-être.",
    ),
    # Movements in words
    "kind.grant": ("Given to you", "Offerts"),
    "kind.purchase": ("Bought", "Achat"),
    "kind.allowance": ("From your plan", "Inclus dans votre formule"),
    "kind.spend": ("Used", "Utilisés"),
    "kind.capture": ("Used of {held} on hold", "Utilisés sur {held} en attente"),
    "kind.hold": ("Put on hold: {held}", "Mis en attente : {held}"),
    "kind.release": ("Given back: {back} were on hold", "Rendus : {back} étaient en attente"),
    "kind.hold_expiry": (
        "Given back: the hold of {back} ended unused",
        "Rendus : l'attente de {back} s'est terminée sans usage",
    ),
    "kind.renewal": ("Kept on hold for longer", "Attente prolongée"),
    "kind.expiry": ("Expired", "Expirés"),
    "kind.refund": ("Taken back for a refund", "Repris pour un remboursement"),
    "kind.reversal": ("Corrected", "Corrigés"),
    "kind.adjustment": ("Adjusted", "Ajustés"),
    "kind.transfer-in": ("Received from another account", "Reçus d'un autre compte"),
    "kind.transfer-out": ("Sent to another account", "Envoyés à un autre compte"),
    "back": ("{back} given back", "{back} rendus"),
    # Plan
    "plan.yours": ("Your plan", "Votre formule"),
    "plan.status.active": ("Active", "Active"),
    "plan.status.trialing": ("On trial until {day}", "À l'essai jusqu'au {day}"),
    "plan.status.past_due": ("A payment is due", "Un paiement est en retard"),
    "plan.renews": ("Renews on {day}.", "Renouvelée le {day}."),
    "plan.ends": ("Ends on {day}.", "Prend fin le {day}."),
    "plan.change": ("Change, pay or cancel", "Modifier, payer ou résilier"),
    "plan.where": (
        "This opens the page of our payment provider; you come back here.",
        "Ceci ouvre la page de notre prestataire de paiement ; vous revenez ici.",
    ),
    "plan.none": (
        "You pay no subscription. Credits that you have are yours all the same.",
        "Vous n'avez pas d'abonnement. Vos crédits vous restent acquis.",
    ),
    "quotas": ("Today", "Aujourd'hui"),
    "quota.used": ("{used} of {limit} used", "{used} sur {limit} utilisés"),
    "quota.reserved": ("{n} under way", "{n} en cours"),
    "quota.resets": ("Starts again on {at}.", "Repart à zéro le {at}."),
    # Coming back from paying
    "thanks": ("Thank you", "Merci"),
    "thanks.what": (
        (
            "Your payment is being confirmed. You may close this page: what you have bought"
            " arrives by itself, usually within a second."
        ),
        (
            "Votre paiement est en cours de confirmation. Vous pouvez fermer cette page : votre"
            " achat arrive de lui-même, en général en moins d'une seconde."
        ),
    ),
    "cancelled": ("Nothing was paid", "Rien n'a été payé"),
    "cancelled.what": (
        "You have left the payment page. Nothing was charged.",
        "Vous avez quitté la page de paiement. Rien n'a été débité.",
    ),
    "waiting": ("Thank you", "Merci"),
    "waiting.pending": (
        "Your payment is being confirmed… (usually 2 s)",
        "Votre paiement est en cours de confirmation… (2 s en général)",
    ),
    "waiting.paid": (
        "Payment received. Adding your credits… (usually 2 s)",
        "Paiement reçu. Ajout de vos crédits… (2 s en général)",
    ),
    "late": ("Taking longer than usual", "C'est plus long que d'habitude"),
    "late.what": (
        "You will not lose it: what you paid for arrives by itself, also when this page is closed.",
        "Rien n'est perdu : votre achat arrive de lui-même, même si vous fermez cette page.",
    ),
    "reference": ("Reference:", "Référence :"),
    "look-again": ("Look again", "Vérifier de nouveau"),
    "done": ("Done", "C'est fait"),
    "done.purchase": (
        "{added} were added: your balance is {balance}.",
        "{added} ont été ajoutés : votre solde est de {balance}.",
    ),
    "done.order": ("Your order {number} is paid.", "Votre commande {number} est payée."),
    "done.plan": ("Your plan is {plan}.", "Votre formule est {plan}."),
    "failed": ("The payment did not go through", "Le paiement n'a pas abouti"),
    "failed.what": (
        "Nothing was added. Should you have been charged all the same, it is paid back.",
        "Rien n'a été ajouté. Si vous avez tout de même été débité, vous serez remboursé.",
    ),
    "refunded": ("Paid back", "Remboursé"),
    "refunded.what": (
        "This payment was paid back to you.",
        "Ce paiement vous a été remboursé.",
    ),
    "to-account": ("To your account", "Vers votre compte"),
    **{
        f"month.{number}": names
        for number, names in enumerate(
            (
                ("January", "janvier"), ("February", "février"), ("March", "mars"),
                ("April", "avril"), ("May", "mai"), ("June", "juin"), ("July", "juillet"),
                ("August", "août"), ("September", "septembre"), ("October", "octobre"),
                ("November", "novembre"), ("December", "décembre"),
            ),
            1,
        )
    },
}  # fmt: skip
