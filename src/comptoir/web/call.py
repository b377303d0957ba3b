"""One HTTP request on its way through: who, in what language, with what key and body."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, unquote_to_bytes

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from comptoir.app import App
from comptoir.kit.actor import Actor
from comptoir.kit.errors import ComptoirError, Invalid
from comptoir.kit.limits import BODY_BYTES, KEY_LENGTH
from comptoir.web.auth import Doorman
from comptoir.web.complaints import Unfit
from comptoir.web.languages import negotiate

B = TypeVar("B", bound=BaseModel)
Scope = Mapping[str, Any]

_KEY_HEADER: Final = "Idempotency-Key"
_QUERY_FIELDS: Final = 50
_JSON_KINDS: Final = (b"application/json", b"application/merge-patch+json")
_GARBLED: Final = "\ufffd"


class Gone(Exception):
    """The client went away before it had sent its request."""


class Call:
    """One request. Used by one task."""

    __slots__ = ("_receive", "actor", "app", "doorman", "headers", "key", "limits", "path", "scope")

    def __init__(self, scope: Any, receive: Any, app: App, doorman: Doorman) -> None:  # noqa: ANN401  # ASGI
        self.scope = scope
        self._receive = receive
        self.app = app
        self.doorman = doorman
        self.headers: dict[bytes, bytes] = dict(reversed(scope["headers"]))
        self.path: Mapping[str, str] = scope.get("path_params") or {}
        self.actor: Actor
        self.key = ""
        self.limits: Sequence[tuple[bytes, bytes]] = ()

    @property
    def language(self) -> str:
        """The language in which to answer."""
        asked = self.headers.get(b"accept-language")
        default = self.app.settings.locale
        return negotiate(asked.decode("latin-1"), default) if asked else default

    @property
    def now(self) -> int:
        """Microseconds since 1970."""
        return self.app.clock()

    @property
    def instance(self) -> str:
        """What a problem happened to: the address, without its query."""
        raw: bytes = self.scope.get("raw_path") or self.scope["path"].encode()
        return raw.decode("ascii", "replace")

    def idempotency_key(self) -> str:
        """The key that makes a repeat harmless.

        Raises:
            ComptoirError: there is none.
            Unfit: it cannot be a key.
        """
        found = [value for name, value in self.scope["headers"] if name == b"idempotency-key"]
        if not found or not found[0].strip():
            raise Invalid("idempotency-key-missing")
        if len(found) > 1:
            raise Unfit.field(_KEY_HEADER, "repeated")
        try:
            key = found[0].decode()
        except UnicodeDecodeError:
            raise Unfit.field(_KEY_HEADER, "string_pattern_mismatch") from None
        if len(key) > KEY_LENGTH:
            raise Unfit.field(_KEY_HEADER, "string_too_long", max_length=KEY_LENGTH)
        if not key.isprintable() or _GARBLED in key:
            raise Unfit.field(_KEY_HEADER, "string_pattern_mismatch")
        return key

    async def body(self) -> bytes:
        """The body, up to the limit; what comes after that is not read.

        Raises:
            ComptoirError: it is too large.
            Gone: the client went away.
        """
        length = self.headers.get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > BODY_BYTES:
            raise ComptoirError("payload-too-large")
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            whole: bytes = message.get("body", b"")
            if len(whole) > BODY_BYTES:
                raise ComptoirError("payload-too-large")
            return whole
        return await self._rest(message)

    async def _rest(self, message: Mapping[str, Any]) -> bytes:
        parts = bytearray()
        while message["type"] == "http.request":  # bounded by the size of a body
            parts += message.get("body", b"")
            if len(parts) > BODY_BYTES:
                raise ComptoirError("payload-too-large")
            if not message.get("more_body"):
                return bytes(parts)
            message = await self._receive()
        raise Gone

    async def read(self, model: type[B]) -> B:
        """The body as a model; an empty body counts as an empty object.

        Raises:
            ComptoirError: it is too large, not JSON, or said not to be.
            Unfit: a field is wrong.
        """
        raw = await self.body()
        if raw and not _is_json(self.headers.get(b"content-type", b"")):
            raise ComptoirError("unsupported-media-type")
        try:
            content: object = from_json(raw, allow_inf_nan=False) if raw else {}
        except ValueError:
            raise ComptoirError("malformed-json") from None
        try:
            return model.model_validate(content)
        except ValidationError as error:
            raise Unfit.of(error) from None

    def query(self, model: type[B]) -> B:
        """The query as a model: unknown and repeated parameters are refused.

        Raises:
            ComptoirError: it is not UTF-8.
            Unfit: a parameter is wrong.
        """
        given: dict[str, str] = {}
        try:
            raw: str = self.scope["query_string"].decode("ascii")
            pairs = parse_qsl(
                raw, keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS
            )
        except ValueError:
            raise ComptoirError("bad-request") from None
        for name, value in pairs:
            if name in given:
                raise Unfit.field(name, "repeated")
            given[name] = value
        try:
            return model.model_validate(given)
        except ValidationError as error:
            raise Unfit.of(error) from None

    def part(self, name: str) -> str:
        """A part of the path.

        Raises:
            ComptoirError: the path is not UTF-8.
        """
        value = self.path[name]
        if _GARBLED in value and not _is_utf8(self.scope.get("raw_path") or b""):
            raise ComptoirError("bad-request")
        return value


def _is_json(content_type: bytes) -> bool:
    kind, _, parameters = content_type.lower().partition(b";")
    if kind.strip() not in _JSON_KINDS:
        return False
    charset = parameters.partition(b"charset=")[2].strip(b' "')
    return charset in (b"", b"utf-8", b"utf8")


def _is_utf8(raw: bytes) -> bool:
    try:
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return False
    return True
