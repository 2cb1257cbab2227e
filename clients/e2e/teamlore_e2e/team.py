"""An encrypted team, as one of its members works with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from uuid import uuid4

from teamlore_e2e import server as queries
from teamlore_e2e.encoding import b64, unb64, uuid_of
from teamlore_e2e.entries import Entry, Place, Sealed, open_sealed, seal, token, tokens_of, words
from teamlore_e2e.epochs import Epoch, epoch_statement, verified_chain
from teamlore_e2e.errors import KeysChanged, NoKey, ServerError, Tampered, Unverified
from teamlore_e2e.identity import Identity, PublicKeys
from teamlore_e2e.server import Server
from teamlore_e2e.team_key import TeamKey, Wrap, unwrap, wrap, wrap_statement
from teamlore_e2e.trust import Trust

PAGE = 20


async def publish_keys(server: Server, own: Identity, trust: Trust) -> None:
    """Tell the server one's public keys, and pin them. Raises ServerError (Conflict)."""
    keys = own.public
    await server.do(
        "setPublicKeys",
        "publicKeys { number }",
        number=keys.number,
        wrappingKey=b64(keys.wrapping),
        signingKey=b64(keys.signing),
        proof=b64(keys.proof),
    )
    trust.verify(keys, keys.fingerprint)


