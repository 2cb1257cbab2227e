"""The caller's sessions: lists, one of them, what their owner does with them."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from domain import session_changes, sessions, sharing
from domain.errors import Invalid, NotFound
from domain.reading import shared
from domain.session_changes import SessionChange
from domain.sharing import NewShare
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.mapping import Many, One, mapped
from graph.schema import ids
from graph.schema.paging import After, Before, Connection, First, Last, window
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    mutation,
    parse_input,
)
from graph.schema.session import Session
from graph.schema.session_inputs import (
    DeleteSessionInput,
    DeleteSessionPayload,
    ShareSessionInput,
    ShareSessionPayload,
    UnshareSessionInput,
    UnshareSessionPayload,
    UpdateSessionInput,
    UpdateSessionPayload,
)
from graph.schema.session_list import Narrowed, OfProject, Ordered, SessionOrder, session_page
from graph.schema.shared_message import RedactionPreview
from graph.schema.shared_session import SharedSession


@mapped(sessions=Many("sessions"), session=One("named session"))
@strawberry.type
class SessionQueries:
    """Root fields about sessions."""

    @computed("Your sessions of Claude Code, last changed first unless you say otherwise.")
    @signed_in
    async def sessions(
        self,
        info: Info,
        *,
        project: OfProject = None,
        filter: Narrowed = None,
        order_by: Ordered = SessionOrder.UPDATED,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Session]:
        """A page of the caller's sessions."""
        asked = window(first, after, last, before)
        return await session_page(info, asked, filter, project, order_by)

    @computed(
        "One session of yours, by `id` or by Claude Code's own `sessionId`; an error NOT_FOUND for "
        "any other."
    )
    @signed_in
    async def session(
        self,
        info: Info,
        id: Annotated[ID | None, strawberry.argument(description="The session's id.")] = None,
        session_id: Annotated[
            str | None,
            strawberry.argument(description="Claude Code's id of the session, in place of `id`."),
        ] = None,
    ) -> Session | None:
        """A session of the caller's."""
        if (id is None) == (session_id is None):
            raise Invalid.at("id", "give either id or sessionId")
        if session_id is not None:
            found = await sessions.get(info.context.services.db, info.context.actor, session_id)
            return Session.of(found)
        loaded = await info.context.loaders.sessions.load(ids.decode("Session", id or "", "id"))
        if loaded is None:
            raise NotFound("No such session")
        return Session.of(loaded)

    @computed(
        "What would be masked if you shared the conversation of this session of yours with a team; "
        "an error NOT_FOUND for any other."
    )
    @signed_in
    async def redaction_preview(
        self,
        info: Info,
        session_id: Annotated[ID, strawberry.argument(description="The session's id.")],
    ) -> RedactionPreview:
        """A look before sharing."""
        wanted = ids.decode("Session", session_id, "sessionId")
        session = await info.context.loaders.sessions.load(wanted)
        if session is None:
            raise NotFound("No such session")
        db, actor = info.context.services.db, info.context.actor
        return RedactionPreview.of(await shared.preview(db, actor, session))


@strawberry.type
class SessionMutations:
    """Root mutations about sessions."""

    @mutation(
        UpdateSessionPayload,
        [InvalidInput, NotFoundProblem, ConflictProblem],
        "Say something about a session of yours.",
    )
    @signed_in
    async def update_session(self, info: Info, input: UpdateSessionInput) -> UpdateSessionPayload:
        """Change one session."""
        session_id = ids.decode("Session", input.id, "input", "id")
        data = parse_input(SessionChange, input)
        changed = await session_changes.edit(
            info.context.services.db, info.context.actor, session_id, data
        )
        return UpdateSessionPayload(session=Session.of(changed))

    @mutation(
        DeleteSessionPayload,
        [InvalidInput, NotFoundProblem, ConflictProblem],
        "Delete a session of yours with its whole conversation. There is no way back.",
    )
    @signed_in
    async def delete_session(self, info: Info, input: DeleteSessionInput) -> DeleteSessionPayload:
        """Delete one session."""
        session_id = ids.decode("Session", input.id, "input", "id")
        await sessions.delete(info.context.services.db, info.context.actor, str(session_id))
        return DeleteSessionPayload(deleted_id=ids.encode("Session", session_id))

    @mutation(
        ShareSessionPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Show a session of yours to a team: what you choose of its facts, never its bytes.",
    )
    @signed_in
    async def share_session(self, info: Info, input: ShareSessionInput) -> ShareSessionPayload:
        """Share one session with one team."""
        session_id = ids.decode("Session", input.id, "input", "id")
        data = parse_input(
            NewShare,
            input,
            team_id=ids.decode("Team", input.team_id, "input", "teamId"),
            show=input.show and [fact.value for fact in input.show],
        )
        shared = await sharing.share(info.context.services.db, info.context.actor, session_id, data)
        return ShareSessionPayload(shared_session=SharedSession.of(shared))

    @mutation(
        UnshareSessionPayload,
        [InvalidInput, NotFoundProblem, ForbiddenProblem],
        "Show a session to a team no longer.",
    )
    @signed_in
    async def unshare_session(
        self, info: Info, input: UnshareSessionInput
    ) -> UnshareSessionPayload:
        """End one share."""
        share_id = ids.decode("SharedSession", input.id, "input", "id")
        await sharing.unshare(info.context.services.db, info.context.actor, share_id)
        return UnshareSessionPayload(unshared_id=ids.encode("SharedSession", share_id))
