-- After later migrations, in their transaction.

DO $$
BEGIN
    RESET ROLE;
    EXECUTE format('REVOKE %I FROM CURRENT_USER', current_setting('chatdesk.prefix') || '_owner');
END
$$;
