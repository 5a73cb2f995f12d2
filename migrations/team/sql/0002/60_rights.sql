-- Who may what. Row-level security holds for everybody, the owner of the tables included; the functions of this schema
-- run as that owner, who is let through by a policy, and nobody is of that role.

DO $$
DECLARE
    v_table text;
BEGIN
    FOREACH v_table IN ARRAY ARRAY['meta', 'member', 'device', 'project', 'project_head', 'project_member', 'entity',
        'change', 'device_count', 'erased_ahead', 'erased_file', 'file_use', 'blob_chunk', 'presence', 'policy', 'rule',
        'look_alike', 'used', 'turn', 'alembic_version']
    LOOP
        EXECUTE format('ALTER TABLE cd.%I ENABLE ROW LEVEL SECURITY', v_table);
        EXECUTE format('ALTER TABLE cd.%I FORCE ROW LEVEL SECURITY', v_table);
        EXECUTE format('CREATE POLICY functions ON cd.%I TO CURRENT_USER USING (true) WITH CHECK (true)', v_table);
    END LOOP;
END
$$;

-- (SELECT …): asked once for each statement, not for each row.
CREATE POLICY members ON cd.meta FOR SELECT USING ((SELECT cd.me()) IS NOT NULL);
CREATE POLICY members ON cd.policy FOR SELECT USING ((SELECT cd.me()) IS NOT NULL);
CREATE POLICY peers ON cd.member FOR SELECT USING (id = ANY ((SELECT cd.my_peers())::uuid[]));
CREATE POLICY own ON cd.device FOR SELECT
    USING (member_id = (SELECT cd.me()) OR (SELECT cd.is_workspace_owner()));
CREATE POLICY mine ON cd.project FOR SELECT USING (id = ANY ((SELECT cd.my_projects_and_ended())::uuid[]));
CREATE POLICY mine ON cd.project_head FOR SELECT
    USING (project_id = ANY ((SELECT cd.my_projects_and_ended())::uuid[]));
CREATE POLICY mine ON cd.project_member FOR SELECT USING (project_id = ANY ((SELECT cd.my_projects())::uuid[]));
CREATE POLICY mine ON cd.change FOR SELECT USING (project_id = ANY ((SELECT cd.my_projects())::uuid[]));
CREATE POLICY mine ON cd.blob_chunk FOR SELECT USING (project_id = ANY ((SELECT cd.my_projects())::uuid[]));
CREATE POLICY writers ON cd.blob_chunk FOR INSERT WITH CHECK (project_id = ANY ((SELECT cd.my_writable())::uuid[]));
CREATE POLICY mine ON cd.presence FOR SELECT
    USING (project_id = ANY ((SELECT cd.my_projects())::uuid[]) AND expires_at > now());

-- Functions may be called by nobody, also those of later migrations, unless it is said here.
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA cd FROM PUBLIC;

DO $$
DECLARE
    v_group text := current_setting('chatdesk.prefix');
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA cd TO %I', v_group);
    EXECUTE format(
        'GRANT SELECT ON cd.meta, cd.policy, cd.device, cd.project, cd.project_head, cd.project_member, cd.change,'
        ' cd.blob_chunk, cd.presence, cd.missing, cd.team_usage TO %I', v_group);
    -- Neither where others are told of what concerns them alone, nor the names of their logins, by which the server's own
    -- lists say who is connected.
    EXECUTE format('GRANT SELECT (id, display_name, is_owner, status, invited_by, invited_at, accepted_at, removed_at)'
        ' ON cd.member TO %I', v_group);
    EXECUTE format('GRANT INSERT (project_id, sha256, idx, total, data) ON cd.blob_chunk TO %I', v_group);
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION cd.me(), cd.my_projects(), cd.my_projects_and_ended(), cd.my_writable(),'
        ' cd.my_peers(), cd.is_workspace_owner(), cd.tokens(jsonb), cd.workspace(),'
        ' cd.hello(uuid, text, text, integer), cd.view_since(uuid, integer, bigint),'
        ' cd.acknowledge(uuid, jsonb), cd.push(uuid, uuid, integer, jsonb),'
        ' cd.accept_loss(uuid, jsonb, integer), cd.poke(uuid), cd.create_project(uuid), cd.end_project(uuid),'
        ' cd.set_role(uuid, uuid, text), cd.leave_project(uuid), cd.set_presence(uuid, uuid, uuid, text),'
        ' cd.invite(text, text, text, jsonb, timestamptz), cd.accept_invite(text, text), cd.change_password(text),'
        ' cd.rename_me(text), cd.rename_workspace(text), cd.remove_device(uuid), cd.remove_member(uuid),'
        ' cd.set_workspace_owner(uuid, boolean), cd.disconnect_removed(), cd.end_connections(uuid), cd.blockers(),'
        ' cd.set_policy(jsonb), cd.discard_broken_file(uuid, text), cd.erase_project(uuid), cd.tidy(uuid, integer)'
        ' TO %I',
        v_group);
END
$$;
