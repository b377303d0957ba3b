"""Settings: the environment and `.env` files, read once, by the composition root."""

import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote, urlsplit

from dotenv import dotenv_values
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from comptoir.kit.errors import ComptoirError
from comptoir.kit.limits import COST_PATTERN

_ENV: Final = "COMPTOIR_ENV"
_OTEL: Final = "OTEL_"
_RATE_PATTERN: Final = r"^(off|[1-9][0-9]{0,8}/[1-9][0-9]{0,6})$"
"""So many requests in so many seconds."""

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class Environment(StrEnum):
    """Where this runs; a database remembers it."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Everything that the environment may say. Unset values mean what API.md says of them."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    database_url: SecretStr | None = Field(default=None, alias="DATABASE_URL")
    database_direct_url: SecretStr | None = Field(default=None, alias="DATABASE_DIRECT_URL")
    home: Path | None = Field(default=None, alias="COMPTOIR_HOME")
    env: Environment | None = Field(default=None, alias="COMPTOIR_ENV")
    secret: SecretStr | None = Field(default=None, alias="COMPTOIR_SECRET")
    admin_api_token: SecretStr | None = Field(default=None, alias="ADMIN_API_TOKEN")
    metrics_token: SecretStr | None = Field(default=None, alias="METRICS_TOKEN")
    stripe_secret_key: SecretStr | None = Field(default=None, alias="STRIPE_SECRET_KEY")
    stripe_webhook_secret: SecretStr | None = Field(default=None, alias="STRIPE_WEBHOOK_SECRET")
    stripe_api_base: str | None = Field(default=None, alias="STRIPE_API_BASE")
    sandbox: str = Field(default="auto", alias="COMPTOIR_SANDBOX", pattern="^(auto|off)$")
    stripe_automatic_tax: bool = Field(default=False, alias="STRIPE_AUTOMATIC_TAX")
    price_credits_100: str | None = Field(default=None, alias="STRIPE_PRICE_CREDITS_100")
    price_credits_500: str | None = Field(default=None, alias="STRIPE_PRICE_CREDITS_500")
    price_credits_1000: str | None = Field(default=None, alias="STRIPE_PRICE_CREDITS_1000")
    price_pro_monthly: str | None = Field(default=None, alias="STRIPE_PRO_MONTHLY_PRICE_ID")
    price_pro_yearly: str | None = Field(default=None, alias="STRIPE_PRO_YEARLY_PRICE_ID")
    price_enterprise_monthly: str | None = Field(
        default=None, alias="STRIPE_ENTERPRISE_MONTHLY_PRICE_ID"
    )
    price_enterprise_yearly: str | None = Field(
        default=None, alias="STRIPE_ENTERPRISE_YEARLY_PRICE_ID"
    )
    refund_spent: str = Field(default="debt", alias="REFUND_SPENT", pattern="^(debt|waive)$")
    token_unit_price: str = Field(default="0", alias="TOKEN_UNIT_PRICE", pattern=COST_PATTERN)
    token_billing: str = Field(
        default="none", alias="TOKEN_BILLING", pattern="^(none|stripe_invoice)$"
    )
    stock_reservation_minutes: int = Field(
        default=30, alias="STOCK_RESERVATION_MINUTES", ge=1, le=7 * 24 * 60
    )
    guest_checkout: str = Field(default="on", alias="COMPTOIR_GUEST_CHECKOUT", pattern="^(on|off)$")
    currency: str = Field(default="eur", alias="COMPTOIR_CURRENCY", pattern="^[a-z]{3}$")
    locale: str = Field(default="en", alias="COMPTOIR_LOCALE", pattern="^(en|fr)$")
    public_url: str | None = Field(default=None, alias="COMPTOIR_PUBLIC_URL")
    cors_origins: str = Field(default="", alias="CORS_ORIGINS")
    trusted_proxies: str = Field(default="", alias="TRUSTED_PROXIES")
    log_format: str = Field(default="json", alias="COMPTOIR_LOG", pattern="^(json|console)$")
    sentry_dsn: SecretStr | None = Field(default=None, alias="SENTRY_DSN")
    redis_url: SecretStr | None = Field(default=None, alias="REDIS_URL")
    upstash_url: str | None = Field(default=None, alias="UPSTASH_REDIS_REST_URL")
    upstash_token: SecretStr | None = Field(default=None, alias="UPSTASH_REDIS_REST_TOKEN")
    rate_limit_client: str = Field(
        default="10/10", alias="RATE_LIMIT_CLIENT", pattern=_RATE_PATTERN
    )
    rate_limit_keys: str = Field(default="off", alias="RATE_LIMIT_SERVICE", pattern=_RATE_PATTERN)
    email_server: SecretStr | None = Field(default=None, alias="EMAIL_SERVER")
    email_from: str | None = Field(default=None, alias="EMAIL_FROM")
    operator_email: str | None = Field(default=None, alias="OPERATOR_EMAIL")
    # OpenTelemetry's own, which `serve` judges: a program that uses the library may have its own
    # SDK, and may tell it what we could not do.
    otel_sdk_disabled: str = Field(default="", alias="OTEL_SDK_DISABLED")
    otel_name: str = Field(default="comptoir", alias="OTEL_SERVICE_NAME")
    otel_traces_exporter: str | None = Field(default=None, alias="OTEL_TRACES_EXPORTER")
    otel_endpoint: str | None = Field(default=None, alias="OTEL_EXPORTER_OTLP_ENDPOINT")
    otel_traces_endpoint: str | None = Field(
        default=None, alias="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
    )
    otel_protocol: str | None = Field(default=None, alias="OTEL_EXPORTER_OTLP_PROTOCOL")
    otel_traces_protocol: str | None = Field(
        default=None, alias="OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
    )

    @classmethod
    def read(cls, folder: Path | None = None) -> Self:
        """Read the environment and the `.env` files of `folder`, the working folder by default.

        Real variables win over files; of the files `.env.{env}.local`, then `.env.local`, then
        `.env`: the first that has a variable wins. Which environment it is may be said in the
        last two as well. What has no value counts as unset, everywhere.

        Raises:
            ComptoirError: a file cannot be read.
            pydantic.ValidationError: a variable has a value that cannot be.
        """
        return cls(_env_file=_files(folder or Path.cwd()))  # pyright: ignore[reportCallIssue]  # pydantic-settings' own

    @classmethod
    def throw_away(cls, home: Path, locale: str) -> Self:
        """Settings of a home that lives as long as a demo: nothing is read from anywhere."""
        return cls.model_construct(home=home, env=Environment.DEVELOPMENT, locale=locale)

    @property
    def home_folder(self) -> Path:
        """Where the embedded database and made secrets live."""
        return (self.home or Path(".comptoir")).absolute()

    def environment_on(self, host: str) -> Environment | None:
        """The environment that is said, or development on a loopback host; else None."""
        if self.env is not None:
            return self.env
        return Environment.DEVELOPMENT if is_loopback(host) else None

    @property
    def redis_address(self) -> str | None:
        """Where Redis is, if there is one. Upstash answers Redis' own protocol beside its REST.

        Raises:
            ComptoirError: half of what Upstash needs is missing, or its address is none.
        """
        if self.redis_url is not None:
            return self.redis_url.get_secret_value()
        if self.upstash_url is None and self.upstash_token is None:
            return None
        host = urlsplit(self.upstash_url or "").hostname
        if self.upstash_token is None or host is None:
            raise ComptoirError("upstash-incomplete")
        token = quote(self.upstash_token.get_secret_value(), safe="")
        return f"rediss://default:{token}@{host}:6379"

    @property
    def is_for_others(self) -> bool:
        """Whether it was said that this is more than somebody's own machine."""
        return self.env in {Environment.STAGING, Environment.PRODUCTION}

    @property
    def webhook_secrets(self) -> list[str]:
        """The secrets with which events may be signed: several while one takes another's place."""
        said = self.stripe_webhook_secret
        found = "" if said is None else said.get_secret_value()
        return [each.strip() for each in found.split(",") if each.strip()]

    @property
    def provider_prices(self) -> dict[str, str]:
        """What is sold, by the provider's price ids that the environment names."""
        said = {
            "pack:100": self.price_credits_100,
            "pack:500": self.price_credits_500,
            "pack:1000": self.price_credits_1000,
            "plan:pro:month": self.price_pro_monthly,
            "plan:pro:year": self.price_pro_yearly,
            "plan:enterprise:month": self.price_enterprise_monthly,
            "plan:enterprise:year": self.price_enterprise_yearly,
        }
        return {price: item for item, price in said.items() if price is not None}

    @property
    def may_write_letters_to_files(self) -> bool:
        """Whether nobody waits for an e-mail of this process: it is somebody who develops."""
        if self.env is None:
            return self.database_url is None
        return self.env is Environment.DEVELOPMENT

    @property
    def wants_spans(self) -> bool:
        """Whether OpenTelemetry's standard variables ask for spans to be sent."""
        if self.otel_sdk_disabled.strip().lower() == "true":
            return False
        if self.otel_traces_exporter is not None:
            return self.otel_traces_exporter != "none"
        return bool(self.otel_endpoint or self.otel_traces_endpoint)

    @property
    def has_live_stripe_key(self) -> bool:
        """Whether real money could move."""
        key = self.stripe_secret_key
        return key is not None and key.get_secret_value().startswith(("sk_live_", "rk_live_"))


