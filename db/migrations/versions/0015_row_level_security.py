"""Row-level security: no row without a claim to it, whatever a query forgets.

Revision ID: 0015
Revises: 0014

`docs/decisions/0004-row-level-security.md` says why it is like this.
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Who asks, and the server's own work, as the transaction has claimed it.
_WHO = """
CREATE FUNCTION teamlore_account() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('teamlore.account', true), '')::uuid
$$;
CREATE FUNCTION teamlore_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(current_setting('teamlore.system', true), '') <> ''
$$;
"""

# As the owner. Where the owner itself is bound, it needs a claim of its own for a moment, since the
# policy of memberships asks this very function; it cannot be a SET of the function's, which takes
# a superuser.
_SCOPES = """
CREATE FUNCTION teamlore_scopes() RETURNS uuid[]
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    account uuid := nullif(current_setting('teamlore.account', true), '')::uuid;
    claimed text := coalesce(current_setting('teamlore.system', true), '');
    found uuid[];
BEGIN
    IF account IS NULL THEN
        RETURN coalesce(nullif(current_setting('teamlore.scopes', true), ''), '{}')::uuid[];
    END IF;
    PERFORM set_config('teamlore.system', 'scopes of an account', true);
    found := ARRAY(SELECT m.scope_id FROM memberships m WHERE m.account_id = account);
    PERFORM set_config('teamlore.system', claimed, true);
    RETURN found;
END $$
"""

SYSTEM = "(SELECT teamlore_system())"
ME = "(SELECT teamlore_account())"
MINE = "ANY ((SELECT teamlore_scopes())::uuid[])"

IN_SCOPE = (
    "memberships",
    "invitations",
    "knowledge",
    "stars",
    "summaries",
    "sessions",
    "conversation_versions",
    "session_shares",
    "sweeps",
    "readings",
    "reading_due",
    "messages",
    "token_usage",
    "log",
)
OF_ACCOUNT = {"api_keys": "account_id", "mail_tokens": "account_id", "accounts": "id"}

# What a team may read of its members' sessions, and only read: see `db.session_shares`.
_SHARED = """
EXISTS (
    SELECT FROM session_shares share
    WHERE share.owner_id = {table}.scope_id AND share.session = {table}.{session}
        AND share.deleted_at IS NULL AND (share.expires_at IS NULL OR share.expires_at > now())
        {more}
)
"""
_SAID = """
        AND {table}.file = '' AND NOT {table}.sidechain AND {table}.at <= share.shared_at
        AND 'conversation' = ANY (share.shown)
"""

READABLE = {
    "sessions": _SHARED.format(table="sessions", session="id", more=""),
    "messages": _SHARED.format(
        table="messages", session="session", more=_SAID.format(table="messages")
    ),
    "log": "scope_id = 'c0000000-0000-4000-8000-000000000000'",
    "scopes": "kind = 'community'",
    "accounts": "EXISTS (SELECT FROM memberships m WHERE m.account_id = accounts.id)",
}
"""What may be read besides; the sub-selects are themselves under the policies of their tables."""

AUDITED = f"account_id = {ME} OR actor_id = {ME} OR team_id = {MINE}"


def upgrade() -> None:
    for function in (*_WHO.split(";\n"), _SCOPES):
        if function.strip():
            op.execute(function)
    for table in IN_SCOPE:
        protect(table, f"scope_id = {MINE}")
    for table, column in OF_ACCOUNT.items():
        protect(table, f"{column} = {ME}")
    # Its founder sees a team before being in it, and is its first member.
    protect("scopes", f"id = {MINE} OR owner_id = {ME}")
    op.execute(
        "CREATE POLICY founded ON memberships FOR INSERT WITH CHECK (account_id = "
        f"{ME} AND EXISTS (SELECT FROM scopes s WHERE s.id = scope_id AND s.owner_id = {ME}))"
    )
    for table, condition in READABLE.items():
        op.execute(f"CREATE POLICY readable ON {table} FOR SELECT USING ({condition})")
    _protect_audit()


def protect(table: str, condition: str) -> None:
    """Let rows be seen and written where `condition` holds, and by the server's own work."""
    _force(table)
    op.execute(f"CREATE POLICY owned ON {table} USING ({SYSTEM} OR {condition})")


def _force(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _protect_audit() -> None:
    """What somebody does to another is written for the other, by who does it."""
    _force("audit")
    op.execute(f"CREATE POLICY owned ON audit FOR SELECT USING ({SYSTEM} OR {AUDITED})")
    op.execute(f"CREATE POLICY done ON audit FOR INSERT WITH CHECK ({SYSTEM} OR actor_id = {ME})")
    # The trigger refuses both, and says why.
    op.execute(f"CREATE POLICY kept ON audit FOR UPDATE USING ({SYSTEM} OR {AUDITED})")
    op.execute(f"CREATE POLICY kept_all ON audit FOR DELETE USING ({SYSTEM} OR {AUDITED})")


def downgrade() -> None:
    for table in (*IN_SCOPE, *OF_ACCOUNT, "scopes", "audit"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table in (*IN_SCOPE, *OF_ACCOUNT, "scopes", "audit"):
        op.execute(f"DROP POLICY IF EXISTS owned ON {table}")
        op.execute(f"DROP POLICY IF EXISTS readable ON {table}")
    op.execute("DROP POLICY founded ON memberships")
    for policy in ("done", "kept", "kept_all"):
        op.execute(f"DROP POLICY {policy} ON audit")
    for function in ("scopes", "account", "system"):
        op.execute(f"DROP FUNCTION teamlore_{function}()")
