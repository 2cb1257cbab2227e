"""Queries that are hard in some way."""

from __future__ import annotations

import re

_ENTRY = "id type timestamp summary project sessionId details tags relatedFiles pinnedAt starred"
_EDGES = "totalCount edges { cursor node { id } } pageInfo { endCursor hasNextPage }"
_PARTS = {
    "match": """rank matchKind cursor summaryFragments { text hit } detailsFragments { text hit
        __typename }""",
    "lines": "nodes { line }",
    "pages": "totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }",
    "event": """id at kind address userAgent apiKeyId teamId actorId userId detail
        actor { id email } user { id username }""",
    "tokens": "messages input output cacheCreation cacheCreation1h cacheRead",
    "spent": """name tokens { <tokens> } costEstimate { amount currency unpricedModels }""",
    "pattern": """id type category approach platform tags effectiveness sharedBy numbersFrom
        firstSeen lastSeen publishedAt __typename""",
    "facets": """types { value count } projects { value count } tags { value count }
        authors { count authorId author { id email } }""",
    "around": "\n".join(
        f"l{line}_{size}: messages(aroundLine: {line}, first: {size}) {{ <pages> <lines> }}"
        for line in (1, 2, 15, 35, 36, 400)
        for size in (1, 2, 7, 100)
    ),
}
CASES: dict[str, str] = {
    "a point read": "{ node(id: $entry) { __typename ... on KnowledgeEntry { <entry> } } }",
    "interfaces": """{ node(id: $session) { id ... on Node { i: id } ... on Session { title }
        ... on Team { name } } }""",
    "no such node": '{ node(id: "nope") { id __typename } }',
    "somebody else's": '{ node(id: "dQacGt3VZ0mUsFaZ07RJ2HM") { id } a: node(id: $entry) { id } }',
    "aliases and merging": """{ a: team(id: $team) { name } a: team(id: $team) { id
        knowledge(first: 2) { nodes { id } } knowledge(first: 2) { nodes { summary }
        edges { node { type } } } } b: team(id: $team) { n: name m: name } }""",
    "fragments": """query { ...Q teams { ...T ...T } } fragment Q on Query { viewer { id ...V } }
        fragment V on Viewer { email knowledge(last: 3) { <edges> } } fragment T on Team { id
        members { totalCount nodes { role joinedAt user { id email username } } } }""",
    "siblings at several levels": """{ teams { members(first: 2, orderBy: BY_ROLE) { <members> }
        knowledge(first: 3) { totalCount nodes { author { id email } team { id
          knowledge(first: 1) { nodes { id author { id } team { name } } } } session { id shares {
            id title team { id members { totalCount } } } } } }
        sharedSessions { totalCount nodes { id title note sharedBy { id } sessionNodeId } } } }""",
    "members backwards": """{ teams { members(role: MEMBER, orderBy: NEWEST_FIRST) { totalCount
        edges { cursor node { role } } } o: members(first: 1) { pageInfo { endCursor hasNextPage
        startCursor hasPreviousPage } } } }""",
    "a page too large": "{ knowledge(first: 1000) { nodes { id } } viewer { id } }",
    "both ends": "{ knowledge(first: 1, last: 1) { nodes { id } } }",
    "no page": "{ knowledge(first: 0) { totalCount } }",
    "a cursor of another list": '{ knowledge(after: "AAAA") { nodes { id } } }',
    "filters": """{ knowledge(filter: {tags: ["a"], anyTags: ["b", "c"], type: "decision",
        timestamp: {from: 1, to: 1900000000000}, starred: false, pinned: false,
        created: {from: "2020-01-01T00:00:00Z"}}, orderBy: {field: CREATED, direction: ASC}) {
        <edges> } }""",
    "of another's id": "{ knowledge(filter: {authorId: $entry}) { totalCount } }",
    "sessions": """{ sessions(first: 2, filter: {text: "s", project: "api", tags: []}) { <edges>
        nodes { id workingDirectory startedAt conversationSize createdAt shares { id title } } }
        s: sessions(orderBy: SIZE, last: 2) { <edges> } t: sessions(filter: {text: "50%_"}) {
        totalCount } }""",
    "one session": """{ session(id: $session) { id name notes }
        s: session(sessionId: "s-1") { id } }""",
    "no session": '{ session(sessionId: "none") { id } viewer { id } }',
    "computed fields": "{ viewer { id usage { teams } } }",
    "errors in the new": """{ viewer { usage { days(last: 91) { date } } } }""",
    "ends that do not fit": """{ viewer { tokenUsage(from: "2026-02-01", to: "2026-01-01") {
        name } } }""",
    "around and behind": """{ session(id: $session) { messages(aroundLine: 1, last: 2) {
        totalCount } } }""",
    "words in messages": """{ session(id: $session) { messages(filter: {text: "tests"}) { totalCount
        nodes { line } } } }""",
    "relevance without words": "{ patterns(orderBy: RELEVANCE) { totalCount } }",
    "patterns by words": """{ patterns(filter: {query: "lock"}) { totalCount nodes { id } } }""",
    "a search for nothing": """{ searchKnowledge(query: "") { totalCount } }""",
    "a search for what there is not": """{ searchKnowledge(query: "xyzzy") { totalCount edges {
        rank matchKind } } t: searchKnowledge(query: "shraed") { totalCount nodes { id } } }""",
    "a search with all there is": """{ searchKnowledge(query: "shared how", first: 2) { edges { rank
        matchKind cursor summaryFragments { text hit } detailsFragments { text hit } } } }""",
    "a log of one's own": "{ viewer { audit { totalCount } } }",
    "a team's log": "{ team(id: $team) { audit { totalCount } } }",
    "a team's invitations": "{ team(id: $team) { invitations { totalCount } } }",
    "contributions": "{ viewer { contributions { totalCount nodes { patternId approach } } } }",
    "raw": "{ session(id: $session) { messages(first: 2) { nodes { raw } } } }",
    "introspection": "{ __typename __schema { queryType { name } } viewer { id } }",
    "nothing but a name": "{ __typename }",
}