def _files(folder: Path) -> list[Path]:
    """The `.env` files of a folder, the strongest last.

    Raises:
        ComptoirError: one cannot be read.
    """
    files = [folder / ".env", folder / ".env.local"]
    said = [os.environ.get(_ENV), *(_values(file).get(_ENV) for file in reversed(files))]
    env = next(filter(None, said), Environment.DEVELOPMENT.value)
    if env in set(Environment):  # else it is no part of a path, and refused by the settings
        files.append(folder / f".env.{env}.local")
        _values(files[-1])
    return files


def _values(file: Path) -> Mapping[str, str | None]:
    """What a file says; nothing when there is none.

    Raises:
        ComptoirError: it is there and cannot be read.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise ComptoirError("env-file-encoding", file=str(file)) from error
    except OSError as error:
        raise ComptoirError("env-file-unreadable", file=str(file), reason=error.strerror) from error
    return dotenv_values(stream=StringIO(text))


def system_locale() -> str:
    """English or French, as COMPTOIR_LOCALE says, or else the variables of the terminal."""
    names = ("COMPTOIR_LOCALE", "LC_ALL", "LC_MESSAGES", "LANG")
    said = next((os.environ[name] for name in names if os.environ.get(name)), "en")
    return "fr" if said.startswith("fr") else "en"


def without_stripe() -> dict[str, str]:
    """The environment without what is said of Stripe: for what only pretends to be it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_")}


