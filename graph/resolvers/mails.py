"""What is done by codes in mails: a forgotten password, an address that is one's own."""

from __future__ import annotations

import strawberry

from domain import mail_links
from domain.mail_links import Forgotten, NewPassword, Own, Proof
from graph.context import Info
from graph.guards import public, signed_in
from graph.schema.account_inputs import (
    RequestEmailVerificationInput,
    RequestEmailVerificationPayload,
    RequestPasswordResetInput,
    RequestPasswordResetPayload,
    ResetPasswordInput,
    ResetPasswordPayload,
    VerifyEmailInput,
    VerifyEmailPayload,
)
from graph.schema.problems import (
    ConflictProblem,
    ForbiddenProblem,
    InvalidInput,
    NotFoundProblem,
    RateLimitedProblem,
    mutation,
    parse_input,
)
from graph.schema.viewer import Viewer


@strawberry.type
class MailMutations:
    """Root mutations about mails."""

    @mutation(
        RequestPasswordResetPayload,
        [InvalidInput, ForbiddenProblem, RateLimitedProblem],
        "Have a code sent to an e-mail address that lets its owner choose another password. The "
        "answer is the same whether or not there is such an account. Forbidden where the server "
        "sends no mail: its operator helps then.",
    )
    @public
    async def request_password_reset(
        self, info: Info, input: RequestPasswordResetInput
    ) -> RequestPasswordResetPayload:
        """Ask for a code."""
        given = parse_input(Forgotten, input)
        await mail_links.request_reset(info.context.services, given, info.context.origin)
        return RequestPasswordResetPayload(email=given.email)

    @mutation(
        ResetPasswordPayload,
        [InvalidInput, NotFoundProblem, ConflictProblem],
        "Choose another password with a code that was sent by mail. Every token made so far ends "
        "at once, and every API key if you say so.",
    )
    @public
    async def reset_password(self, info: Info, input: ResetPasswordInput) -> ResetPasswordPayload:
        """Use a code."""
        given = parse_input(NewPassword, input)
        made = await mail_links.reset_password(info.context.services, given, info.context.origin)
        return ResetPasswordPayload(viewer=Viewer.of(made.account), token=made.token)

    @mutation(
        RequestEmailVerificationPayload,
        [InvalidInput, ForbiddenProblem, ConflictProblem, RateLimitedProblem],
        "Have a code sent to your own address that proves it to be yours; a new account gets one "
        "unasked. Forbidden where the server sends no mail.",
    )
    @signed_in
    async def request_email_verification(
        self, info: Info, input: RequestEmailVerificationInput | None = None
    ) -> RequestEmailVerificationPayload:
        """Ask for a code."""
        given = parse_input(Own, input or RequestEmailVerificationInput())
        services, actor = info.context.services, info.context.actor
        email = await mail_links.request_verification(services, actor, given)
        return RequestEmailVerificationPayload(email=email)

    @mutation(
        VerifyEmailPayload,
        [InvalidInput, NotFoundProblem],
        "Prove an address to be yours with a code that was sent to it. It takes no credential.",
    )
    @public
    async def verify_email(self, info: Info, input: VerifyEmailInput) -> VerifyEmailPayload:
        """Use a code."""
        given = parse_input(Proof, input)
        await mail_links.verify_email(info.context.services, given, info.context.origin)
        return VerifyEmailPayload(verified=True)
