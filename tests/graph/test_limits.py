"""What a document may be: the figures are those of counting by hand, and ordinary use fits."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Lexer,
    OperationDefinitionNode,
    SelectionSetNode,
    Source,
    TokenKind,
    build_schema,
    get_introspection_query,
    parse,
    validate,
)
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from graph import limits, tokens
from graph.build import core_schema
from graph.extent import Extent, Measure
from tests.graph.test_documents_in_docs import DOCUMENTS

DASHBOARD = """
query Dashboard($first: Int = 10, $after: Cursor) {
  viewer {
    ...Person apiKeys(first: 10) { nodes { id label prefix lastUsedAt } }
    teams {
      id name myRole
      members(first: 10) { totalCount nodes { role joinedAt user { id username email } } }
      knowledge(first: $first) { totalCount edges { cursor node { ...Entry } } ...Pages }
    }
    sessions(first: 20) { nodes { id title projectName gitBranch startedAt endedAt } }
  }
  recent: knowledge(first: 50, after: $after) { nodes { ...Entry team { id name } } ...Pages }
  found: searchKnowledge(query: "x", first: 20) { edges { rank node { ...Entry } } }
}
fragment Person on Viewer { id email username tier }
fragment Entry on KnowledgeEntry {
  id type summary tags project timestamp updatedAt author { id username }
}
fragment Pages on KnowledgeEntryConnection { pageInfo { hasNextPage endCursor } }
"""
TREE = build_schema(
    """
    type Query { leaf: Int one: Query many(first: Int): Query all: [Query] }
    """
)


@pytest.mark.parametrize(
    "text", [*DOCUMENTS, DASHBOARD, get_introspection_query(descriptions=True)]
)
def test_ordinary_documents_fit(text: str) -> None:
    document = parse(text, max_tokens=limits.MAX_TOKENS)
    limits.check(core_schema(), document)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            limits.check_cost(core_schema(), document, node, {})
    assert validate(core_schema(), document) == []


def _cost(text: str, variables: dict[str, Any]) -> int:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    return limits.check_cost(core_schema(), document, operation, variables)


def _lexed(text: str) -> int:
    lexer, count = Lexer(Source(text)), 0
    token = lexer.read_next_token(0)
    while token.kind is not TokenKind.EOF:
        token, count = lexer.read_next_token(token.end), count + 1
    return count


@pytest.mark.parametrize("text", [*DOCUMENTS, DASHBOARD, get_introspection_query()])
def test_tokens_are_those_of_the_lexer(text: str) -> None:
    assert tokens.count(text) == _lexed(text)


PIECES = [*"{}()[]!$&:=@|,", "...", "name", "n0_", "12", "-1.5e+3", '"a \\" # b"', '""', '"\\\\"']
PIECES += ['"""a "b" ""c # d\n"""', '"""\\""" """', '""""""', "# 'a \" b\n", "\n", "\t", "\ufeff"]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_tokens_are_counted_as_the_lexer_finds_them(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert tokens.count(text) == _lexed(text)


PAGED = "query($n: Int{}) {{ knowledge(first: $n) {{ nodes {{ id type }} }} }}"


def test_a_pages_tools_cost_little_so_that_long_conversations_can_be_read_on() -> None:
    text = """{ session(id: "x") { messages(first: 50) { nodes {
        line text toolCalls { id name input } toolResults { text } } } } }"""
    # a message: 2 fields, 1 + 2 * 3 for its calls and 1 + 2 * 1 for its results
    assert _cost(text, {}) == 1 + 1 + 50 * (1 + 12)


@pytest.mark.parametrize(
    ("default", "variables", "cost"),
    [
        ("", {}, 61),
        ("", {"n": None}, 61),
        ("", {"n": 100}, 301),
        (" = 10", {}, 31),
        (" = 10", {"n": 100}, 301),
        ("", {"n": -5}, 4),
    ],
)
def test_a_page_costs_its_size_times_an_item(
    default: str, variables: dict[str, Any], cost: int
) -> None:
    assert _cost(PAGED.format(default), variables) == cost


def test_a_refusal_says_the_figure_and_the_limit() -> None:
    with pytest.raises(GraphQLError, match=r"costs 30001; at most 25000") as refusal:
        _cost(PAGED.format(""), {"n": 10_000})
    expected = {"code": "TOO_COMPLEX", "cost": 30_001, "limit": limits.MAX_COST}
    assert refusal.value.extensions == expected


_FIELDS = ["leaf", "one {}", "many {}", "many(first: 3) {}", "all {}", "a: one {}", "b: leaf"]


def _selections(depth: int, spreads: list[str]) -> st.SearchStrategy[str]:
    if depth == 0:
        return st.just("{ leaf }")
    below = _selections(depth - 1, spreads)
    field = st.builds(lambda name, sub: name.replace("{}", sub), st.sampled_from(_FIELDS), below)
    inline = below.map(lambda sub: f"... {sub}")
    choices = [field, inline] + ([st.sampled_from(spreads)] if spreads else [])
    chosen = st.lists(st.one_of(choices), min_size=1, max_size=3)
    return chosen.map(lambda parts: "{ " + " ".join(parts) + " }")


@st.composite
def _documents(draw: st.DrawFn) -> str:
    """A query and four fragments, of which each may spread those after it."""
    names = ["A", "B", "C", "D"]
    text = draw(_selections(3, [f"...{name}" for name in names]))
    for index, name in enumerate(names):
        later = [f"...{other}" for other in names[index + 1 :]]
        text += f" fragment {name} on Query {draw(_selections(2, later))}"
    return text


def _naive(document: DocumentNode, selections: SelectionSetNode | None) -> Extent:
    """Counts by writing every fragment out, as often as it is spread."""
    total = Extent()
    for node in selections.selections if selections else ():
        if isinstance(node, FieldNode):
            below = _naive(document, node.selection_set)
            pages = {"many": 3 if node.arguments else 20, "all": 20}
            cost = 1 + pages.get(node.name.value, 1) * below.cost
            aliases = below.aliases + (node.alias is not None)
            total = total.beside(Extent(below.depth + 1, below.fields + 1, aliases, cost))
        elif isinstance(node, InlineFragmentNode):
            total = total.beside(_naive(document, node.selection_set)).beside(Extent(fields=1))
        elif isinstance(node, FragmentSpreadNode):
            total = total.beside(Extent(fields=1))
            for other in document.definitions:
                if (
                    isinstance(other, FragmentDefinitionNode)
                    and other.name.value == node.name.value
                ):
                    total = total.beside(_naive(document, other.selection_set))
    return total


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
@given(_documents())
def test_visiting_each_fragment_once_counts_as_writing_it_out(text: str) -> None:
    document = parse(text)
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    measured = Measure(TREE, document).operation(operation)
    assert measured == _naive(document, operation.selection_set)
