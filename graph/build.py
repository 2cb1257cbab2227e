"""The schema, and the ASGI application that answers for it."""

from __future__ import annotations

import strawberry
from graphql import GraphQLSchema
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.schema.config import StrawberryConfig

from direct import Answer, Asked
from domain.services import Services
from graph.execution import Engine
from graph.http import HttpEndpoint
from graph.lane import Head, Lane
from graph.plan.planner import Planner
from graph.resolvers.accounts import AccountMutations, AccountQueries
from graph.resolvers.changes import ChangeQueries
from graph.resolvers.conversations import ConversationQueries
from graph.resolvers.curation import CurationMutations
from graph.resolvers.encryption import EncryptionMutations
from graph.resolvers.feeds import Subscription as Feeds
from graph.resolvers.knowledge import KnowledgeMutations, KnowledgeQueries
from graph.resolvers.mails import MailMutations
from graph.resolvers.nodes import NodeQueries
from graph.resolvers.patterns import PatternMutations, PatternQueries
from graph.resolvers.rate_limit import RateLimitQueries
from graph.resolvers.session_feed import SessionFeed
from graph.resolvers.sessions import SessionMutations, SessionQueries
from graph.resolvers.summaries import SummaryMutations, SummaryQueries
from graph.resolvers.teams import TeamMutations, TeamQueries
from graph.schema.feed import EVENT_TYPES
from graph.schema.scalars import SCALARS
from graph.websocket import Connection


@strawberry.type(description="What you can ask for.")
class Query(
    AccountQueries,
    TeamQueries,
    KnowledgeQueries,
    SessionQueries,
    SummaryQueries,
    PatternQueries,
    ConversationQueries,
    ChangeQueries,
    NodeQueries,
    RateLimitQueries,
):
    """Root queries."""


@strawberry.type(
    description="What you can change. Every mutation answers its payload or the problem that stood "
    "in the way; ask for `__typename` and for `... on Problem { message }`."
)
class Mutation(
    AccountMutations,
    MailMutations,
    TeamMutations,
    KnowledgeMutations,
    CurationMutations,
    SessionMutations,
    SummaryMutations,
    PatternMutations,
    EncryptionMutations,
):
    """Root mutations."""


@strawberry.type(description="What you can follow live, over a WebSocket or server-sent events.")
class Subscription(Feeds, SessionFeed):
    """Root subscriptions."""


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=EVENT_TYPES,
    config=StrawberryConfig(scalar_map=SCALARS),
)


def core_schema() -> GraphQLSchema:
    """The schema as graphql-core executes it."""
    return schema._schema  # noqa: SLF001 - Strawberry has no public name for it


class GraphQLApp:
    """What answers at /graphql: HTTP and WebSockets."""

    def __init__(self, services: Services) -> None:
        self._services = services
        introspection = services.settings.introspection_allowed
        settings = services.settings
        planner = Planner(schema, services.reads, settings) if settings.query_plans else None
        self._engine = Engine(core_schema(), introspection=introspection, planner=planner)
        self._http = Lane(services, self._engine, HttpEndpoint(services, self._engine))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or one socket."""
        if scope["type"] == "websocket":
            socket = WebSocket(scope, receive, send)
            await Connection(socket, self._services, self._engine).serve()
        else:
            await self._http(scope, receive, send)

    def head(self, scope: Scope) -> Head | None:
        """What the head of a POST says that may be answered without a task; see `direct`."""
        return self._http.head(scope)

    def ask(self, head: Head, body: bytes, answer: Answer) -> Asked | None:
        """Answer one of those, or say None and do nothing."""
        return self._http.ask(head, body, answer)


def create_graphql_app(services: Services) -> GraphQLApp:
    """The ASGI application for `services`, to be routed for every method and for WebSockets."""
    return GraphQLApp(services)
