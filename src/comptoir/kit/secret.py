"""Where the secret comes from that signs cursors and customers' tokens."""

from enum import StrEnum


class SecretIs(StrEnum):
    """Where the secret was that signs cursors and customers' tokens."""

    INCLUDED = "included"
    ENVIRONMENT = "environment"
    NONE = "none"
