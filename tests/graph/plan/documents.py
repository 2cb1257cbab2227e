"""Queries that are hard in some way."""

from __future__ import annotations

_ENTRY = "id type timestamp summary project sessionId details tags relatedFiles pinnedAt starred"
_EDGES = "totalCount edges { cursor node { id } } pageInfo { endCursor hasNextPage }"
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
    "introspection": "{ __typename __schema { queryType { name } } viewer { id } }",
    "nothing but a name": "{ __typename }",
}


def written(text: str, **ids: str) -> str:
    """A query with its abbreviations written out and `$name` replaced by the string of an id."""
    members = _EDGES.replace("node { id }", "node { user { id } }")
    for short, long in (("entry", _ENTRY), ("edges", _EDGES), ("members", members)):
        text = text.replace(f"<{short}>", long)
    for name, value in ids.items():
        text = text.replace(f"${name}", f'"{value}"')
    return text
