"""Every text of the pages for operators, in English and French."""

from typing import Final

from comptoir.web.dashboard.texts_cases import CASES
from comptoir.web.dashboard.texts_figures import FIGURES
from comptoir.web.dashboard.texts_lists import LISTS
from comptoir.web.dashboard.texts_minute import MINUTE
from comptoir.web.dashboard.texts_orders import ORDERS
from comptoir.web.dashboard.texts_settings import SETTINGS
from comptoir.web.dashboard.texts_works import WORKS
from comptoir.web.languages import Texts

_FRAME: Final[dict[str, Texts]] = {
    # The frame of every page
    "skip": ("Go to the content", "Aller au contenu"),
    "nav": ("Pages", "Pages"),
    "nav.overview": ("Overview", "Aperçu"),
    "nav.accounts": ("Accounts", "Comptes"),
    "nav.credits": ("Credits", "Crédits"),
    "nav.stock": ("Stock", "Stock"),
    "nav.orders": ("Orders", "Commandes"),
    "nav.jobs": ("Jobs", "Tâches"),
    "nav.webhooks": ("Webhooks", "Webhooks"),
    "nav.cases": ("Cases", "Dossiers"),
    "nav.margin": ("Margin", "Marge"),
    "nav.settings": ("Settings", "Réglages"),
    "search": ("Search", "Chercher"),
    "search.hint": (
        "Customer, order, payment, Stripe id",
        "Client, commande, paiement, id Stripe",
    ),
    "book": ("Book:", "Livre :"),
    "book.show": ("Show {book}", "Voir {book}"),
    "book.test": (
        "TEST book: nothing here is real.",
        "Livre de TEST : rien n'est réel ici.",
    ),
    "signed-in": ("Signed in as {name} ({rank})", "Connecté : {name} ({rank})"),
    "sign-out": ("Sign out", "Se déconnecter"),
    "language": ("Language", "Langue"),
    "theme": ("Theme", "Thème"),
    "theme.auto": ("Auto", "Auto"),
    "theme.light": ("Light", "Clair"),
    "theme.dark": ("Dark", "Sombre"),
    "keys": ("Keyboard", "Clavier"),
    "keys.search": ("search", "chercher"),
    "keys.overview": ("overview", "aperçu"),
    "keys.accounts": ("accounts", "comptes"),
    "keys.credits": ("credits", "crédits"),
    "keys.stock": ("stock", "stock"),
    "keys.orders": ("orders", "commandes"),
    "keys.jobs": ("jobs", "tâches"),
    "keys.webhooks": ("webhooks", "webhooks"),
    "keys.cases": ("cases", "dossiers"),
    "keys.margin": ("margin", "marge"),
    "keys.settings": ("settings", "réglages"),
    "keys.help": ("this help", "cette aide"),
    "keys.close": ("close", "fermer"),
    "utc": ("All times are UTC.", "Toutes les heures sont en UTC."),
    "live.still": ("As of {at}", "À {at}"),
    "live.now": ("Live", "En direct"),
    "live.ago": ("Updated {n} s ago", "Mis à jour il y a {n} s"),
    "live.offline": ("Offline", "Hors ligne"),
    "live.out": ("Signed out", "Déconnecté"),
    "slow": (
        "This took too long and is left out. It is tried again with the next look.",
        "Trop long : laissé de côté. Nouvel essai au prochain affichage.",
    ),
    # Signing in and refusals
    "login": ("Sign in", "Se connecter"),
    "login.what": (
        "This address signs you in once. Do you want to use it now, in this browser?",
        "Cette adresse vous connecte une seule fois. L'employer maintenant, dans ce navigateur ?",
    ),
    "login.do": ("Sign in here", "Se connecter ici"),
    "out": ("You are not signed in", "Vous n'êtes pas connecté"),
    "out.why": (
        (
            "An address signs somebody in once, within 30 minutes; a session ends after 12 hours "
            "of rest, and after 7 days. Make a new address on the server:"
        ),
        (
            "Une adresse connecte une seule fois, dans les 30 minutes ; une session finit après "
            "12 heures de repos, et après 7 jours. Créez une nouvelle adresse sur le serveur :"
        ),
    ),
    "problem.code": ("Code:", "Code :"),
    "problem.back": ("Back to the overview", "Retour à l'aperçu"),
    "problem.nothing": (
        "If this came from a form, nothing was changed by it.",
        "Si cela vient d'un formulaire, il n'a rien changé.",
    ),
    # What forms have done
    "done.verified": ("The books were checked.", "Les livres ont été contrôlés."),
    "done.granted": ("The credits are granted.", "Les crédits sont accordés."),
    "done.released": ("The hold is released.", "La retenue est libérée."),
    "done.moved": ("The movement is in the journal.", "Le mouvement est au journal."),
    "done.replayed": (
        "The event is handled once more; what it had done is not done again.",
        "L'événement est retraité ; ce qu'il avait fait n'est pas refait.",
    ),
    "done.closed": ("The case is closed.", "Le dossier est clos."),
    "done.retried": ("The job is tried again.", "La tâche est retentée."),
    # Forms
    "reason": ("Reason", "Motif"),
    "reason.hint": ("Why? It stays in the journal.", "Pourquoi ? Reste au journal."),
    "amount": ("Amount", "Montant"),
    "do.close": ("Close with a note", "Clore avec une note"),
    "do.replay": ("Look and replay", "Voir et rejouer"),
    "do.retry": ("Look and retry", "Voir et retenter"),
    "do.receive": ("Receive stock", "Recevoir du stock"),
    "do.check": ("Check now", "Contrôler"),
    "do.grant": ("Grant", "Accorder"),
    "do.release": ("Release", "Libérer"),
    # Overview
    "books": ("Books", "Livres"),
    "books.balanced": ("Balanced", "Équilibrés"),
    "books.drift": ("{n} rows do not fit", "{n} lignes ne concordent pas"),
    "books.unknown": ("Not checked yet", "Pas encore contrôlés"),
    "books.at": ("Checked {at}", "Contrôle : {at}"),
    "books.movements": ("{n} movements in the journal", "{n} mouvements au journal"),
    "books.proof": ("The proof is GET", "La preuve est GET"),
    "owed": ("Owed to customers", "Dû aux clients"),
    "owed.parts": ("{free} available + {held} held", "{free} disponibles + {held} retenus"),
    "owed.debt": ("{n} owed to you", "{n} qui vous sont dus"),
    "owed.none": ("Nobody has anything yet.", "Personne n'a encore rien."),
    "sold": ("Sold today", "Vendu aujourd'hui"),
    "sold.none": ("No payment since midnight UTC", "Aucun paiement depuis minuit UTC"),
    "sold.paid-1": ("1 payment", "1 paiement"),
    "sold.paid": ("{n} payments", "{n} paiements"),
    "sold.refunded": ("{sum} refunded ({n})", "{sum} remboursés ({n})"),
    "needs": ("Needs you", "À traiter"),
    "needs.none": ("Nothing needs you.", "Rien à traiter."),
    "need.event-dead": (
        "The event {event} failed {n} times, for the last time.",
        "L'événement {event} a échoué {n} fois, définitivement.",
    ),
    "need.event-orphan": (
        "The event {event} is about something that never came.",
        "L'événement {event} concerne un objet jamais arrivé.",
    ),
    "need.job": (
        "The job {type} failed {n} times, for the last time.",
        "La tâche {type} a échoué {n} fois, définitivement.",
    ),
    "need.stock": (
        "{product} {size}: {n} available.",
        "{product} {size} : {n} disponibles.",
    ),
    "movements": ("Movements", "Mouvements"),
    "movements.live": ("Live movements", "Mouvements en direct"),
    "movements.none": (
        "No movement in the last 30 days. A grant, a spend or a payment shows here at once.",
        "Aucun mouvement depuis 30 jours. Un don, une dépense ou un paiement paraît ici aussitôt.",
    ),
}

PARTS: Final = (_FRAME, LISTS, WORKS, SETTINGS, ORDERS, MINUTE, FIGURES, CASES)
"""No two of them have a text of one name."""

TEXTS: Final = {key: texts for part in PARTS for key, texts in part.items()}
