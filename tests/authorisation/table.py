"""Every operation with the rule that it is under: `operation | rule | request`, to be read aloud.

`$name` is a thing of the column's: `own`, the `team`'s, a `foreign` one, one that is `absent`. The
rules are in `rules.py`; `own=invalid` and the like after a rule say where a cell differs. A request
without a `$` is the same in every column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

QUERIES = """
viewer                | self       | viewer
viewer audit          | self.admin | viewer { audit { totalCount nodes { kind detail actor { email } teamId } } }
viewer invitations    | self       | viewer { invitations { nodes { email teamName } } }
viewer contributions  | self       | viewer { contributions { totalCount } }
teams                 | self       | teams { id name members(first: 5) { totalCount nodes { user { email } } } knowledge(first: 5) { totalCount nodes { summary } } }
team                  | team.read  | team(id: $team)
team audit            | team.audit? | team(id: $team) { audit { totalCount nodes { kind detail actor { email } } } }
team invitations      | team.invite? | team(id: $team) { invitations { totalCount nodes { email } } }
user                  | read       | user(id: $user)
knowledge             | self       | knowledge(first: 5)
knowledge             | self       | knowledge(first: 5)
knowledgeFacets       | team.read! | knowledgeFacets(teamId: $team)
searchKnowledge       | team.read! | searchKnowledge(query: "walrus", teamId: $team, first: 5)
searchKnowledge all   | self       | searchKnowledge(query: "walrus", first: 5)
sessions              | self       | sessions(first: 5) { totalCount nodes { id name notes tags files { path } shares { id title } messages(first: 5) { nodes { text } } } }
session               | mine       | session(id: $session)
session by name       | mine       | session(sessionId: $sid)
redactionPreview      | mine       | redactionPreview(sessionId: $session)
sessionSummaries      | team.read! | sessionSummaries(teamId: $team)
patterns              | self       | patterns
pattern               | self=hidden | pattern(id: $entry)
patternStatistics     | self       | patternStatistics
searchConversations   | self       | searchConversations(query: "walrus")
changes               | team.read  | changes(scopes: [$team], first: 100) { nodes { __typename cursor actor { email } ... on KnowledgeCreated { entry { summary details } } } pageInfo { endCursor } }
feedCursor            | team.read  | feedCursor(scopes: [$team])
rateLimit             | anybody    | rateLimit
node User             | read       | node(id: $node.User.user)
node Team             | read       | node(id: $node.Team.team)
node KnowledgeEntry   | read       | node(id: $node.KnowledgeEntry.entry)
node KnowledgeEntry 2 | self=hidden | node(id: $node.KnowledgeEntry.deleted)
node Session          | mine       | node(id: $node.Session.session)
node SessionSummary   | read       | node(id: $node.SessionSummary.summary)
node SharedSession    | read       | node(id: $node.SharedSession.share)
node ApiKey           | mine       | node(id: $node.ApiKey.key)
node SealedEntry      | self=hidden | node(id: $node.SealedEntry.entry)
node CommunityPattern | self=hidden | node(id: $node.CommunityPattern.entry)
"""

MUTATIONS = """
register              | anybody      | register(email: "$fresh@example.org", password: "long enough")
logIn                 | anybody=anonymous | logIn(email: "nobody@example.org", password: "wrong one")
changePassword        | self.admin   | changePassword(currentPassword: "long enough", newPassword: "long enough too")
setEmailAndPassword   | self.admin=conflict | setEmailAndPassword(email: "$fresh@example.org", password: "long enough")
createApiKey          | self.admin   | createApiKey(label: "x")
labelApiKey           | mine.admin   | labelApiKey(id: $key, label: "x")
revokeApiKey          | mine.admin   | revokeApiKey(id: $key)
signOutEverywhere     | self.admin   | signOutEverywhere(revokeKeys: false)
deleteAccount         | self.admin=conflict | deleteAccount(password: "long enough")
requestPasswordReset  | anybody=denied | requestPasswordReset(email: "nobody@example.org")
resetPassword         | anybody=hidden | resetPassword(token: "no such token", newPassword: "long enough")
requestEmailVerification | self.admin=invalid | requestEmailVerification(email: "$fresh@example.org")
verifyEmail           | anybody=hidden | verifyEmail(token: "no such token")
setPublicKeys         | self.admin=invalid | setPublicKeys(number: 1, wrappingKey: "AA==", signingKey: "AA==", proof: "AA==")
enableTeamEncryption  | team.encrypt=invalid | enableTeamEncryption(teamId: $team, irrevocable: false)
publishKeyEpoch       | team.rotate=invalid | publishKeyEpoch(teamId: $team, number: 1, signerNumber: 1, statement: "AA==", signature: "$zeros.64", wraps: [{memberId: $node.User.member, keyNumber: 1, wrapped: "$zeros.80", signature: "$zeros.64"}])
wrapTeamKeys          | team.admit=invalid | wrapTeamKeys(teamId: $team, memberId: $node.User.member, keyNumber: 1, signerNumber: 1, wraps: [{epoch: 1, wrapped: "$zeros.80", signature: "$zeros.64"}])
pushSealed            | team.push=invalid | pushSealed(teamId: $team, entries: [{id: $entry, kind: KNOWLEDGE, epoch: 1, revision: 1, nonce: "$zeros.24", ciphertext: "$zeros.64"}])
deleteSealed          | self.write=hidden | deleteSealed(id: $entry)
createTeam            | self.admin   | createTeam(name: "x")
inviteToTeam          | team.invite  | inviteToTeam(teamId: $team, email: "$fresh@example.org")
acceptInvitation      | self.admin   | acceptInvitation(token: $token) own=conflict team=conflict-inside absent=hidden
removeMember          | team.remove_member | removeMember(teamId: $team, userId: $member)
leaveTeam             | team.leave   | leaveTeam(teamId: $team) own=invalid owner=invalid
renameTeam            | team.rename  | renameTeam(teamId: $team, name: "x")
deleteTeam            | team.delete  | deleteTeam(teamId: $team)
changeMemberRole      | team.change_role | changeMemberRole(teamId: $team, userId: $member, role: VIEWER)
transferOwnership     | team.transfer | transferOwnership(teamId: $team, userId: $member)
revokeInvitation      | team.invite  | revokeInvitation(id: $invitation)
createKnowledge       | team.write!  | createKnowledge(type: "decision", timestamp: 1, summary: "$fresh", teamId: $team)
pushKnowledge         | team.push!   | pushKnowledge(entries: [{type: "decision", timestamp: 1, summary: "$fresh"}], teamId: $team)
updateKnowledge       | author       | updateKnowledge(id: $entry, details: "x")
deleteKnowledge       | author       | deleteKnowledge(id: $entry)
restoreKnowledge      | mine.write   | restoreKnowledge(id: $deleted)
moveKnowledge         | author       | moveKnowledge(id: $entry)
moveKnowledge to team | team.write!  | moveKnowledge(id: $mine.entry, teamId: $team)
pinKnowledge          | write        | pinKnowledge(id: $entry)
unpinKnowledge        | write        | unpinKnowledge(id: $entry)
starKnowledge         | star         | starKnowledge(id: $entry)
unstarKnowledge       | star         | unstarKnowledge(id: $entry)
tagKnowledge          | write        | tagKnowledge(id: $entry, add: ["x"])
updateSession         | mine.sync    | updateSession(id: $session, notes: "x")
deleteSession         | mine.write   | deleteSession(id: $session)
shareSession          | mine.write   | shareSession(id: $session, teamId: $mine.team)
shareSession to team  | team.write   | shareSession(id: $mine.session, teamId: $team)
unshareSession        | unshare      | unshareSession(id: $share)
saveSessionSummary    | team.push!   | saveSessionSummary(sessionId: "$fresh", summary: {}, teamId: $team)
deleteSessionSummary  | author       | deleteSessionSummary(id: $summary)
contributePatterns    | self.sync    | contributePatterns(patterns: [{type: SOLUTION, category: "x", approach: "Look before you leap"}])
withdrawContributions | self.write   | withdrawContributions(everything: true)
"""

SUBSCRIPTIONS = """
teamFeed              | team.read    | teamFeed(teamId: $team, after: $cursor.team) { __typename cursor actor { email username } ... on KnowledgeCreated { entry { summary details project tags } } }
myFeed                | self         | myFeed(after: $cursor.me) { __typename cursor actor { email username } ... on KnowledgeCreated { entry { summary details project tags } } }
communityFeed         | self         | communityFeed { __typename cursor }
sessionFeed           | mine         | sessionFeed(sessionId: $session)
"""

ROUTES = """
GET /health                       | unread     |
GET /ready                        | unread     |
POST /api/auth/register           | unread     | {"email": "$fresh@example.org", "password": "long enough"}
POST /api/auth/login              | unread=anonymous | {"email": "nobody@example.org", "password": "wrong one"}
POST /api/auth/api-key            | self.admin | {"label": "x"}
GET /api/auth/me                  | self       |
POST /api/knowledge               | team.write! | {"type": "decision", "timestamp": 1, "summary": "$fresh", "teamId": "$team"}
GET /api/knowledge                | team.read! | ?teamId=$team
GET /api/knowledge/search         | team.read! | ?q=walrus&teamId=$team
GET /api/knowledge/{id}           | read       | id=$entry
PATCH /api/knowledge/{id}         | author     | id=$entry {"details": "x"}
DELETE /api/knowledge/{id}        | author     | id=$entry
POST /api/teams                   | self.admin | {"name": "x"}
GET /api/teams                    | self       |
POST /api/teams/{id}/invite       | team.invite! | id=$team {"email": "$fresh@example.org"}
GET /api/teams/{id}/members       | team.read! | id=$team
DELETE /api/teams/{id}/members/{user_id} | team.remove_member! | id=$team user_id=$member
POST /api/invitations/accept      | self.admin | {"token": "$token"} own=conflict team=conflict-inside absent=hidden
POST /api/sync/push/knowledge     | team.push! | {"entries": [{"type": "decision", "timestamp": 1, "summary": "$fresh"}], "teamId": "$team"}
POST /api/sync/push/sessions      | team.push! | {"summaries": [{"sessionId": "$fresh", "summary": {}}], "teamId": "$team"}
GET /api/sync/pull/knowledge      | team.read! | ?teamId=$team
GET /api/sync/pull/sessions       | team.read! | ?teamId=$team
POST /api/federation/contribute   | self.sync  | {"patterns": [{"type": "solution", "category": "x", "approach": "Look before you leap"}]}
GET /api/federation/patterns      | unread     |
GET /api/federation/patterns/search | unread   | ?q=walrus
GET /api/federation/stats         | unread     |
GET /api/account/export           | self.admin |
GET /api/usage                    | self       |
GET /api/sessions                 | team.read! | ?teamId=$team
GET /api/sessions                 | self       | registry
POST /api/sessions                | team.push! | {"sessionId": "$fresh", "summary": {}, "teamId": "$team"}
POST /api/sessions                | self.sync  | registry {"session_id": "$sid"}
POST /api/sessions/sync           | self.sync  | registry {"sessions": [{"session_id": "$sid"}]}
GET /api/sessions/conversation/{session_id} | mine | registry session_id=$sid
PUT /api/sessions/conversation/{session_id} | self.sync | session_id=$sid "x"
PATCH /api/sessions/conversation/{session_id} | self.sync=conflict | session_id=$sid patch
GET /api/sessions/conversation/{session_id}/versions | mine | session_id=$sid
GET /api/sessions/export/obsidian | self       |
GET /api/sessions/export/obsidian | mine       | ?session_id=$sid
GET /api/bundle                   | self       |
GET /api/sessions/{session_id}/bundle | mine   | session_id=$session
POST /api/tails                   | self.sync  | {"tails": []}
GET /api/manifest                 | self       |
GET /api/sessions/{session_id}/files | mine    | session_id=$session
GET /api/sessions/{session_id}/files/{path:path} | mine | session_id=$session path=subagents/one.jsonl
PUT /api/sessions/{session_id}/files/{path:path} | self.sync | session_id=$sid path=notes.txt "x"
PATCH /api/sessions/{session_id}/files/{path:path} | self.sync=conflict | session_id=$sid path=subagents/one.jsonl patch
DELETE /api/sessions/{session_id}/files/{path:path} | mine.write | session_id=$session path=subagents/one.jsonl
GET /api/sessions/{session_id}/export | mine   | session_id=$session
GET /api/sessions/{session_id}    | read       | session_id=$summarised
GET /api/sessions/{session_id}    | mine       | registry session_id=$session
PUT /api/sessions/{session_id}    | mine.sync  | session_id=$session {"notes": "x"}
DELETE /api/sessions/{session_id} | mine.write | session_id=$session
"""

_OUTCOMES = "ok|anonymous|denied|hidden|invalid|conflict"
_EXCEPTION = re.compile(rf" (own|team|foreign|absent|owner|)=({_OUTCOMES})(-inside)?(?= |$)")


@dataclass(frozen=True)
class Row:
    """One operation, and what the table says of it."""

    kind: str
    name: str
    rule: str
    request: str
    otherwise: str | None = None
    """What comes in place of `ok` everywhere."""
    exceptions: dict[str, str] = field(default_factory=dict)
    """What comes in place of `ok` in a column, or for the team's owner."""

    @property
    def operation(self) -> str:
        """The root field, or the route."""
        return self.name if self.kind == "route" else re.split(r"\W", self.request)[0]

    @property
    def is_one(self) -> bool:
        """Whether the request is the same in every column."""
        return not re.search(r"\$(?!fresh|zeros|cursor\.me|mine\.)", self.request)


def rows() -> list[Row]:
    """The whole table."""
    found = []
    tables = {
        "query": QUERIES,
        "mutation": MUTATIONS,
        "subscription": SUBSCRIPTIONS,
        "route": ROUTES,
    }
    for kind, table in tables.items():
        for line in table.strip().splitlines():
            name, rule, request = (part.strip() for part in line.split("|", 2))
            rule, _, otherwise = rule.partition("=")
            exceptions = {m[1]: m[2] + (m[3] or "") for m in _EXCEPTION.finditer(f"{request} ")}
            bare = _EXCEPTION.sub("", f"{request} ").strip()
            otherwise = otherwise or exceptions.pop("", "")
            found.append(Row(kind, name, rule, bare, otherwise or None, exceptions))
    return found
