"""What may be found in the database: of the server, and of the tables."""

from typing import Final

from comptoir.cli.doctor.line import Line, failed, ok, warning

THERE: Final[dict[str, Line]] = {
    # The server
    "version": ok("PostgreSQL {version}.", "PostgreSQL {version}."),
    "version-old": failed(
        ("PostgreSQL {version} is too old.", "PostgreSQL {version} est trop ancien."),
        ("Upgrade it to 16 or later.", "Passez à 16 ou plus."),
    ),
    "encoding": ok("Encoding {encoding}.", "Encodage {encoding}."),
    "encoding-other": failed(
        ("The encoding is {encoding}.", "L'encodage est {encoding}."),
        (
            "Create a database with ENCODING 'UTF8', and restore a backup into it.",
            "Créez une base en ENCODING 'UTF8', et restaurez-y une sauvegarde.",
        ),
    ),
    "durability": ok(
        "fsync and full_page_writes are on.", "fsync et full_page_writes sont actifs."
    ),
    "durability-off": failed(
        (
            "A crash would ruin the database: {settings} off.",
            "Un arrêt brutal ruinerait la base : {settings} inactif.",
        ),
        ("Turn it on in postgresql.conf.", "Activez-le dans postgresql.conf."),
    ),
    "commits-off": failed(
        (
            "synchronous_commit is off: a crash of PostgreSQL loses acknowledged requests.",
            (
                "synchronous_commit est off : un arrêt brutal de PostgreSQL perd des requêtes "
                "confirmées."
            ),
        ),
        (
            "ALTER DATABASE ... SET synchronous_commit = on",
            "ALTER DATABASE ... SET synchronous_commit = on",
        ),
    ),
    "commits-local": ok(
        "synchronous_commit is {setting}, without a standby: an acknowledged request survives a "
        "crash, not the loss of the disk.",
        "synchronous_commit est {setting}, sans réplica : une requête confirmée survit à un arrêt "
        "brutal, pas à la perte du disque.",
    ),
    "commits-not-awaited": warning(
        (
            (
                "synchronous_commit is {setting}: nobody waits for the standbys "
                "({standbys}), and a "
                "failover may lose acknowledged requests."
            ),
            (
                "synchronous_commit est {setting} : personne n'attend les réplicas "
                "({standbys}), et "
                "une bascule peut perdre des requêtes confirmées."
            ),
        ),
        (
            "ALTER DATABASE ... SET synchronous_commit = on",
            "ALTER DATABASE ... SET synchronous_commit = on",
        ),
    ),
    "commits-replicated": ok(
        "synchronous_commit is {setting} with standbys ({standbys}): an acknowledged request "
        "survives the loss of this server.",
        "synchronous_commit est {setting} avec des réplicas ({standbys}) : une requête confirmée "
        "survit à la perte de ce serveur.",
    ),
    "autovacuum": ok("Autovacuum is on.", "Autovacuum est actif."),
    "autovacuum-off": warning(
        (
            "{settings} off: tables grow and slow down.",
            "{settings} inactif : les tables enflent et ralentissent.",
        ),
        ("Turn it on in postgresql.conf.", "Activez-le dans postgresql.conf."),
    ),
    "autovacuum-off-tables": warning(
        (
            "Autovacuum is off for: {tables}.",
            "Autovacuum est inactif pour : {tables}.",
        ),
        (
            "ALTER TABLE comptoir.... RESET (autovacuum_enabled)",
            "ALTER TABLE comptoir.... RESET (autovacuum_enabled)",
        ),
    ),
    "collation": ok("Texts sort as they always did.", "Les textes se trient comme toujours."),
    "collation-changed": failed(
        (
            (
                "The system sorts texts otherwise than when indexes were made ({there}, now "
                "{now}): "
                "they may miss rows."
            ),
            (
                "Le système trie les textes autrement qu'à la création des index ({there}, "
                "maintenant {now}) : des lignes peuvent leur échapper."
            ),
        ),
        (
            "REINDEX DATABASE, then ALTER DATABASE ... REFRESH COLLATION VERSION",
            "REINDEX DATABASE, puis ALTER DATABASE ... REFRESH COLLATION VERSION",
        ),
    ),
    "connections": ok(
        "{room} connections: room for {processes} processes.",
        "{room} connexions : de la place pour {processes} processus.",
    ),
    "connections-one": warning(
        (
            "{room} connections: room for one process, and none to take its place.",
            "{room} connexions : de la place pour un processus, et aucun pour le relayer.",
        ),
        (
            "Allow twice {each} at least: max_connections, or the limit of role or database.",
            (
                "Permettez-en au moins deux fois {each} : max_connections, ou la limite du "
                "rôle ou de "
                "la base."
            ),
        ),
    ),
    "connections-few": failed(
        (
            "{room} connections: a process may need {each}.",
            "{room} connexions : un processus peut en demander {each}.",
        ),
        (
            "Raise max_connections, or the limit of role or database.",
            "Augmentez max_connections, ou la limite du rôle ou de la base.",
        ),
    ),
    "clock": ok("Both clocks agree.", "Les deux horloges sont d'accord."),
    "clock-differs": warning(
        (
            (
                "The clocks of this machine and of the database are {seconds} s apart: "
                "balances go by "
                "the database, customers' tokens by this machine."
            ),
            (
                "Les horloges de cette machine et de la base diffèrent de {seconds} s : les soldes "
                "suivent la base, les jetons des clients cette machine."
            ),
        ),
        ("Let NTP set both.", "Réglez les deux par NTP."),
    ),
    # The tables
    "revision": ok("Schema of revision {there}.", "Schéma à la révision {there}."),
    "revision-none": failed(
        ("There are no books in this database.", "Il n'y a pas de livres dans cette base."),
        ("comptoir migrate", "comptoir migrate"),
    ),
    "revision-older": failed(
        (
            "The schema has revision {there}, this program {known}.",
            "Le schéma est à la révision {there}, ce programme à {known}.",
        ),
        ("comptoir migrate", "comptoir migrate"),
    ),
    "revision-newer": failed(
        (
            "The schema has revision {there}, which this program ({known}) does not know.",
            "Le schéma est à la révision {there}, que ce programme ({known}) ne connaît pas.",
        ),
        ("Install a later Comptoir.", "Installez un Comptoir plus récent."),
    ),
    "revision-grown": warning(
        (
            "The schema has revision {there}; this program ({known}) works on it all the same.",
            "Le schéma est à la révision {there} ; ce programme ({known}) y fonctionne quand même.",
        ),
        (
            "Finish the upgrade: install the Comptoir that has made it.",
            "Terminez la mise à jour : installez le Comptoir qui l'a faite.",
        ),
    ),
    "gate-none": ok("The books are here to stay.", "Les livres sont ici à demeure."),
    "gate-left": warning(
        (
            "A move to {place} was broken off; each commit is a little slower for it.",
            (
                "Un déplacement vers {place} a été interrompu ; chaque écriture en est un peu plus "
                "lente."
            ),
        ),
        (
            "Repeat it; or, as the owner: DROP FUNCTION comptoir.refuse_writes() CASCADE",
            "Relancez-le ; ou, en propriétaire : DROP FUNCTION comptoir.refuse_writes() CASCADE",
        ),
    ),
    "gate-moving": warning(
        (
            "The books are moving to {place} just now: writes are refused.",
            "Les livres passent en ce moment dans {place} : les écritures sont refusées.",
        ),
        ("Wait for the end of it.", "Attendez la fin."),
    ),
    "gate-moved": failed(
        ("The books have moved to {place}.", "Les livres sont passés dans {place}."),
        ("Set DATABASE_URL to where they are.", "Indiquez dans DATABASE_URL où ils sont."),
    ),
    "gate-arriving": failed(
        (
            "The books are still moving into this database.",
            "Les livres sont en train d'arriver dans cette base.",
        ),
        (
            "If the move was broken off, repeat `comptoir move` where they came from.",
            "Si le déplacement a été interrompu, relancez `comptoir move` là d'où ils viennent.",
        ),
    ),
    "roles": ok(
        "The role {role} can only add to the journal.",
        "Le rôle {role} ne peut qu'ajouter au journal.",
    ),
    "roles-superuser": failed(
        (
            "Comptoir connects as the superuser {role}: nothing stops it from changing the past.",
            (
                "Comptoir se connecte en superutilisateur {role} : rien ne l'empêche de changer le "
                "passé."
            ),
        ),
        (
            (
                "CREATE ROLE comptoir_app LOGIN before the first migration; DATABASE_URL with it, "
                "DATABASE_DIRECT_URL with the owner."
            ),
            (
                "CREATE ROLE comptoir_app LOGIN avant la première migration ; DATABASE_URL "
                "avec lui, "
                "DATABASE_DIRECT_URL avec le propriétaire."
            ),
        ),
    ),
    "roles-owner": warning(
        (
            "Comptoir connects as {role}, who owns the tables: only triggers guard the journal.",
            (
                "Comptoir se connecte en {role}, propriétaire des tables : seuls des déclencheurs "
                "gardent le journal."
            ),
        ),
        (
            (
                "CREATE ROLE comptoir_app LOGIN before the first migration; DATABASE_URL with it, "
                "DATABASE_DIRECT_URL with the owner."
            ),
            (
                "CREATE ROLE comptoir_app LOGIN avant la première migration ; DATABASE_URL "
                "avec lui, "
                "DATABASE_DIRECT_URL avec le propriétaire."
            ),
        ),
    ),
    "roles-may-change": failed(
        (
            "The role {role} may change the journal.",
            "Le rôle {role} a le droit de changer le journal.",
        ),
        (
            "REVOKE UPDATE, DELETE, TRUNCATE ON comptoir.movements FROM {role}",
            "REVOKE UPDATE, DELETE, TRUNCATE ON comptoir.movements FROM {role}",
        ),
    ),
    "roles-no-rights": failed(
        (
            "The role of DATABASE_URL lacks rights on: {tables}.",
            "Le rôle de DATABASE_URL n'a pas les droits sur : {tables}.",
        ),
        (
            "Use the role comptoir_app, which migrations give what it needs.",
            "Prenez le rôle comptoir_app, à qui les migrations donnent ce qu'il faut.",
        ),
    ),
    "triggers": ok("The journal is append-only.", "Le journal est en ajout seul."),
    "triggers-off": failed(
        (
            "The database does not guard the journal: {names} missing or off.",
            "La base ne garde pas le journal : {names} absent ou inactif.",
        ),
        (
            "ALTER TABLE ... ENABLE TRIGGER; then: comptoir verify --full",
            "ALTER TABLE ... ENABLE TRIGGER ; puis : comptoir verify --full",
        ),
    ),
    "tables": ok(
        "Tables, constraints and indexes are in force.",
        "Tables, contraintes et index sont en vigueur.",
    ),
    "tables-wrong": failed(
        (
            "Unlogged, not validated or not valid: {names}.",
            "Sans journalisation, non validé ou invalide : {names}.",
        ),
        (
            "ALTER TABLE ... SET LOGGED, ALTER TABLE ... VALIDATE CONSTRAINT, or REINDEX",
            "ALTER TABLE ... SET LOGGED, ALTER TABLE ... VALIDATE CONSTRAINT, ou REINDEX",
        ),
    ),
    "verified": ok(
        "{movements} movements since the last verify.",
        "{movements} mouvements depuis le dernier contrôle.",
    ),
    "verified-long-ago": warning(
        (
            "{movements} movements are not verified, the oldest for {days} days.",
            "{movements} mouvements ne sont pas contrôlés, le plus ancien depuis {days} jours.",
        ),
        ("Run `comptoir verify` every day.", "Lancez `comptoir verify` chaque jour."),
    ),
}
