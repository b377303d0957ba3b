"""The texts of the pages about settings, sessions and the audit."""

from typing import Final

from comptoir.web.languages import Texts

SETTINGS: Final[dict[str, Texts]] = {
    "set.how": (
        (
            "What this process was started with. It changes with the environment, not here; of "
            "secrets only whether they are set is shown."
        ),
        (
            "Ce avec quoi ce processus a démarré. Cela change avec l'environnement, pas ici ; des "
            "secrets on montre seulement s'ils sont définis."
        ),
    ),
    "set.all": ("Variables of the environment", "Variables d'environnement"),
    "set.name": ("Variable", "Variable"),
    "set.value": ("Value", "Valeur"),
    "set.meaning": ("Meaning", "Sens"),
    "set.set": ("set", "défini"),
    "set.unset": ("not set", "non défini"),
    "set.default": ("by default", "par défaut"),
    "set.first": (
        "The first {n} are shown; the API has all of them.",
        "Les {n} premiers sont montrés ; l'API les a tous.",
    ),
    "set.process": ("This process", "Ce processus"),
    "set.web": ("Web, limits and cache", "Web, limites et cache"),
    "set.money": ("Money", "Argent"),
    "set.shop": ("Shop", "Boutique"),
    "set.letters": ("Letters", "Lettres"),
    "set.other": ("Other settings", "Autres réglages"),
    "sessions": ("Sessions of operators", "Sessions des opérateurs"),
    "sessions.reason": ("Reason to end a session", "Motif pour finir une session"),
    "sessions.rank": ("Rank", "Rang"),
    "sessions.made": ("Signed in", "Connexion"),
    "sessions.seen": ("Last seen", "Vu pour la dernière fois"),
    "sessions.until": ("Ends at the latest", "Fin au plus tard"),
    "sessions.own": ("this one", "celle-ci"),
    "sessions.end": ("End", "Finir"),
    "rank.viewer": ("viewer", "lecteur"),
    "rank.support": ("support", "assistance"),
    "rank.admin": ("admin", "administrateur"),
    "role.operator": ("operator", "opérateur"),
    "role.service": ("service", "service"),
    "keys.api": ("API keys", "Clés d'API"),
    "keys.none": ("There is no key yet. Make one:", "Il n'y a pas encore de clé. Créez-en une :"),
    "key.name": ("Name", "Nom"),
    "key.role": ("Role", "Rôle"),
    "key.made": ("Made", "Créée"),
    "key.used": ("Last used", "Dernier emploi"),
    "key.ends": ("Ends", "Fin"),
    "key.revoked": ("revoked", "révoquée"),
    "key.over": ("expired", "expirée"),
    "stripe.none": ("No key: nothing can be paid.", "Aucune clé : rien ne peut être payé."),
    "stripe.sandbox": ("Sandbox: no money moves.", "Bac à sable : aucun argent ne bouge."),
    "stripe.test": ("A test key: no money moves.", "Clé de test : aucun argent ne bouge."),
    "stripe.live": ("A live key: real money moves.", "Clé réelle : de l'argent réel bouge."),
    "stripe.prices": ("Prices of actions", "Prix des actions"),
    "pack.name": ("Pack", "Pack"),
    "pack.credits": ("Credits", "Crédits"),
    "pack.price": ("Price", "Prix"),
    "pack.none": ("No pack is for sale. Put some:", "Aucun pack en vente. Mettez-en :"),
    "hooks": ("Outgoing webhooks", "Webhooks sortants"),
    "hooks.where": ("Address", "Adresse"),
    "hooks.what": ("Hears of", "Écoute"),
    "hooks.since": ("Since", "Depuis"),
    "hooks.none": (
        "Nobody hears of what happens here. Let somebody:",
        "Personne n'entend ce qui se passe ici. Abonnez quelqu'un :",
    ),
    "hooks.well": ("all is told", "tout est dit"),
    "hooks.waiting": ("{n} waiting", "{n} en attente"),
    "hooks.dead": ("{n} never arrived", "{n} jamais arrivés"),
    "audit": ("Audit", "Audit"),
    "audit.what": (
        (
            "What operators did on these pages, and why. No line ever goes or changes; the "
            "reason is forgotten with the person whom it is about."
        ),
        (
            "Ce que les opérateurs ont fait sur ces pages, et pourquoi. Aucune ligne ne part ni "
            "ne change ; le motif est oublié avec la personne qu'il concerne."
        ),
    ),
    "audit.who": ("Operator", "Opérateur"),
    "audit.action": ("Action", "Action"),
    "audit.subject": ("About", "Sujet"),
    "audit.none": ("No line here.", "Aucune ligne ici."),
    "audit.how": (
        "Each action of an operator's adds one, in the same commit.",
        "Chaque action d'un opérateur en ajoute une, dans la même validation.",
    ),
    "audit.looked": (
        "Of {n} lines looked at on this page.",
        "Sur {n} lignes parcourues sur cette page.",
    ),
    "deed.grant": ("grant", "don"),
    "deed.release": ("release of a hold", "libération d'une retenue"),
    "deed.move-stock": ("movement of stock", "mouvement de stock"),
    "deed.replay": ("replay of an event", "rejeu d'un événement"),
    "deed.close-case": ("closing of a case", "clôture d'un dossier"),
    "deed.retry-job": ("retry of a job", "relance d'une tâche"),
    "deed.retry-jobs": ("retry of dead jobs", "relance de tâches mortes"),
    "deed.cancel-job": ("cancelling of a job", "annulation d'une tâche"),
    "deed.cancel-order": ("cancelling of an order", "annulation d'une commande"),
    "deed.deliver-order": ("delivery of an order", "livraison d'une commande"),
    "deed.refund-order": ("refund of an order", "remboursement d'une commande"),
    "deed.return-order": ("return of goods", "retour d'articles"),
    "deed.verify": ("check of the books", "contrôle des livres"),
    "deed.sign-in": ("sign-in", "connexion"),
    "deed.sign-out": ("sign-out", "déconnexion"),
    "deed.end-session": ("end of a session", "fin d'une session"),
    "done.ended": ("The session has ended.", "La session est finie."),
}
