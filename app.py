"""The application: settings in, ASGI app out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route, WebSocketRoute

from content_coding import ContentCoding
from db.blobs import open_store
from db.engine import Database
from db.reading_store import ReadingStore
from domain.conversations import Custody
from domain.draws import Draws
from domain.feed import Hub
from domain.passwords import Passwords
from domain.pruning import Pruner
from domain.reading.reader import Reader
from domain.services import Services
from domain.sweeps import SWEEPS, Sweeps
from domain.throttle import Throttle
from domain.tokens import Tokens
from graph.build import create_graphql_app
from pages import page_routes
from rest_compat.endpoint import method_not_allowed, not_found
from rest_compat.routes import ROUTES
from scripts import script_routes
from settings import Settings


def create_app(settings: Settings) -> Starlette:
    """The whole server for one database. `settings` must name it and the JWT secret."""
    services = build_services(settings)
    draws = Draws(settings.pattern_epsilon, settings.pattern_epsilon_total)
    sweeps = Sweeps(services.db, (*SWEEPS, draws))
    pruner = Pruner(services.db, settings.log_retention)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await services.hub.start()
        await services.reader.start()
        sweeps.start()
        pruner.start()
        try:
            yield
        finally:
            await pruner.stop()
            await sweeps.stop()
            await services.reader.stop()
            await services.hub.stop()
            services.passwords.close()
            await services.custody.close()
            await services.db.close()

    graph = create_graphql_app(services)
    app = Starlette(
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


def build_services(settings: Settings) -> Services:
    """The collaborators of all operations. Raises ValueError when a required setting is missing."""
    if settings.database_url is None or settings.jwt_secret is None:
        raise ValueError("database_url and jwt_secret must be set before the app is made")
    db = Database(settings.database_url, pool_size=settings.database_pool)
    blobs = open_store(settings.blob_place)
    custody = Custody(db, blobs, settings)
    return Services(
        settings=settings,
        db=db,
        passwords=Passwords(settings.bcrypt_rounds),
        tokens=Tokens(settings.jwt_secret, settings.jwt_expires_in),
        throttle=Throttle(settings),
        hub=Hub(db),
        custody=custody,
        reader=Reader(ReadingStore(db.dsn), custody, settings.reading_line_max),
    )
