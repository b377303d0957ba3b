"""What of other people's words no page shows: whatever is, or looks like, a secret."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

VEIL: Final = "•••"

_NAMED: Final = re.compile(
    r"secret|passw|(^|[-_.])(token|cookie|dsn)$|authorization|api[-_]?key|private[-_]?key|credential",
    re.IGNORECASE,
)
_LOOKS: Final = re.compile(
    r"\b(?:sk|rk|ck)_(?:live|test)_[\w-]+|\bwhsec_[\w+/=-]+|\bct_\d+\.\d+\.\d+\.[\w-]+"
    r"|(?<=Bearer )\S+|/login/[\w-]+"
)
_USER: Final = re.compile(r"(?<=://)\S*@")
_QUERY: Final = re.compile(r"(?<=\?)[^\s,]+")


def address(text: str) -> str:
    """An address, or several, without names, passwords and whatever their queries carry."""
    return _QUERY.sub(VEIL, _USER.sub(f"{VEIL}@", plain(text)))


def plain(text: str) -> str:
    """A text without what looks like one of the secrets that are known by their form."""
    return _USER.sub(f"{VEIL}@", _LOOKS.sub(VEIL, text))


def veiled(value: Any) -> Any:  # noqa: ANN401  # JSON
    """JSON without values that are called, or look like, secrets."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        said: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON
        return {
            name: VEIL if isinstance(each, str) and _NAMED.search(str(name)) else veiled(each)
            for name, each in said.items()
        }
    if isinstance(value, Sequence):
        many: Sequence[Any] = value  # pyright: ignore[reportUnknownVariableType]  # JSON
        return [veiled(each) for each in many]
    return value
