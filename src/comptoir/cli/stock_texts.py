"""The texts of stock and orders: a part of the table in texts.py, in a file of its own."""

from typing import Final

from comptoir.web.languages import Texts

STOCK: Final[dict[str, Texts]] = {
    "help.stock": (
        "Stock in sizes, its movements, and orders.",
        "Le stock par tailles, ses mouvements et les commandes.",
    ),
    "help.stock.list": (
        "Show what there is of every size: in stock, reserved, available.",
        "Montrer ce qu'il y a de chaque taille : en stock, réservé, disponible.",
    ),
    "help.stock.put": (
        "Sell a product on these terms; sizes that are not named are sold no more.",
        "Vendre un produit ainsi ; les tailles non nommées ne se vendent plus.",
    ),
    "help.stock.move": (
        "Note what was delivered, what came back, or a miscount (below zero to take away).",
        "Noter une livraison, un retour ou un écart de comptage (négatif pour retirer).",
    ),
    "help.stock.movements": (
        "Show movements, the newest first.",
        "Montrer les mouvements, les plus récents d'abord.",
    ),
    "help.stock.orders": (
        "Show orders, the newest first.",
        "Montrer les commandes, les plus récentes d'abord.",
    ),
    "help.stock.expire": (
        "Close orders and reservations whose time is over; a worker does it every minute.",
        "Clore commandes et réservations échues ; un worker le fait chaque minute.",
    ),
    "help.stock.import": (
        (
            "Import a CSV file with product, size and stock, the count: stock becomes that. With "
            "delivered in its place, that many are added, once for what the file says."
        ),
        (
            "Importer un CSV avec product, size et stock, le comptage : le stock devient cela. "
            "Avec delivered à sa place, cela s'ajoute, une fois pour ce que dit le fichier."
        ),
    ),
    "help.stock.export": (
        "Write all sizes as CSV, to a file or the standard output; it can be imported again.",
        "Écrire toutes les tailles en CSV, vers un fichier ou la sortie ; réimportable.",
    ),
    "option.product-name": ("As people read it.", "Comme on le lit."),
    "option.product-price": (
        "Of one, in the smallest unit: 2500 of eur is 25 EUR.",
        "D'une pièce, dans la plus petite unité : 2500 en eur font 25 EUR.",
    ),
    "option.product-currency": ("Such as eur.", "Par exemple eur."),
    "option.product-size": (
        "A size, and at how many available ones it is low. May be repeated.",
        "Une taille, et à combien de disponibles elle est basse. Peut être répétée.",
    ),
    "option.on-refund": (
        "What becomes of goods that are refunded before they were sent.",
        "Ce que deviennent les articles remboursés avant leur envoi.",
    ),
    "option.stock-type": ("What it is.", "Ce que c'est."),
    "option.of-product": ("Of this product alone.", "De ce produit seulement."),
    "option.of-size": ("Of this size alone.", "De cette taille seulement."),
    "option.of-customer": ("Of this customer alone.", "De ce client seulement."),
    "option.order-status": (
        "Only these: reserved, paid, fulfilled, expired, cancelled, refunded or disputed.",
        "Seulement : reserved, paid, fulfilled, expired, cancelled, refunded ou disputed.",
    ),
    "option.refused": (
        "Write refused lines there, with the reason, as CSV.",
        "Y écrire les lignes refusées, avec la raison, en CSV.",
    ),
    "option.delivery-key": (
        "Names a delivery: the same file comes once more under another key. Counts need none.",
        "Nomme une livraison : sous une autre clé, le même fichier s'ajoute encore.",
    ),
    "column.product": ("product", "produit"),
    "column.size": ("size", "taille"),
    "column.stock": ("stock", "stock"),
    "column.reserved": ("reserved", "réservé"),
    "column.available": ("available", "disponible"),
    "column.low": ("level", "niveau"),
    "column.quantity": ("quantity", "quantité"),
    "column.before": ("before", "avant"),
    "column.after": ("after", "après"),
    "column.order-number": ("number", "numéro"),
    "column.order-status": ("status", "état"),
    "column.goods": ("goods", "articles"),
    "kind.stock-sale": ("sale", "vente"),
    "kind.stock-restock": ("delivery", "réception"),
    "kind.stock-return": ("return", "retour"),
    "kind.stock-adjustment": ("adjustment", "ajustement"),
    "state.order-reserved": ("reserved", "réservée"),
    "state.order-paid": ("paid", "payée"),
    "state.order-fulfilled": ("sent", "expédiée"),
    "state.order-expired": ("expired", "expirée"),
    "state.order-cancelled": ("cancelled", "annulée"),
    "state.order-refunded": ("refunded", "remboursée"),
    "state.order-disputed": ("disputed", "contestée"),
    "stock.is-low": ("low", "bas"),
    "stock.was-put": (
        "{product} ({name}) is sold for {price}, in {sizes}.",
        "{product} ({name}) se vend {price}, en {sizes}.",
    ),
    "stock.moved": (
        "{product} {size}: {quantity}, from {before} to {after}.",
        "{product} {size} : {quantity}, de {before} à {after}.",
    ),
    "stock.expired": (
        "{examined} examined: {released} released, {captured} paid meanwhile, {kept} kept.",
        "{examined} examinées : {released} libérées, {captured} payées depuis, {kept} gardées.",
    ),
    "stock.exported": ("{lines} lines written to {path}.", "{lines} lignes écrites dans {path}."),
    "stock.counted": (
        "Counted by {file}, book {book}.",
        "Compté d'après {file}, livre {book}.",
    ),
    "stock.would-count": (
        "Dry run of the count {file}, book {book}: nothing was changed.",
        "Comptage {file} à blanc, livre {book} : rien n'a été changé.",
    ),
    "stock.delivered": (
        "Delivered by {file}, book {book}.",
        "Livré d'après {file}, livre {book}.",
    ),
    "stock.would-deliver": (
        "Dry run of the delivery {file}, book {book}: nothing was changed.",
        "Livraison {file} à blanc, livre {book} : rien n'a été changé.",
    ),
    "stock.change": ("{size}: {before} -> {after}", "{size} : {before} -> {after}"),
    "stock.below-reserved": (
        "{product} {size}: {counted} counted, but {reserved} are reserved",
        "{product} {size} : {counted} comptés, mais {reserved} sont réservés",
    ),
    "stock.refused-lines": (
        "Refused lines changed nothing. Correct them and import again: the rest stays as it is.",
        "Les lignes refusées n'ont rien changé. Corrigez et réimportez : le reste ne bouge pas.",
    ),
    "stock.refused-file": (
        "Lines are refused. A delivery with a fault is left out as a whole: correct the file.",
        "Des lignes sont refusées. Une livraison fautive est laissée de côté en entier : corrigez.",
    ),
    "stock.row.lines": ("lines", "lignes"),
    "stock.row.new-products": ("new products", "nouveaux produits"),
    "stock.row.changed-products": ("changed products", "produits modifiés"),
    "stock.row.new-sizes": ("new sizes", "nouvelles tailles"),
    "stock.row.moved": ("stock moved", "stock modifié"),
    "stock.row.same": ("as it was", "inchangées"),
    "stock.row.added": ("pieces added", "pièces ajoutées"),
    "stock.row.taken": ("pieces taken away", "pièces retirées"),
    "stock.row.left-out": ("left out", "laissées de côté"),
    "stock.row.refused": ("refused", "refusées"),
}
