"""Settings: the environment and `.env` files, read once, by the composition root."""

import os
from collections.abc import Mapping
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Final, Self

from dotenv import dotenv_values
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from comptoir.kit.errors import ComptoirError

_ENV: Final = "COMPTOIR_ENV"
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
    locale: str = Field(default="en", alias="COMPTOIR_LOCALE", pattern="^(en|fr)$")
    public_url: str | None = Field(default=None, alias="COMPTOIR_PUBLIC_URL")
    cors_origins: str = Field(default="", alias="CORS_ORIGINS")
    trusted_proxies: str = Field(default="", alias="TRUSTED_PROXIES")
    log_format: str = Field(default="json", alias="COMPTOIR_LOG", pattern="^(json|console)$")

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
        folder = folder or Path.cwd()
        files = [folder / ".env", folder / ".env.local"]
        said = [os.environ.get(_ENV), *(_values(file).get(_ENV) for file in reversed(files))]
        env = next(filter(None, said), Environment.DEVELOPMENT.value)
        if env in set(Environment):  # else it is no part of a path, and refused below
            files.append(folder / f".env.{env}.local")
            _values(files[-1])
        return cls(_env_file=files)  # pyright: ignore[reportCallIssue]  # pydantic-settings' own

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
    def has_live_stripe_key(self) -> bool:
        """Whether real money could move."""
        key = self.stripe_secret_key
        return key is not None and key.get_secret_value().startswith(("sk_live_", "rk_live_"))


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


def inherited_sockets() -> range:
    """The numbers of the sockets that this process was started with, as systemd says them.

    The protocol is sd_listen_fds(3): LISTEN_FDS of them, from 3 on, for process LISTEN_PID alone.
    """
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return range(0)
    said = os.environ.get("LISTEN_FDS", "")
    return range(3, 3 + int(said)) if said.isascii() and said.isdigit() else range(0)


def share_with_children(name: str, value: str) -> None:
    """Let the processes that this one starts from now on find a variable."""
    os.environ[name] = value


def surroundings(home: Path, locale: str) -> dict[str, str]:
    """What a process that works on a throw-away home sees: of our own variables only these."""
    ours = {field.alias for field in Settings.model_fields.values()}
    prefixes = ("COMPTOIR_", "REDIS_", "STRIPE_", "UPSTASH_")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ours and not name.startswith(prefixes)
    }
    return kept | {
        "COMPTOIR_HOME": str(home),
        "COMPTOIR_ENV": Environment.DEVELOPMENT.value,
        "COMPTOIR_LOCALE": locale,
    }


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    return host in _LOOPBACK
