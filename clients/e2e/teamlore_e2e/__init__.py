"""The reference client of Teamlore's end-to-end encrypted teams.

    async with Server("https://teamlore.example.org", api_key) as server:
        own, trust = Identity.load(keys, passphrase), Trust.load(pins)
        team = Team(server, team_id, own, trust)
        await team.refresh()
        await team.write({"summary": "What we learned"})

The protocol, message by message, is docs/end-to-end-encryption.md of the server.
"""

from __future__ import annotations

from teamlore_e2e.entries import Entry as Entry
from teamlore_e2e.entries import Place as Place
from teamlore_e2e.errors import E2EError as E2EError
from teamlore_e2e.errors import KeysChanged as KeysChanged
from teamlore_e2e.errors import NoKey as NoKey
from teamlore_e2e.errors import RolledBack as RolledBack
from teamlore_e2e.errors import ServerError as ServerError
from teamlore_e2e.errors import Tampered as Tampered
from teamlore_e2e.errors import Unverified as Unverified
from teamlore_e2e.identity import Identity as Identity
from teamlore_e2e.identity import PublicKeys as PublicKeys
from teamlore_e2e.identity import safety_number as safety_number
from teamlore_e2e.server import Server as Server
from teamlore_e2e.team import Team as Team
from teamlore_e2e.team import publish_keys as publish_keys
from teamlore_e2e.trust import Trust as Trust