class Team:
    """One team. `refresh` first; after that what it knows is as old as the last `refresh`."""

    def __init__(self, server: Server, team_id: str, own: Identity, trust: Trust) -> None:
        self.id = uuid_of(team_id)
        self.own = own
        self.trust = trust
        self.chain: list[Epoch] = []
        self.keys: dict[int, TeamKey] = {}
        """The team keys that this member has, by epoch."""
        self.members: dict[str, PublicKeys | None] = {}
        """By account: the newest keys that the server shows; None for who has none yet."""
        self.changed: dict[str, PublicKeys] = {}
        """Members whose keys are others than the pinned ones: ask them for their fingerprint."""
        self.rotation_due = False
        self.searchable = False
        self._server = server

    async def enable(self, *, searchable: bool = False) -> None:
        """Encrypt the team, for good, and begin its first epoch. Raises ServerError."""
        await self._server.do(
            "enableTeamEncryption",
            "teamId",
            teamId=self.id,
            irrevocable=True,
            searchable=searchable,
        )
        await self.rotate()

    async def refresh(self) -> None:
        """Read members, epochs and one's keys anew, and check them.

        Raises Tampered, RolledBack, and ServerError.
        """
        await self._read_members()
        await self._read_epochs()

    async def rotate(self) -> Epoch:
        """Begin a new epoch with a new key for everybody who is in the team now.

        Raises Unverified when somebody's keys were not compared, ServerError (Conflict) when
        another was faster: `refresh` and see whether it is still needed.
        """
        await self.refresh()
        known = [keys for keys in self.members.values() if keys is not None]
        self._require_verified(known)
        key = TeamKey.generate(self.id, len(self.chain) + 1)
        previous = self.chain[-1].digest if self.chain else ""
        statement = epoch_statement(key, self.own.account, known, previous)
        await self._server.do(
            "publishKeyEpoch",
            "epoch { number }",
            teamId=self.id,
            number=key.epoch,
            signerNumber=self.own.number,
            statement=b64(statement),
            signature=b64(self.own.sign(statement)),
            wraps=[_member_wrap(wrap(key, keys, self.own)) for keys in known],
        )
        await self.refresh()
        return self.chain[key.epoch - 1]

    async def waiting(self) -> list[str]:
        """Accounts without the newest team key that have public keys to wrap it for."""
        found = (await self._server.ask(queries.WAITING, team=self.id))["team"]["encryption"]
        return [uuid_of(m["memberId"]) for m in found["waiting"] if m["keyNumber"] is not None]

    async def admit(self, account: str) -> None:
        """Wrap every team key that this member has for another one.

        Raises Unverified when that one's keys were not compared.
        """
        await self.refresh()
        keys = self.members.get(account)
        if keys is None:
            raise NoKey(f"{account} has not set public keys")
        self._require_verified([keys])
        wraps = [(epoch, wrap(key, keys, self.own)) for epoch, key in sorted(self.keys.items())]
        await self._server.do(
            "wrapTeamKeys",
            "epochs",
            teamId=self.id,
            memberId=account,
            keyNumber=keys.number,
            signerNumber=self.own.number,
            wraps=[{"epoch": epoch, **_box(made)} for epoch, made in wraps],
        )

    async def write(
        self, fields: Mapping[str, Any], *, kind: str = "knowledge", replaces: Entry | None = None
    ) -> Entry:
        """Seal an entry and send it; with `replaces`, as the next revision of one's own.

        Raises NoKey before the first epoch, ServerError (Conflict) when a new one is due.
        """
        key = self._newest_key()
        id, revision = str(uuid4()), 1
        if replaces is not None:
            id, revision, kind = replaces.place.id, replaces.place.revision + 1, replaces.place.kind
        place = Place(self.id, id, kind, self.own.account, key.epoch, revision)
        sealed = seal(place, fields, key, self.own)
        item = {
            "id": id,
            "kind": kind.upper(),
            "epoch": key.epoch,
            "revision": revision,
            "nonce": b64(sealed.nonce),
            "ciphertext": b64(sealed.ciphertext),
        }
        if self.searchable:
            item["tokens"] = b64(tokens_of(key, fields))
        await self._server.do("pushSealed", "skipped", teamId=self.id, entries=[item])
        self.trust.see_revision(self.id, id, revision)
        return Entry(place, fields)

    async def delete(self, entry: Entry) -> None:
        """Delete an entry of one's own."""
        await self._server.do("deleteSealed", "deletedId", id=entry.place.id)

    async def entries(self, *, kind: str | None = None) -> AsyncIterator[Entry]:
        """All entries, last changed first. Raises Tampered at the first that is not in order."""
        given = None if kind is None else kind.upper()
        async for node in self._pages(kind=given, matching=None):
            yield self.open(node)

    async def search(self, query: str) -> AsyncIterator[Entry]:
        """Entries that have all the words of the query; what the server finds is looked at again.

        In a team that is searchable; the server learns which entries match, not the words.
        """
        asked = words(query)
        if not asked:
            return
        matching = [
            {"epoch": epoch, "tokens": b64(b"".join(sorted(token(key, w) for w in asked)))}
            for epoch, key in self.keys.items()
        ]
        async for node in self._pages(kind=None, matching=matching[-100:]):
            yield self.open(node)

    def open(self, node: Mapping[str, Any]) -> Entry:
        """Open an entry as the server shows it, here or in a feed.

        Raises NoKey for an epoch whose key this member does not have, KeysChanged for an author
        with keys that are not pinned, Tampered and RolledBack.
        """
        place = Place(
            uuid_of(node["teamId"]),
            uuid_of(node["id"]),
            str(node["entryKind"]).lower(),
            uuid_of(node["authorId"]),
            node["epoch"],
            node["revision"],
        )
        key = self.keys.get(place.epoch)
        if key is None:
            raise NoKey(f"The key of epoch {place.epoch} was not wrapped for you")
        self._meet(node["authorId"], node.get("authorKeys", ()))
        sealed = Sealed(place, unb64(node["nonce"]), unb64(node["ciphertext"]))
        try:
            entry = open_sealed(sealed, key, self.trust)
        except Tampered:
            if place.author in self.changed:
                raise KeysChanged(place.author, self.changed[place.author].fingerprint) from None
            raise
        self.trust.see_revision(self.id, place.id, place.revision)
        return entry

    async def _pages(self, **wanted: Any) -> AsyncIterator[dict[str, Any]]:
        after, more = None, True
        while more:
            data = await self._server.ask(queries.ENTRIES, team=self.id, after=after, **wanted)
            page = data["team"]["sealedEntries"]
            for node in page["nodes"]:
                yield node
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        self.trust.save()

    async def _read_members(self) -> None:
        found: dict[str, PublicKeys | None] = {}
        after, more = None, True
        while more:
            data = await self._server.ask(queries.MEMBERS, team=self.id, after=after)
            page = data["team"]["members"]
            for node in page["nodes"]:
                user = node["user"]
                found[uuid_of(user["id"])] = self._meet(user["id"], user["publicKeys"])
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        self.members = found

    def _meet(self, account: str, nodes: Iterable[dict[str, Any]]) -> PublicKeys | None:
        """The newest of somebody's keys, pinned when they are the first."""
        history = [PublicKeys.received(account, node) for node in nodes]
        if not history:
            return None
        newest = history[0]
        try:
            self.trust.see(history)
            self.changed.pop(newest.account, None)
        except KeysChanged:
            self.changed[newest.account] = newest
        return newest

    async def _read_epochs(self) -> None:
        epochs: list[dict[str, Any]] = []
        wrapped: list[dict[str, Any]] = []
        more = True
        while more:
            data = await self._server.ask(queries.STATE, team=self.id, behind=len(epochs))
            state = data["team"]["encryption"]
            if state is None:
                raise ServerError("NotFound", "This team is not encrypted")
            epochs += state["epochs"]
            wrapped += state["myKeys"]
            more = len(state["epochs"]) == PAGE
        for node in epochs:
            self._meet(node["createdById"], node["makerKeys"])
        self.chain = verified_chain(self.id, epochs, self.trust)
        self.rotation_due, self.searchable = state["rotationDue"], state["searchable"]
        for node in wrapped:
            # What was wrapped for earlier keys of one's own is of no use to these. The key of an
            # epoch that has just begun may come before the epoch itself: the next time, then.
            of_these = node["keyNumber"] == self.own.number and node["epoch"] <= len(self.chain)
            if of_these and node["epoch"] not in self.keys:
                self.keys[node["epoch"]] = self._unwrapped(node)

    def _unwrapped(self, node: Mapping[str, Any]) -> TeamKey:
        epoch, box = node["epoch"], unb64(node["wrapped"])
        if not 1 <= epoch <= len(self.chain):
            raise Tampered(f"There is no epoch {epoch}")
        signed = wrap_statement(self.id, epoch, self.own.public, box)
        by = uuid_of(node["wrappedById"])
        if by in self.trust.pins:  # else it has left; the epoch's commitment says which key it is
            self.trust.signed_by(by, signed, unb64(node["signature"]))
        return unwrap(self.id, epoch, box, self.own, self.chain[epoch - 1].commitment)

    def _newest_key(self) -> TeamKey:
        key = self.keys.get(len(self.chain))
        if key is None:
            raise NoKey("The newest team key was not wrapped for you, or there is none")
        return key

    def _require_verified(self, keys: Iterable[PublicKeys]) -> None:
        unknown = [k.account for k in keys if not self.trust.is_verified(k)]
        if unknown:
            raise Unverified(unknown)


def _box(made: Wrap) -> dict[str, str]:
    return {"wrapped": b64(made.wrapped), "signature": b64(made.signature)}


def _member_wrap(made: Wrap) -> dict[str, Any]:
    return {"memberId": made.member, "keyNumber": made.key_number, **_box(made)}
