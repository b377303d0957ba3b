"""Why a file, or a line of it, is not imported: a part of the catalogue, in a file of its own."""

from typing import Final

from comptoir.web.languages import Texts

_FILE: Final[Texts] = ("File not readable", "Fichier illisible")
_LINE: Final[Texts] = ("Line not importable", "Ligne non importable")
_BOOKS: Final[Texts] = ("Line refused by the books", "Ligne refusée par les livres")

FILES: Final[dict[str, tuple[Texts, Texts]]] = {
    "import-not-a-file": (
        _FILE,
        (
            (
                "{path} is not a regular file that can be read ({reason}). It is read twice, so it "
                "cannot be a pipe or a folder."
            ),
            (
                "{path} n'est pas un fichier ordinaire lisible ({reason}). Il est lu deux fois : "
                "ce ne peut être ni un tube ni un dossier."
            ),
        ),
    ),
    "import-form-unsaid": (
        _FILE,
        (
            (
                "The name {path} does not say how the file is written. Add --format csv, jsonl or "
                "redis-json."
            ),
            (
                "Le nom {path} ne dit pas comment le fichier est écrit. Ajoutez --format csv, "
                "jsonl ou redis-json."
            ),
        ),
    ),
    "import-source": (
        _FILE,
        (
            (
                "--source must be a short name of small letters, digits, dots, hyphens and "
                "underscores, such as old-app."
            ),
            (
                "--source doit être un nom court en minuscules, chiffres, points, tirets et tirets "
                "bas, comme ancienne-app."
            ),
        ),
    ),
    "import-map": (
        _FILE,
        (
            "--map {value} must have the form COLUMN=FIELD, such as --map id=customer.",
            "--map {value} doit avoir la forme COLONNE=CHAMP, comme --map id=customer.",
        ),
    ),
    "import-stock": (
        _FILE,
        (
            "Stock is counted in by stock movements, not by an import of balances.",
            "Le stock entre par des mouvements de stock, pas par un import de soldes.",
        ),
    ),
    "import-empty": (
        _FILE,
        ("The file has no lines to import.", "Le fichier n'a aucune ligne à importer."),
    ),
    "import-nothing-readable": (
        _FILE,
        (
            "No line of the file can be read, from line {line} on. Is --format right?",
            (
                "Aucune ligne du fichier n'est lisible, à partir de la ligne {line}. Le --format "
                "est-il le bon ?"
            ),
        ),
    ),
    "import-too-many-lines": (
        _FILE,
        (
            "The file has more than {most} lines. Split it: the parts may come in turn.",
            (
                "Le fichier a plus de {most} lignes. Coupez-le : les parties peuvent venir l'une "
                "après l'autre."
            ),
        ),
    ),
    "import-line-too-long": (
        _FILE,
        (
            "Line {line} is longer than {most} bytes. Nothing was imported.",
            "La ligne {line} dépasse {most} octets. Rien n'a été importé.",
        ),
    ),
    "import-encoding": (
        _FILE,
        (
            "Line {line} is not UTF-8. Save the file as UTF-8; nothing was imported.",
            (
                "La ligne {line} n'est pas en UTF-8. Enregistrez le fichier en UTF-8 ; rien n'a "
                "été importé."
            ),
        ),
    ),
    "import-nul": (
        _FILE,
        (
            "Line {line} contains a NUL character. Nothing was imported.",
            "La ligne {line} contient un caractère NUL. Rien n'a été importé.",
        ),
    ),
    "import-quotes": (
        _FILE,
        (
            (
                "The quotes of the record that begins on line {line} do not fit, or one of its "
                "fields is too long. Nothing was imported."
            ),
            (
                "Les guillemets de l'enregistrement qui commence à la ligne {line} sont mal "
                "fermés, ou un de ses champs est trop long. Rien n'a été importé."
            ),
        ),
    ),
    "import-column-twice": (
        _FILE,
        (
            "The column {column} stands in the heading twice.",
            "La colonne {column} figure deux fois dans l'en-tête.",
        ),
    ),
    "import-too-many-columns": (
        _FILE,
        (
            "A line may have at most {most} columns.",
            "Une ligne peut avoir au plus {most} colonnes.",
        ),
    ),
    "import-column": (
        _FILE,
        (
            "There is no column {column}; there are: {columns}.",
            "La colonne {column} n'existe pas ; il y a : {columns}.",
        ),
    ),
    "import-no-column": (
        _FILE,
        (
            (
                "No column is known to be the {field}; there are: {columns}. Say it with --map "
                "COLUMN={field}."
            ),
            (
                "Aucune colonne n'est reconnue comme {field} ; il y a : {columns}. Dites-la avec "
                "--map COLONNE={field}."
            ),
        ),
    ),
    "import-no-field": (
        _FILE,
        (
            "{field} is not a field; there are: {fields}.",
            "{field} n'est pas un champ ; il y a : {fields}.",
        ),
    ),
    "import-ambiguous": (
        _FILE,
        (
            "Several columns could be the {field}: {columns}. Choose: --map COLUMN={field}.",
            (
                "Plusieurs colonnes pourraient être {field} : {columns}. Choisissez avec --map "
                "COLONNE={field}."
            ),
        ),
    ),
    "count-file-too-large": (
        _FILE,
        (
            "The file is larger than {most} MB. Divide it.",
            "Le fichier dépasse {most} Mo. Divisez-le.",
        ),
    ),
    "count-column-missing": (
        _FILE,
        (
            "These columns are missing: {columns}. A count has product, size and stock.",
            "Ces colonnes manquent : {columns}. Un inventaire a product, size et stock.",
        ),
    ),
    "count-or-delivery": (
        _FILE,
        (
            "The file has both stock and delivered. Keep one: what there is, or what has come.",
            (
                "Le fichier a stock et delivered à la fois. Gardez-en une : ce qu'il y a, ou ce "
                "qui est arrivé."
            ),
        ),
    ),
    "import-file-changed": (
        _FILE,
        (
            "The file has changed since it was checked. Run the import again.",
            "Le fichier a changé depuis son contrôle. Relancez l'import.",
        ),
    ),
}

