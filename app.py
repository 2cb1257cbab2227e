"""The application: settings in, ASGI app out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from content_coding import ContentCoding, coded, wished
from db.blobs import open_store
from db.engine import Database
from db.reading_store import ReadingStore
from db.reads import Reads
from direct import Answer, Asked, AtOnce
from domain import erasure
from domain.conversations import Custody
from domain.draws import Draws
from domain.feed import Hub
from domain.indexing import Indexer
from domain.login_attempts import LoginAttempts
from domain.mail import Outbox, Smtp
from domain.mail_links import ASKED_MAX, TOO_OFTEN
from domain.passwords import Passwords
from domain.pruning import Pruner
from domain.reading.reader import Reader
from domain.recent import RecentActors
from domain.services import Services
from domain.shared_budgets import SharedBudgets
from domain.sweeps import SWEEPS, Sweeps
from domain.throttle import Throttle
from domain.tokens import Tokens
from graph.build import GraphQLApp, create_graphql_app
from graph.lane import Head
from pages import page_routes
from rest_compat.endpoint import method_not_allowed, not_found
from rest_compat.routes import ROUTES
from scripts import script_routes
from settings import Settings


def create_app(settings: Settings) -> Starlette:
    """The whole server for one database. `settings` must name it and the JWT secret."""
    services = build_services(settings)
    draws = Draws(settings.pattern_epsilon, settings.pattern_epsilon_total)
    sweeps = Sweeps(services.db, [*SWEEPS, draws, erasure.sweep_of(services)])
    pruner = Pruner(services.db, settings.log_retention, settings.audit_retention)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await services.hub.start()
        services.reader.start()
        services.outbox.start()
        services.indexer.start()
        sweeps.start()
        pruner.start()
        try:
            yield
        finally:
            await pruner.stop()
            await sweeps.stop()
            await services.indexer.stop()
            await services.outbox.stop()
            await services.reader.stop()
            await services.hub.stop()
            services.passwords.close()
            await services.custody.close()
            await services.reads.close()
            await services.db.close()

    graph = create_graphql_app(services)
    app = _Application(
        graph,
        routes=[
            *ROUTES,
            Route("/graphql", graph),
            WebSocketRoute("/graphql", graph),
            *script_routes(settings.public_url),
            *page_routes(graphiql=settings.shows_graphiql),
        ],
        middleware=[Middleware(ContentCoding)],
        exception_handlers={404: not_found, 405: method_not_allowed},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.services = services
    return app


class _GraphAtOnce(AtOnce):
    """The graph's requests that can be answered without a task, in the coding that is wished."""

    path = "/graphql"

    def __init__(self, graph: GraphQLApp) -> None:
        super().__init__()
        self._graph = graph

    def head(self, scope: Scope) -> tuple[Head, str | None] | None:
        """Who sends such requests, and the coding."""
        head = self._graph.head(scope)
        return None if head is None else (head, wished(scope))

    def ask(self, head: tuple[Head, str | None], body: bytes, answer: Answer) -> Asked | None:
        """Take one that needs nothing but rows."""
        sender, coding = head
        return self._graph.ask(sender, body, answer if coding is None else coded(coding, answer))


class _Application(Starlette):
    """Starlette, with the graph in front of its routes: finding one takes as long as a read."""

    def __init__(self, graph: GraphQLApp, **options: Any) -> None:
        super().__init__(**options)
        self._graph, self._coded = graph, ContentCoding(graph)
        self.at_once = _GraphAtOnce(graph)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, socket or lifespan."""
        if scope["type"] != "http" or scope["path"] != "/graphql":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        plain = scope["method"] == "POST" and not any(
            name == b"accept-encoding" for name, _value in scope["headers"]
        )
        await (self._graph if plain else self._coded)(scope, receive, send)


def build_services(settings: Settings) -> Services:
    """The collaborators of all operations. Raises ValueError when a required setting is missing."""
    if settings.database_url is None or settings.jwt_secret is None:
        raise ValueError("database_url and jwt_secret must be set before the app is made")
    pool, role = settings.database_pool, settings.database_role
    db = Database(settings.database_url, pool_size=pool, role=role)
    blobs = open_store(settings.blob_place)
    custody = Custody(db, blobs, settings)
    tokens = Tokens(settings.jwt_secret, settings.jwt_expires_in)
    secret = tokens.derive("login attempts")
    smtp = None
    if settings.smtp_url is not None and settings.mail_from is not None:
        smtp = Smtp.of(settings.smtp_url, settings.mail_from)
    return Services(
        settings=settings,
        db=db,
        reads=Reads(settings.database_url, size=pool, role=role),
        passwords=Passwords(settings.bcrypt_rounds),
        tokens=tokens,
        recent=RecentActors(db),
        throttle=Throttle(settings, SharedBudgets(db, settings.rate_limit_window_ms / 1000)),
        logins=LoginAttempts(db, secret, settings.login_attempts_max),
        mails=LoginAttempts(db, tokens.derive("mails"), ASKED_MAX, TOO_OFTEN),
        outbox=Outbox(smtp),
        hub=Hub(db),
        indexer=Indexer(db),
        custody=custody,
        reader=Reader(ReadingStore(db.dsn, role), custody, settings.reading_line_max),
    )