def inherited_sockets() -> range:
    """The numbers of the sockets that this process was started with, as systemd says them.

    The protocol is sd_listen_fds(3): LISTEN_FDS of them, from 3 on, for process LISTEN_PID alone.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return range(0)
    said = os.environ.get("LISTEN_FDS", "")
    return range(3, 3 + int(said)) if said.isascii() and said.isdigit() else range(0)


def inherited(name: str) -> str:
    """What `share_with_children` has shared under a name; nothing by default."""
    return os.environ.get(name, "")


def share_with_children(name: str, value: str) -> None:
    """Let the processes that this one starts from now on find a variable."""
    os.environ[name] = value


def lend_to_sdk(folder: Path | None = None) -> None:
    """Put what the `.env` files say of OTEL_* where OpenTelemetry's SDK looks for it by itself."""
    for file in reversed(_files(folder or Path.cwd())):
        for name, value in _values(file).items():
            if name.startswith(_OTEL) and value and not os.environ.get(name):
                os.environ[name] = value


def surroundings(home: Path, locale: str) -> dict[str, str]:
    """What a process that works on a throw-away home sees: of our own variables only these."""
    ours = {field.alias for field in Settings.model_fields.values()}
    prefixes = ("COMPTOIR_", _OTEL, "REDIS_", "SENTRY_", "STRIPE_", "UPSTASH_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith(prefixes)
    }
    return kept | {
        "COMPTOIR_HOME": str(home),
        "COMPTOIR_ENV": Environment.DEVELOPMENT.value,
        "COMPTOIR_LOCALE": locale,
        "COMPTOIR_SANDBOX": "off",
    }


def has_screen() -> bool:
    """Whether a browser that is opened here is seen by whoever sits at the terminal."""
    if "CI" in os.environ:
        return False
    is_windowed = sys.platform in {"darwin", "win32"}
    return is_windowed or bool({"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys())


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    return host in _LOOPBACK