LINES: Final[dict[str, tuple[Texts, Texts]]] = {
    "import-cells": (
        _LINE,
        (
            "it has {found} cells, the heading has {wanted}",
            "elle a {found} cellules, l'en-tête en a {wanted}",
        ),
    ),
    "import-json": (
        _LINE,
        (
            "it is not one JSON object, or a name stands in it twice",
            "ce n'est pas un objet JSON, ou un nom y figure deux fois",
        ),
    ),
    "import-redis": (
        _LINE,
        (
            'it does not have the form {{"key": "user:ID", "value": {{...}}}}',
            'elle n\'a pas la forme {{"key": "user:ID", "value": {{...}}}}',
        ),
    ),
    "count-product": (
        _LINE,
        (
            "{value} is no product: use letters, digits, dots, hyphens; 64 at most",
            "{value} n'est pas un produit : lettres, chiffres, points, tirets ; 64 au plus",
        ),
    ),
    "count-size": (
        _LINE,
        (
            "{value} is no size: use 40 printable characters at most, without a colon",
            "{value} n'est pas une taille : 40 caractères imprimables au plus, sans deux-points",
        ),
    ),
    "count-number": (
        _LINE,
        (
            "{column} is {value}; it must be a whole number from {least} to {most}",
            "{column} vaut {value} ; il faut un nombre entier de {least} à {most}",
        ),
    ),
    "count-formula": (
        _LINE,
        (
            "{column} looks like a formula ({value}); put ' before it if it is meant so",
            "{column} ressemble à une formule ({value}) ; faites-la précéder de ' si c'est voulu",
        ),
    ),
    "count-currency": (
        _LINE,
        (
            "{value} is no currency; write eur, for example",
            "{value} n'est pas une devise ; écrivez par exemple eur",
        ),
    ),
    "count-on-refund": (
        _LINE,
        (
            "{value} is not known; on_refund is restock or keep",
            "{value} est inconnu ; on_refund est restock ou keep",
        ),
    ),
    "count-twice": (
        _LINE,
        (
            "{product} {size} stands there more than once, also in line {others}",
            "{product} {size} figure plusieurs fois, aussi à la ligne {others}",
        ),
    ),
    "count-terms-differ": (
        _LINE,
        (
            (
                "{product} has more than one {column}: {first} in line {first_line}, {second} in "
                "line {second_line}"
            ),
            (
                "{product} a plusieurs {column} : {first} à la ligne {first_line}, {second} à la "
                "ligne {second_line}"
            ),
        ),
    ),
    "count-new-product": (
        _LINE,
        (
            "{product} is not sold yet, and the file does not say: {columns}",
            "{product} n'est pas encore en vente, et le fichier ne dit pas : {columns}",
        ),
    ),
    "count-too-many-sizes": (
        _LINE,
        (
            "{product} has more than {most} sizes in this file",
            "{product} a plus de {most} tailles dans ce fichier",
        ),
    ),
    "import-cell-empty": (_LINE, ("{column} is empty", "{column} est vide")),
    "import-not-text": (
        _LINE,
        (
            "{column} is neither a text nor a number",
            "{column} n'est ni un texte ni un nombre",
        ),
    ),
    "import-too-long": (
        _LINE,
        (
            "{column} has more than {most} characters",
            "{column} a plus de {most} caractères",
        ),
    ),
    "import-not-printable": (
        _LINE,
        (
            "{column} has characters that cannot be printed",
            "{column} a des caractères non imprimables",
        ),
    ),
    "import-amount": (
        _LINE,
        (
            (
                "{value} is no amount: write an exact decimal such as 12 or 0.25, with at most 12 "
                "digits before and 6 after the point"
            ),
            (
                "{value} n'est pas un montant : écrivez un décimal exact comme 12 ou 0.25, avec au "
                "plus 12 chiffres avant et 6 après le point"
            ),
        ),
    ),
    "import-negative": (
        _LINE,
        (
            (
                "{value} is below zero. A debt is not imported: settle it there, or write 0; a "
                "history has amounts without a sign, and the kind spend"
            ),
            (
                "{value} est négatif. Une dette ne s'importe pas : réglez-la là-bas ou écrivez 0 ; "
                "un historique a des montants sans signe, et la sorte spend"
            ),
        ),
    ),
    "import-time": (
        _LINE,
        (
            "{value} is no time such as 2026-01-31T09:00:00Z",
            "{value} n'est pas une date comme 2026-01-31T09:00:00Z",
        ),
    ),
    "import-kind": (
        _LINE,
        (
            "{value} is no kind: write opening, grant or spend",
            "{value} n'est pas une sorte : écrivez opening, grant ou spend",
        ),
    ),
    "import-kind-late": (
        _LINE,
        (
            "it has a kind, and the first line has none: a history has one in every line",
            "elle a un kind, et la première ligne n'en a pas : un historique en a un partout",
        ),
    ),
    "import-customer-twice": (
        _LINE,
        (
            "the customer already has an opening balance on line {first}",
            "le client a déjà un solde d'ouverture à la ligne {first}",
        ),
    ),
    "import-id-twice": (
        _LINE,
        ("the id {id} stands in the file twice", "l'id {id} figure deux fois dans le fichier"),
    ),
    "import-mismatch": (
        _LINE,
        (
            (
                "the lines of the customer come to {total}, the file says {final}: nothing new of "
                "them is imported"
            ),
            (
                "les lignes du client font {total}, le fichier dit {final} : rien de nouveau n'en "
                "est importé"
            ),
        ),
    ),
    "import-conflict": (
        _BOOKS,
        (
            (
                "it was imported before and differs in {field} now: correct the file, or the "
                "balance by a grant or spend of its own"
            ),
            (
                "elle a déjà été importée et diffère maintenant par {field} : corrigez le fichier, "
                "ou le solde par un octroi ou une dépense à part"
            ),
        ),
    ),
    "import-insufficient": (
        _BOOKS,
        (
            (
                "it spends {needed}, and there are {available} by then: lines must be in the order "
                "in which they happened"
            ),
            (
                "elle dépense {needed}, et il y a {available} à ce moment : les lignes doivent "
                "suivre l'ordre des faits"
            ),
        ),
    ),
    "import-refused": (
        _BOOKS,
        (
            "an earlier import of it was refused, which counts for {days} days: enter it by hand",
            "un import précédent en a été refusé, ce qui compte {days} jours : saisissez-la à part",
        ),
    ),
}
