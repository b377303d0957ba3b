"""Every limit that a caller can meet, in one table that HTTP, Python and the CLI share.

The figures come from the API contract. A limit that is not here does not exist.
"""

from typing import Final

SECOND: Final = 1_000_000
"""One second in the ledger's unit of time, the microsecond."""

DAY: Final = 86_400 * SECOND

AMOUNT_PATTERN: Final = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$"
"""The grammar of credits and tokens on the wire: ASCII, twelve digits, at most six decimals."""

AMOUNT_LENGTH: Final = 20
"""No amount or cost is longer; checked first, so that no pattern meets a long text."""

COST_PATTERN: Final = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,9})?$"
"""The grammar of provider costs and unit prices: decimal strings of the major unit."""

NO_CONTROL: Final = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd-\uffff]+$"
"""Text without control characters, and without the sign that stands for a garbled character."""

PRINTABLE: Final = (
    r"^[^\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]+$"
)
"""Names that look the same are the same: no control, invisible or direction characters."""

EMAIL_LENGTH: Final = 254
EMAIL_PATTERN: Final = r"^[!-?A-~]{1,64}@[0-9A-Za-z.-]{1,189}$"
LOCALE_PATTERN: Final = r"^[a-z]{2,3}(-[A-Z]{2})?$"
ASSET_PATTERN: Final = r"^[a-z][a-z0-9_-]{0,49}$"

COST_SCALE: Final = 9
SCALE_MAX: Final = 6
QUANTITY_MAX: Final = 10**12 - 1
"""The largest whole number that the amount grammar can spell."""

BALANCE_MAX: Final = 4 * 10**18
"""The largest balance: twice this still fits a signed 64-bit integer."""

CUSTOMER_LENGTH: Final = 128
NAME_LENGTH: Final = 200
REASON_LENGTH: Final = 500
REFERENCE_LENGTH: Final = 200
ACTION_LENGTH: Final = 100
MODEL_LENGTH: Final = 100
KEY_LENGTH: Final = 255
"""Characters of an idempotency key; Stripe's limit, which its users already respect."""

METADATA_ENTRIES: Final = 20
METADATA_KEY_LENGTH: Final = 40
METADATA_VALUE_LENGTH: Final = 500

TTL_SECONDS_MAX: Final = 86_400
PRIORITY_MAX: Final = 100
BATCH_REQUESTS: Final = 5_000
BODY_BYTES: Final = 10 * 1024 * 1024
LIST_DEFAULT: Final = 20
LIST_MAX: Final = 100
CURSOR_LENGTH: Final = 1_000
CUSTOMER_TOKEN_SECONDS_MAX: Final = 86_400

OVERLAP_SECONDS: Final = 86_400
"""How long a key still works after another has taken its place, unless told otherwise."""

OVERLAP_SECONDS_MAX: Final = 30 * 86_400

OPEN_LOTS: Final = 1_000
"""Open lots of one account; equal ones are merged before they count."""

REFUSAL_DAYS: Final = 30
"""How long a refused key stays refused."""

IN_FLIGHT_SECONDS: Final = 2.0
"""How long the repeat of a running request waits for the first before it is told so."""

IMPORT_LINES: Final = 2_000_000
"""Lines of one imported file; what is remembered of each customer must fit into memory."""

IMPORT_LINE_BYTES: Final = 1024 * 1024
IMPORT_COLUMNS: Final = 200
IMPORT_FAULTS: Final = 10_000
"""Faults that an import lists; all of them are counted."""
