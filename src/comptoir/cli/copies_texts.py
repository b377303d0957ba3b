"""The texts of backup, restore and move: a part of the table in texts.py."""

from typing import Final

from comptoir.web.languages import Texts

COPIES: Final[dict[str, Texts]] = {
    "help.backup": (
        "Write the books into a file, while servers go on writing; - is stdout.",
        "Écrire les livres dans un fichier, pendant que les serveurs écrivent ; - : sortie.",
    ),
    "help.restore": (
        "Put the books of a backup into an empty database.",
        "Remettre les livres d'une sauvegarde dans une base vide.",
    ),
    "help.move": (
        "Move the books of the embedded database to another PostgreSQL, for good.",
        "Déplacer les livres de la base embarquée vers un autre PostgreSQL, pour de bon.",
    ),
    "option.overwrite": ("Replace the file if there is one.", "Remplacer le fichier existant."),
    # backup
    "backup.done": (
        "{file}: {movements} movements as of {at}, {size} bytes.",
        "{file} : {movements} mouvements au {at}, {size} octets.",
    ),
    "backup.secret-included": (
        (
            "The file also holds the secret that signs customers' tokens: keep it where nobody "
            "else can read it."
        ),
        (
            "Le fichier contient aussi le secret qui signe les jetons des clients : gardez-le là "
            "où personne d'autre ne peut le lire."
        ),
    ),
    "backup.secret-elsewhere": (
        "COMPTOIR_SECRET is not in the file: keep it, a restored server needs the same.",
        "COMPTOIR_SECRET n'est pas dans le fichier : gardez-le, il en faudra le même.",
    ),
    "backup.secret-none": (
        "There is no secret yet, so none is in the file.",
        "Il n'y a pas encore de secret, donc aucun dans le fichier.",
    ),
    "error.backup-exists": (
        "{file} exists already. Choose another name, or replace it with --force.",
        "{file} existe déjà. Choisissez un autre nom ou remplacez-le avec --force.",
    ),
    "error.backup-terminal": (
        "A backup is not for the eye: send it into a file or a program.",
        "Une sauvegarde n'est pas à lire : envoyez-la dans un fichier ou un programme.",
    ),
    "error.backup-unreadable": (
        "{file} is not a backup of Comptoir, or was cut off. Take another one.",
        "{file} n'est pas une sauvegarde de Comptoir, ou est tronqué. Prenez-en une autre.",
    ),
    "error.backup-newer": (
        "Comptoir {version} made this backup. Restore it with that version or a later one.",
        "Cette sauvegarde vient de Comptoir {version}. Restaurez-la avec lui ou un plus récent.",
    ),
    # restore
    "restore.done": (
        (
            "The books of {at} are restored and balance: {movements} movements, {rows} rows, "
            "revision {revision}."
        ),
        (
            "Les livres du {at} sont restaurés et justes : {movements} mouvements, {rows} lignes, "
            "révision {revision}."
        ),
    ),
    "restore.secret-set": (
        (
            "COMPTOIR_SECRET is in force, and the home is left alone: tokens and cursors are "
            "good if it is the secret of the old servers."
        ),
        (
            "COMPTOIR_SECRET est en vigueur et le dossier reste tel quel : jetons et curseurs "
            "valent si c'est le secret des anciens serveurs."
        ),
    ),
    "restore.secret-elsewhere": (
        "The secret is not in this backup. Set COMPTOIR_SECRET as the old servers had it.",
        "Le secret n'est pas dans cette sauvegarde. Donnez à COMPTOIR_SECRET celui d'avant.",
    ),
    "restore.secret-none": (
        "The backup holds no secret, for there was none.",
        "La sauvegarde ne contient pas de secret, car il n'y en avait pas.",
    ),
    "restore.secret-kept": (
        "The secret is in {path}.",
        "Le secret est dans {path}.",
    ),
    "restore.secret-replaced": (
        "The home has the secret of the backup now; its own one is kept in {path}.",
        "Le dossier a maintenant le secret de la sauvegarde ; le sien est gardé dans {path}.",
    ),
    # move
    "move.closing": (
        "Writes are refused from now on, until this ends.",
        "Les écritures sont refusées à partir d'ici, jusqu'à la fin.",
    ),
    "move.verifying": ("Verifying the books here ...", "Contrôle des livres ici ..."),
    "move.copying": (
        "Copying, and verifying the books there ...",
        "Copie, et contrôle des livres là-bas ...",
    ),
    "move.opening": ("Opening the books there ...", "Ouverture des livres là-bas ..."),
    "move.done": (
        (
            "The books are in {place} now, and balance: {movements} movements, {rows} rows, "
            "revision {revision}, equal on both sides. Start the servers with DATABASE_URL set to "
            "it; this home refuses every write from now on."
        ),
        (
            "Les livres sont maintenant dans {place}, et justes : {movements} mouvements, {rows} "
            "lignes, révision {revision}, égaux des deux côtés. Démarrez les serveurs avec cette "
            "base dans DATABASE_URL ; ce dossier refuse désormais toute écriture."
        ),
    ),
    "move.finished": (
        (
            "The books had arrived in {place} already, and are open now. Start the servers with "
            "DATABASE_URL set to it."
        ),
        (
            "Les livres étaient déjà arrivés dans {place}, et sont maintenant ouverts. Démarrez "
            "les serveurs avec cette base dans DATABASE_URL."
        ),
    ),
    "move.secret": (
        (
            "Give the servers the same secret: keep this COMPTOIR_HOME, or set COMPTOIR_SECRET to "
            "what is in {path}."
        ),
        (
            "Donnez aux serveurs le même secret : gardez ce COMPTOIR_HOME, ou mettez dans "
            "COMPTOIR_SECRET ce que contient {path}."
        ),
    ),
    "error.move-no-home": (
        (
            "There is no embedded database in {home}. Set COMPTOIR_HOME to the folder that has "
            "one; between other databases use backup and restore."
        ),
        (
            "Il n'y a pas de base embarquée dans {home}. Indiquez dans COMPTOIR_HOME le dossier "
            "qui en a une ; entre d'autres bases, prenez backup et restore."
        ),
    ),
    "error.home-moved": (
        (
            "The books of this database have moved to {place}, and this copy is closed for good. "
            "Set DATABASE_URL to where they are."
        ),
        (
            "Les livres de cette base sont passés dans {place}, et cette copie est fermée pour de "
            "bon. Indiquez dans DATABASE_URL où ils sont."
        ),
    ),
    "error.move-under-way": (
        "Somebody else is moving these books. Wait for the end of it, or stop that process.",
        "Quelqu'un d'autre déplace ces livres. Attendez-en la fin ou arrêtez ce processus.",
    ),
    "error.move-busy": (
        (
            "Somebody has kept a transaction open on the books for too long. Stop that program, "
            "and repeat the move."
        ),
        (
            "Quelqu'un garde trop longtemps une transaction ouverte sur les livres. Arrêtez ce "
            "programme et relancez le déplacement."
        ),
    ),
    # What may be wrong with a copy, or with where it is to go
    "copy.unbalanced": (
        "Nothing was written: the books do not balance; these rows do not fit:",
        "Rien n'a été écrit : les livres ne sont pas justes ; ces lignes ne vont pas :",
    ),
    "error.copy-unbalanced": (
        "The books do not balance ({row}): nothing was written. See: comptoir verify --full",
        "Les livres ne sont pas justes ({row}) : rien n'a été écrit. Voir : comptoir verify --full",
    ),
    "error.copy-damaged": (
        "The copy of {table} is damaged: nothing was written. Take another backup.",
        "La copie de {table} est abîmée : rien n'a été écrit. Prenez une autre sauvegarde.",
    ),
    "error.copy-differs": (
        (
            "What arrived in {table} is not what was sent: nothing was written. Look at the new "
            "database's extensions, triggers and rules."
        ),
        (
            "Ce qui est arrivé dans {table} n'est pas ce qui est parti : rien n'a été écrit. "
            "Examinez les extensions, déclencheurs et règles de la nouvelle base."
        ),
    ),
    "error.copy-newer": (
        "The books have revision {there}, this program knows {known}. Install a later Comptoir.",
        (
            "Les livres sont à la révision {there}, ce programme connaît {known}. Installez un "
            "Comptoir plus récent."
        ),
    ),
    "error.copy-other-schema": (
        (
            "Somebody has changed the schema comptoir by hand ({tables}): it cannot be copied. "
            "Undo that change."
        ),
        (
            "Le schéma comptoir a été changé à la main ({tables}) : il ne peut être copié. "
            "Annulez ce changement."
        ),
    ),
    "error.target-url": (
        "That is not an address like postgresql://user@host:5432/database.",
        "Ce n'est pas une adresse comme postgresql://utilisateur@hote:5432/base.",
    ),
    "error.target-unreachable": (
        "The database for the books cannot be reached: {reason}",
        "La base qui doit recevoir les livres est injoignable : {reason}",
    ),
    "error.target-version": (
        "The database for the books is PostgreSQL {version}; Comptoir needs 16 or later.",
        "La base qui doit recevoir les livres est un PostgreSQL {version} ; il faut 16 ou plus.",
    ),
    "error.target-encoding": (
        "The database for the books has encoding {encoding}. Create one with ENCODING 'UTF8'.",
        "La base qui doit recevoir les livres est en {encoding}. Créez-en une en ENCODING 'UTF8'.",
    ),
    "error.target-read-only": (
        "The database for the books is read-only, or a standby. Name its primary.",
        (
            "La base qui doit recevoir les livres est en lecture seule, ou un réplica. Nommez le "
            "serveur primaire."
        ),
    ),
    "error.target-rights": (
        (
            "This role may not make the schema comptoir there. Let the owner of the database do "
            "this, or: GRANT CREATE ON DATABASE ..."
        ),
        (
            "Ce rôle ne peut y créer le schéma comptoir. Faites-le avec le propriétaire de la "
            "base, ou : GRANT CREATE ON DATABASE ..."
        ),
    ),
    "error.target-in-use": (
        "Processes are using the database for the books ({count}). Stop them, and repeat this.",
        (
            "Des processus utilisent la base qui doit recevoir les livres ({count}). "
            "Arrêtez-les et recommencez."
        ),
    ),
    "error.target-not-empty": (
        (
            "There are books in that database already (table {table}). Create an empty one; or, "
            "if nobody needs them, there: DROP SCHEMA comptoir CASCADE"
        ),
        (
            "Il y a déjà des livres dans cette base (table {table}). Créez-en une vide ; ou, si "
            "personne n'en a besoin, dans celle-ci : DROP SCHEMA comptoir CASCADE"
        ),
    ),
    "error.target-arriving": (
        (
            "Books of a move that was not finished are in that database. Repeat that move where "
            "they came from; or, if that copy is worth nothing, there: DROP SCHEMA comptoir CASCADE"
        ),
        (
            "Cette base contient les livres d'un déplacement inachevé. Relancez-le là d'où ils "
            "viennent ; ou, si cette copie ne vaut rien, dans cette base : DROP SCHEMA comptoir "
            "CASCADE"
        ),
    ),
    "error.target-is-source": (
        "The books are in that database already.",
        "Les livres sont déjà dans cette base.",
    ),
}
