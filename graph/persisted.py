"""Automatic persisted queries: a client sends a document once, and then only its SHA-256.

The protocol is Apollo's: https://www.apollographql.com/docs/apollo-server/performance/apq. A hash
is computed here before anything is kept under it, so nobody can put another document in its place;
what is forgotten, by age or by a restart, the client sends again.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from typing import Any

from graphql import GraphQLError

from graph import errors
from graph.errors import Refused

MAX_BYTES = 8 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class PersistedDocuments:
    """The documents of this process by their hash; the least recently used goes first."""

    def __init__(self, most_bytes: int = MAX_BYTES) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, str] = OrderedDict()

    def document(self, query: str, asked: Any) -> str:
        """The document that a request means: its own, or the one kept under the hash.

        Raises Refused: PERSISTED_QUERY_NOT_FOUND when nothing is, BAD_USER_INPUT when the hash is
        none or is that of another document.
        """
        if asked is None:
            return query
        digest = _digest(asked)
        if query:
            _check(query, digest)
            return query
        kept = self._kept.get(digest)
        if kept is None:
            raise _refused("PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND")
        self._kept.move_to_end(digest)
        return kept

    def keep(self, query: str, asked: Any) -> None:
        """Remember a document that is valid. Raises Refused, as `document` does."""
        digest = _digest(asked)
        if digest in self._kept:
            return
        _check(query, digest)
        self._kept[digest] = query
        self._bytes += _size(query)
        while self._bytes > self._most:
            self._bytes -= _size(self._kept.popitem(last=False)[1])


def _digest(asked: Any) -> str:
    if not isinstance(asked, dict) or asked.get("version") != 1:
        raise _refused(
            "Only persistedQuery of version 1 is spoken", "PERSISTED_QUERY_NOT_SUPPORTED"
        )
    digest = asked.get("sha256Hash")
    if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise _refused("sha256Hash must be 64 lowercase hexadecimal digits", errors.BAD_INPUT)
    return digest


def _check(query: str, digest: str) -> None:
    if hashlib.sha256(query.encode("utf-8", "surrogatepass")).hexdigest() != digest:
        raise _refused("The sha256Hash is not that of the query", errors.BAD_INPUT)


def _size(query: str) -> int:
    """Bytes in memory, with those of the hash and its place."""
    return len(query.encode("utf-8", "surrogatepass")) + 256


def _refused(message: str, code: str) -> Refused:
    return Refused([GraphQLError(message)], code)
