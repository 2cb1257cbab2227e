"""Row-level security looks an account's scopes up once a statement, and memberships in an index.

A planned read makes its claim within the statement (see `db.reads.CLAIM`). Its claim looks the
memberships up and keeps them, with the account that they belong to, until the statement's
transaction ends; every other claim is looked up as it ever was, whenever a policy asks.

Whether somebody is a team-mate is asked once for each author shown, by the policy and by the query:
from the index alone, now that it holds both columns.

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# The schema is written out instead of a `SET search_path`, which costs more than the look-up.
# As before, the function claims to be the system for a moment, in case the owner itself is bound.
_CLAIM = """
CREATE FUNCTION teamlore_claim(account uuid) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER AS $$
DECLARE
    told text := set_config('teamlore.account', account::text, true);
    claimed text := coalesce(current_setting('teamlore.system', true), '');
    found uuid[];
BEGIN
    told := set_config('teamlore.system', 'scopes of an account', true);
    found := ARRAY(SELECT m.scope_id FROM {schema}.memberships m WHERE m.account_id = account);
    told := set_config('teamlore.system', claimed, true);
    told := set_config('teamlore.found', account::text || found::text, true);
    RETURN true;
END $$
"""
# What was found counts for the account that is claimed at this moment, and for no other.
_SCOPES = """
CREATE FUNCTION teamlore_scopes() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL RESTRICTED AS $$
    SELECT CASE
        WHEN substr(current_setting('teamlore.found', true), 1, 36)
            = current_setting('teamlore.account', true)
        THEN substr(current_setting('teamlore.found', true), 37)::uuid[]
        ELSE teamlore_memberships()
    END
$$
"""


def upgrade() -> None:
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute(_CLAIM.format(schema=schema))
    # Policies refer to functions by identity: the old one gets the new body, a new one the old.
    op.execute(
        f"""
        DO $do$ BEGIN
            EXECUTE replace(
                pg_get_functiondef('{schema}.teamlore_scopes()'::regprocedure),
                'teamlore_scopes()', 'teamlore_memberships()'
            );
        END $do$
        """
    )
    op.execute(_SCOPES.replace("CREATE", "CREATE OR REPLACE", 1))

    _index("account_id", "scope_id")


def _index(*columns: str) -> None:
    op.drop_index("memberships_account_id_idx", "memberships")
    op.create_index("memberships_account_id_idx", "memberships", list(columns))


def downgrade() -> None:
    _index("account_id")
    op.execute(
        """
        DO $do$ BEGIN
            EXECUTE replace(
                pg_get_functiondef('teamlore_memberships()'::regprocedure),
                'teamlore_memberships()', 'teamlore_scopes()'
            );
        END $do$
        """
    )
    op.execute("DROP FUNCTION teamlore_memberships()")
    op.execute("DROP FUNCTION teamlore_claim(uuid)")
