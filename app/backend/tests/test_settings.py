import pytest

from todo_backend.settings import Settings, SettingsError


def test_an_empty_variable_counts_as_not_set():
    settings = Settings.from_environment({"DATABASE_URL": "postgresql://h/d", "PORT": "", "LOG_LEVEL": " INFO "})
    assert (settings.port, settings.log_level) == (8000, "info")


@pytest.mark.parametrize("word", ["warn", "WARNING"])
def test_the_level_for_warnings_has_the_words_of_both_services(word: str):
    assert Settings.from_environment({"DATABASE_URL": "postgresql://h/d", "LOG_LEVEL": word}).log_level == "warning"


def test_every_bad_variable_is_named_and_no_value_is_shown():
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({"PORT": "canary", "LOG_LEVEL": "canary", "GEMINI_TIMEOUT_SECONDS": "-1"})
    message = str(error.value)
    assert "DATABASE_URL: is not set" in message
    assert all(name in message for name in ("PORT", "LOG_LEVEL", "GEMINI_TIMEOUT_SECONDS"))
    assert "canary" not in message


def test_secrets_do_not_show_in_a_representation():
    settings = Settings.from_environment({"DATABASE_URL": "canary", "API_TOKEN": "canary", "GEMINI_API_KEY": "canary"})
    assert "canary" not in repr(settings)
