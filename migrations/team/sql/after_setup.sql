-- After the first migration, in its transaction: the workspace, and its owner as the first member, with a login.
-- Settings of the transaction: chatdesk.prefix, chatdesk.workspace_id, chatdesk.workspace_name, chatdesk.member_name,
-- chatdesk.login, chatdesk.verifier (a password as SCRAM-SHA-256 keeps it, so that it never stands in a log).

INSERT INTO cd.meta (workspace_id, name, grp)
VALUES (
    current_setting('chatdesk.workspace_id')::uuid,
    current_setting('chatdesk.workspace_name'),
    current_setting('chatdesk.prefix')
);

SELECT cd.make_login(current_setting('chatdesk.login'), current_setting('chatdesk.verifier'), 'infinity');

INSERT INTO cd.member (role_name, display_name, is_owner, status, accepted_at)
VALUES (current_setting('chatdesk.login'), current_setting('chatdesk.member_name'), true, 'active', now());

DO $$
DECLARE
    v_prefix text := current_setting('chatdesk.prefix');
BEGIN
    RESET ROLE;
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), v_prefix);
    EXECUTE format('REVOKE %I FROM CURRENT_USER', v_prefix || '_owner');
END
$$;
