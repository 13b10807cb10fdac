"""The process's settings, read from the environment once and checked as a whole."""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError


class SettingsError(Exception):
    """The environment is unusable; the message names every bad variable and no value."""


class Settings(BaseModel):
    """Everything that a deployment can set, by the lower-case name of its environment variable."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    database_url: SecretStr = Field(min_length=1)
    database_url_also: SecretStr = SecretStr("")
    """The same database with another user or password, for when it refuses the first: while either changes."""
    api_token: SecretStr = SecretStr("")
    api_token_also: SecretStr = SecretStr("")
    """Taken beside the first, while it changes."""
    gemini_api_key: SecretStr = SecretStr("")
    gemini_model: str = Field("gemini-2.5-flash", min_length=1)
    gemini_base_url: str = ""
    gemini_timeout_seconds: float = Field(30, gt=0, le=300)
    chat_timeout_seconds: float = Field(60, gt=0, le=600)
    migrate_timeout_seconds: float = Field(120, gt=0, le=3600)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    port: int = Field(8000, ge=1, le=65535)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the settings from environment variables; an empty variable counts as not set.

        Raises:
            SettingsError: a variable is missing or has a value that cannot be used.
        """
        given = {name: environment.get(name.upper(), "").strip() for name in cls.model_fields}
        # One value serves both services, and the frontend's world says `warn`.
        level = given["log_level"].lower()
        given["log_level"] = "warning" if level == "warn" else level
        try:
            return cls.model_validate({name: value for name, value in given.items() if value})
        except ValidationError as error:
            problems = "; ".join(f"{str(e['loc'][0]).upper()}: {_reason(e['type'], e['msg'])}" for e in error.errors())
            raise SettingsError(problems) from None


def _reason(kind: str, message: str) -> str:
    return "is not set" if kind == "missing" else message.lower()
