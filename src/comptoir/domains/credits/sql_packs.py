"""Every statement about packs."""

from typing import Final, LiteralString

_PACK: Final[LiteralString] = """pack, version, name, asset_id, credits, amount, currency,
    tax_percent, tax_included, active"""

NEWEST: Final[LiteralString] = f"""
SELECT DISTINCT ON (pack) {_PACK} FROM comptoir.packs WHERE book_id = %s
ORDER BY pack, version DESC LIMIT 1000"""

FIND: Final[LiteralString] = f"""
SELECT {_PACK} FROM comptoir.packs WHERE book_id = %s AND pack = %s
ORDER BY version DESC LIMIT 1"""

ADD: Final = """
INSERT INTO comptoir.packs (book_id, pack, version, name, asset_id, credits, amount, currency,
    tax_percent, tax_included, active)
SELECT %(book)s, %(pack)s, coalesce(max(version), 0) + 1, %(name)s, %(asset)s, %(credits)s,
    %(amount)s, %(currency)s, %(tax_percent)s, %(tax_included)s, %(active)s
FROM comptoir.packs WHERE book_id = %(book)s AND pack = %(pack)s
ON CONFLICT DO NOTHING"""
