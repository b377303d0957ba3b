"""The texts of the import: a part of the table in texts.py, in a file of its own."""

from typing import Final

from comptoir.web.languages import Texts

IMPORT: Final[dict[str, Texts]] = {
    "help.credits.import": (
        "Import opening balances or a history from a file; a repeat doubles nothing.",
        "Importer des soldes d'ouverture ou un historique ; une répétition ne double rien.",
    ),
    "option.import-format": (
        "How the file is written; read from its name otherwise.",
        "Comment le fichier est écrit ; sinon, d'après son nom.",
    ),
    "option.import-map": (
        (
            "What a column is: customer, amount, kind, id, at, reason, reference or balance. May "
            "be repeated."
        ),
        (
            "Ce qu'est une colonne : customer, amount, kind, id, at, reason, reference ou balance. "
            "Peut être répétée."
        ),
    ),
    "option.import-source": (
        "The system that the file comes from: its lines happen once, whatever the file is called.",
        "Le système d'où vient le fichier ; ses lignes ont lieu une fois, de quelque fichier.",
    ),
    "option.import-asset": (
        "credits, tokens or one of your own; tokens for redis-json.",
        "credits, tokens ou un des vôtres ; tokens pour redis-json.",
    ),
    "option.dry-run": (
        "Check everything against the books and change nothing.",
        "Tout contrôler avec les livres et ne rien changer.",
    ),
    "import.checking": ("checking", "contrôle"),
    "import.importing": ("importing", "import"),
    "import.dry-run": (
        "Dry run into {asset}, book {book}, source {source}: nothing was changed.",
        "À blanc vers {asset}, livre {book}, source {source} : rien n'a été changé.",
    ),
    "import.done": (
        "Imported into {asset}, book {book}, source {source}.",
        "Importé vers {asset}, livre {book}, source {source}.",
    ),
    "import.columns": ("Read: {columns}.", "Lu : {columns}."),
    "import.unread": ("Not read: {columns}.", "Non lu : {columns}."),
    "import.speed": (
        "{lines} lines in {seconds} s: {rate} lines/s.",
        "{lines} lignes en {seconds} s : {rate} lignes/s.",
    ),
    "import.fault": ("line {line}: {detail}", "ligne {line} : {detail}"),
    "import.fault-of": (
        "line {line} ({customer}): {detail}",
        "ligne {line} ({customer}) : {detail}",
    ),
    "import.more": (
        "... and {more} more; --json lists them.",
        "... et {more} autres ; --json les donne.",
    ),
    "import.faults": (
        "Not everything fits. Correct the file and import it again: what is there is not doubled.",
        "Tout ne va pas. Corrigez le fichier et importez-le de nouveau : rien ne sera doublé.",
    ),
    "import.broken-off": (
        "Broken off after {lines} new lines. Run the same command again: nothing is doubled.",
        "Interrompu après {lines} nouvelles lignes. Relancez la commande : rien ne sera doublé.",
    ),
    "import.row.lines": ("lines", "lignes"),
    "import.row.customers": ("customers", "clients"),
    "import.row.new": ("imported", "importées"),
    "import.row.to-import": ("to import", "à importer"),
    "import.row.there": ("there already", "déjà là"),
    "import.row.zero": ("zero, skipped", "à zéro, sautées"),
    "import.row.left-out": (
        "left out with a customer's fault",
        "laissées avec la faute d'un client",
    ),
    "import.row.conflict": ("conflicts", "en conflit"),
    "import.row.refused": ("refused", "refusées"),
    "import.row.invalid": ("invalid", "invalides"),
    "import.row.mismatch": ("customers that do not add up", "clients au total faux"),
    "import.row.granted": ("granted", "donné"),
    "import.row.spent": ("spent", "dépensé"),
    "import.row.change": ("change of balances", "variation des soldes"),
    "column.import-what": ("what", "quoi"),
    "column.import-count": ("how many", "combien"),
}