PLANNED: dict[str, str] = {
    "keys": """{ viewer { emailVerifiedAt apiKeys(first: 2) { <pages> nodes { id label prefix
        createdAt lastUsedAt lastProgram lastAddress scopes expiresAt } }
        b: apiKeys(last: 1) { edges { cursor node { id } } pageInfo { hasPreviousPage } } } }""",
    "machines": """{ viewer { machines { id name revoked sessions conversationBytes
        lastBackupAt } } }""",
    "the audit log of an account": """{ viewer { audit(first: 3) { <pages> nodes { <event> } }
        b: audit(last: 2) { nodes { id } pageInfo { startCursor } }
        k: audit(filter: {kinds: [KEY_MINTED, LOGGED_IN], since: "2020-01-01T00:00:00Z"}) {
        <pages> nodes { kind detail } } } }""",
    "the audit log of a team": """{ team(id: $team) { audit(first: 3) { <pages> nodes { <event> } }
        k: audit(last: 1, filter: {kinds: [INVITED], until: "2030-01-01T00:00:00Z"}) { <pages>
        nodes { kind detail } } } }""",
    "the invitations of a team": """{ team(id: $team) { invitations(first: 1) { <pages> nodes { id
        email role teamId teamName createdAt expiresAt inviter { id email } } }
        b: invitations(first: 7) { <pages> edges { cursor node { id } } } } }""",
    "the invitations of all teams": "{ teams { id invitations { totalCount nodes { email } } } }",
    "usage": """{ viewer { usage { knowledgeEntries sessionSummaries sessions sharedSessions
        conversationBytes versionBytes syncActions apiKeys teams tier
        days { date knowledge sessions summaries total } one: days(last: 1) { date total }
        all: days(last: 90) { total } } } }""",
    "tokens": """{ viewer { d: tokenUsage { <spent> } m: tokenUsage(by: MODEL, from: "2026-05-02") {
        <spent> } p: tokenUsage(by: PROJECT, to: "2026-05-01") { <spent> }
        n: tokenUsage(from: "2030-01-01") { name } } }""",
    "what was read of a session": """{ session(id: $session) { gitRemote project machineId
        counts { kind count __typename } models claudeVersions folders gitBranches
        reading { version size lines problem } versions { number size lines digest createdAt
        updatedAt } files { path version size lines digest updatedAt }
        usage { total { <tokens> } costEstimate { amount currency unpricedModels }
        byModelAndDay { model day tokens { <tokens> } costEstimate { amount } } } } }""",
    "what was read of many": """{ sessions { nodes { id machineId project counts { kind count }
        reading { size } files { path } versions { number } usage { total { output } }
        messages(first: 2) { totalCount nodes { text } } } } }""",
    "messages": """{ session(id: $session) { messages(first: 9) { <pages> edges { cursor node {
        line offset length file kind subtype role uuid parentUuid isSidechain agentId timestamp
        model text thinking sessionId toolCalls { id name input } toolResults { callId isError text
        t: __typename } } } } last: messages(last: 3) { <pages> nodes { line } }
        none: messages(file: "no such file") { <pages> nodes { line } }
        f: messages(filter: {roles: ["user", "assistant"], kinds: ["user"], sidechains: false,
        since: "2026-05-01T00:00:00Z", until: "2026-06-01T00:00:00Z"}, first: 2) { <pages> nodes {
        line } } } }""",
    "messages around a line": """{ session(id: $session) { <around> } }""",
    "patterns": """{ patterns(first: 1) { <pages> nodes { <pattern> } edges { cursor rank } }
        n: patterns(orderBy: NEWEST, last: 1) { <pages> nodes { id } }
        f: patterns(filter: {category: "dataBASE", platform: "Linux", type: ERROR_FIX,
        tags: ["locks", "x"]}) { <pages> nodes { id } } none: patterns(filter: {category: "x"}) {
        <pages> nodes { id } } pattern(id: $pattern) { <pattern> }
        p: pattern(id: "00000000-0000-4000-8000-000000000000") { id }
        node(id: $pattern) { ... on CommunityPattern { approach } } }""",
    "the community in numbers": """{ patternStatistics { totalPatterns contributors numbersFrom
        margin lastSeen topCategories { category count } } }""",
    "facets": """{ a: knowledgeFacets { <facets> } b: knowledgeFacets(teamId: $team) { <facets> }
        c: knowledgeFacets(filter: {tags: ["a"], anyTags: ["b", "x"], project: "api"}) { <facets> }
        d: knowledgeFacets(filter: {tags: ["nothing"]}) { <facets> } }""",
    "a search": """{ a: searchKnowledge(query: "how") { <pages> nodes { id summary } edges {
        <match> } } b: searchKnowledge(query: "how do -nothing or shared", first: 2) { <pages>
        edges { cursor node { id author { email } } } }
        c: searchKnowledge(teamId: $team, query: "\\"shared 1\\" or admin") { totalCount edges {
        <match> } } d: searchKnowledge(query: "é", teamId: $team, filter: {pinned: true}) {
        edges { <match> k: matchKind __typename } } }""",
}
"""Queries that a statement answers alone, for somebody who may see all that they ask for."""


def written(text: str, **ids: str) -> str:
    """A query with its abbreviations written out and `$name` replaced by the string of an id."""
    members = _EDGES.replace("node { id }", "node { user { id } }")
    long = {**_PARTS, "entry": _ENTRY, "edges": _EDGES, "members": members}
    for _depth in range(2):
        text = re.sub(r"<(\w+)>", lambda match: long[match[1]], text)
    for name, value in ids.items():
        text = text.replace(f"${name}", f'"{value}"')
    return text
