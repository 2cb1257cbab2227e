"""The environment, as documented, and as people write it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from settings import Settings, SettingsError, default_data_dir, parse_duration
from tests.support.process import ROOT


def from_env(**environ: str) -> Settings:
    return Settings.from_env({"TEAMLORE_DATA": "/data", **environ})


def test_the_documented_defaults_hold_in_an_empty_environment() -> None:
    settings = from_env()
    assert settings.port == 3100
    assert settings.environment == "development"
    assert settings.jwt_expires_in == timedelta(days=7)
    assert settings.rate_limit_window_ms == 60_000
    assert settings.database_url is None
    assert settings.data_dir == Path("/data")


def test_every_documented_variable_is_read() -> None:
    settings = from_env(
        DATABASE_URL="postgresql://postgres:postgres@localhost:5432/claude_history",
        JWT_SECRET="0123456789abcdef",
        PORT="8080",
        NODE_ENV="production",
        JWT_EXPIRES_IN="12h",
        RATE_LIMIT_WINDOW_MS="1000",
    )
    assert settings.database_url == "postgresql://postgres:postgres@localhost:5432/claude_history"
    assert settings.jwt_secret == "0123456789abcdef"
    assert settings.port == 8080
    assert settings.environment == "production"
    assert settings.jwt_expires_in == timedelta(hours=12)
    assert settings.rate_limit_window_ms == 1000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7d", timedelta(days=7)),
        ("12h", timedelta(hours=12)),
        ("15m", timedelta(minutes=15)),
        ("30s", timedelta(seconds=30)),
        ("500ms", timedelta(milliseconds=500)),
        ("2w", timedelta(weeks=2)),
        ("1.5h", timedelta(minutes=90)),
        (" 7 D ", timedelta(days=7)),
        ("3600", timedelta(hours=1)),
        (3600, timedelta(hours=1)),
    ],
)
def test_durations_are_read_as_people_write_them(text: str | int, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "7 days ago", "-1d", "0", "0d", "1e9y", "101y", "d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        parse_duration(text)


@given(st.text())
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_duration(text) > timedelta(0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("NODE_ENV", "prod"),
        ("JWT_EXPIRES_IN", "soon"),
        ("JWT_SECRET", "short"),
        ("RATE_LIMIT_WINDOW_MS", "0"),
        ("CONVERSATION_MAX_BYTES", "lots"),
    ],
)
def test_a_wrong_value_is_reported_with_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        from_env(**{name: value})


def test_production_needs_a_secret_of_its_own() -> None:
    with pytest.raises(SettingsError, match="JWT_SECRET"):
        from_env(NODE_ENV="production")


def test_an_empty_variable_means_its_default() -> None:
    assert from_env(PORT="", DATABASE_URL=" ").port == 3100


@pytest.mark.parametrize(("text", "expected"), [("off", False), ("0", False), ("on", True)])
def test_switches_are_read_as_people_write_them(text: str, expected: bool) -> None:
    assert from_env(CONVERSATION_BACKUP=text).conversation_backup is expected


def test_origins_are_a_list_with_commas() -> None:
    settings = from_env(ALLOWED_ORIGINS="https://a.example, https://b.example,")
    assert settings.allowed_origins == ("https://a.example", "https://b.example")


def test_settings_cannot_be_changed_once_made() -> None:
    with pytest.raises(ValidationError):
        from_env().port = 1  # type: ignore[misc]


def test_settings_know_no_other_part_of_the_server() -> None:
    script = "import sys, settings; print(*sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"app", "cli", "db", "domain", "graph", "rest_compat"} & set(finished.stdout.split())


def test_the_data_home_of_the_user_is_the_default_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_data_dir({"HOME": "/home/ann"}) == Path("/home/ann/.local/share/teamlore")
    assert default_data_dir({"XDG_DATA_HOME": "/xdg"}) == Path("/xdg/teamlore")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_data_dir({"HOME": "/root"}) == Path("/var/lib/teamlore")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SMTP_URL": "http://example.org"}, "SMTP_URL: .*smtp://"),
        ({"SMTP_URL": "smtp://:25"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://example.org:99999", "MAIL_FROM": "a@example.org"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://example.org"}, "together"),
        ({"MAIL_FROM": "a@example.org"}, "together"),
    ],
)
def test_half_a_mail_server_is_refused(given: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        from_env(**given)
