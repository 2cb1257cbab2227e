"""Which repository a git remote means, however it is written down.

`git@github.com:Al/App.git`, `https://al:secret@github.com/al/app` and
`ssh://git@github.com:22/al/app/` are one: host and path, without protocol, user, password, port and
`.git`. Where two machines say the same, their sessions belong to one project.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

_PROTOCOLS: Final = frozenset({"ssh", "git", "http", "https", "git+ssh", "ssh+git", "ftp", "ftps"})
# `host:path` as scp has it; a single letter before the colon is a drive of Windows.
_SCP = re.compile(r"(?:[^@/\s]+@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[^:/@\[\]\s]{2,}):(?P<path>[^\s].*)")
_HOST = re.compile(r"\w(?:[\w.-]*\w)?|[0-9a-f:.]+")
_ALIASES: Final = {
    "ssh.github.com": "github.com",
    "www.github.com": "github.com",
    "altssh.gitlab.com": "gitlab.com",
    "altssh.bitbucket.org": "bitbucket.org",
}
_CASELESS: Final = frozenset({"github.com", "gitlab.com", "bitbucket.org"})
"""Hosts that take no notice of the case of names."""


def normalised(remote: str) -> str | None:
    """`host/path` of a remote; None for what is no address (a local path, a bundle, nonsense)."""
    remote = remote.strip()
    if not remote.isprintable():
        return None
    parts = _parts(remote)
    if parts is None:
        return None
    host, path = parts[0].lower().strip("[]").rstrip("."), _path(parts[1])
    host = _ALIASES.get(host, host)
    if not path or not path.isprintable() or not _HOST.fullmatch(host):
        return None
    return f"{host}/{path.lower() if host in _CASELESS else path}"


def _parts(remote: str) -> tuple[str, str] | None:
    if "://" in remote:
        try:
            parts = urlsplit(remote)
            host = parts.hostname
        except ValueError:
            return None
        if parts.scheme.lower() not in _PROTOCOLS or host is None:
            return None
        return host, unquote(parts.path)
    found = _SCP.fullmatch(remote)
    return (found["host"], found["path"]) if found else None


def _path(path: str) -> str:
    names = [name for name in path.split("/") if name]
    plain = "/".join(names)
    return plain.removesuffix(".git").rstrip("/") if plain != ".git" else ""
