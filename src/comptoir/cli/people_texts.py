"""Texts of `comptoir customer`, `comptoir book` and `comptoir key rotate`."""

from typing import Final

from comptoir.web.languages import Texts

PEOPLE: Final[dict[str, Texts]] = {
    "help.customer": ("Customers and what is kept about them.", "Les clients et leurs données."),
    "help.customer.list": (
        "Show customers, in the order of their arrival.",
        "Montrer les clients, par ordre d'arrivée.",
    ),
    "help.customer.show": ("Show a customer.", "Montrer un client."),
    "help.customer.set": (
        "Add a customer, or change what is said.",
        "Ajouter un client, ou modifier ce qui est indiqué.",
    ),
    "help.customer.export": (
        "Write everything that is kept about a customer as one JSON document.",
        "Écrire tout ce qui est conservé d'un client dans un seul document JSON.",
    ),
    "help.customer.erase": (
        "Erase a customer for good: his movements stay, nothing says whose they are.",
        "Effacer un client pour toujours : ses mouvements restent, rien ne dit de qui ils sont.",
    ),
    "help.book": ("Books.", "Les livres."),
    "help.book.reset": (
        "Empty a test book for good: comptoir book reset test --yes",
        "Vider un livre de test pour toujours : comptoir book reset test --yes",
    ),
    "help.key.rotate": (
        "Replace a key by a new one, whose text is shown this once.",
        "Remplacer une clé par une nouvelle, dont le texte n'est montré que cette fois.",
    ),
    "option.yes": ("You mean it.", "Vous le voulez vraiment."),
    "option.name": ("His name.", "Son nom."),
    "option.email": ("His e-mail address.", "Son adresse électronique."),
    "option.time-zone": (
        "His time zone, such as Europe/Paris.",
        "Son fuseau horaire, comme Europe/Paris.",
    ),
    "option.plan": (
        "His plan, which says what he may do in a day.",
        "Son plan, qui dit ce qu'il peut faire en un jour.",
    ),
    "option.locale": ("His language, such as fr or fr-FR.", "Sa langue, comme fr ou fr-FR."),
    "option.metadata": (
        "What you keep about him; may be said several times, and replaces all that was there.",
        "Ce que vous gardez de lui ; peut être répété, et remplace tout ce qui y était.",
    ),
    "option.output": (
        "A file to write, instead of the standard output.",
        "Un fichier à écrire, au lieu de la sortie standard.",
    ),
    "option.overlap": (
        "For how long the old key still works; 0 ends it at once.",
        "Combien de temps l'ancienne clé marche encore ; 0 y met fin aussitôt.",
    ),
    "option.key-expires-at": (
        "When it expires, as 2030-01-01T00:00:00Z.",
        "Quand elle expire, comme 2030-01-01T00:00:00Z.",
    ),
    "option.book-name": ("The test book.", "Le livre de test."),
    "customer.shown": (
        "{customer}: {name} {email} ({locale}, {time_zone}), plan {plan}",
        "{customer} : {name} {email} ({locale}, {time_zone}), plan {plan}",
    ),
    "customer.metadata": ("  {name}: {value}", "  {name} : {value}"),
    "customer.exported": (
        "{customer} is in {file}: {bytes} bytes.",
        "{customer} est dans {file} : {bytes} octets.",
    ),
    "customer.erased": (
        "Erased. {movements} movements stay, {notes} texts are gone.",
        "Effacé. {movements} mouvements restent, {notes} textes ont disparu.",
    ),
    "customer.left": (
        "The anonymous account still holds {balance} {asset}.",
        "Le compte anonyme contient encore {balance} {asset}.",
    ),
    "customer.not-confirmed": (
        (
            "comptoir: {customer} cannot be brought back. Export him first if you may need it "
            "(comptoir customer export), then repeat with --yes."
        ),
        (
            "comptoir: {customer} ne pourra pas être rétabli. Exportez-le d'abord si besoin "
            "(comptoir customer export), puis répétez avec --yes."
        ),
    ),
    "customer.metadata-form": (
        "comptoir: --metadata must be NAME=VALUE, not {given}.",
        "comptoir: --metadata doit être NOM=VALEUR, et non {given}.",
    ),
    "book.reset": (
        (
            "The book {book} is empty: {customers} customers, {accounts} accounts and {movements} "
            "movements are gone."
        ),
        (
            "Le livre {book} est vide : {customers} clients, {accounts} comptes et {movements} "
            "mouvements ont disparu."
        ),
    ),
    "book.not-confirmed": (
        "comptoir: everything in the book {book} will be gone for good. Repeat with --yes.",
        "comptoir: tout le contenu du livre {book} va disparaître. Répétez avec --yes.",
    ),
    "key.rotated": (
        "Keep this key: it is not shown again. The old one ends {at}.",
        "Gardez cette clé : elle ne sera plus montrée. L'ancienne prend fin {at}.",
    ),
    "column.email": ("e-mail", "courriel"),
    "column.time_zone": ("time zone", "fuseau"),
    "column.locale": ("language", "langue"),
    "column.created_at": ("since", "depuis"),
}
