-- Who and what there is in a workspace, read by difference: each row of people says when it was last changed, in
-- microseconds of the server's clock, and whoever knows it as of then asks for what is newer. Somebody who idles asks one
-- statement, which finds nothing in three short indexes.

CREATE FUNCTION cd.now_us() RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = cd, pg_temp
AS $$
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint
$$;

ALTER TABLE cd.member ADD COLUMN changed bigint NOT NULL DEFAULT 0;

ALTER TABLE cd.device ADD COLUMN changed bigint NOT NULL DEFAULT 0;

ALTER TABLE cd.project_member ADD COLUMN changed bigint NOT NULL DEFAULT 0;

CREATE INDEX member_changed ON cd.member (changed);

CREATE INDEX device_changed ON cd.device (changed);

CREATE INDEX project_member_changed ON cd.project_member (changed);

CREATE FUNCTION cd.note_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = cd, pg_temp
AS $$
BEGIN
    NEW.changed := cd.now_us();
    RETURN NEW;
END
$$;

CREATE TRIGGER made BEFORE INSERT ON cd.member FOR EACH ROW EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER made BEFORE INSERT ON cd.device FOR EACH ROW EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER made BEFORE INSERT ON cd.project_member FOR EACH ROW EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER changed BEFORE UPDATE ON cd.member FOR EACH ROW
    WHEN ((OLD.display_name, OLD.is_owner, OLD.status) IS DISTINCT FROM (NEW.display_name, NEW.is_owner, NEW.status))
    EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER changed BEFORE UPDATE ON cd.device FOR EACH ROW
    WHEN ((OLD.member_id, OLD.name, OLD.app_version, OLD.removed_at)
        IS DISTINCT FROM (NEW.member_id, NEW.name, NEW.app_version, NEW.removed_at))
    EXECUTE FUNCTION cd.note_change();

CREATE TRIGGER changed BEFORE UPDATE ON cd.project_member FOR EACH ROW
    WHEN (OLD.role IS DISTINCT FROM NEW.role)
    EXECUTE FUNCTION cd.note_change();

-- All that the policies of 60_rights let the caller read of people and projects, once for each poll: the heads of projects
-- whole, of people only what changed since p_since (0: everything). What of others became visible meanwhile, because the
-- caller was let into a project or became an owner of the workspace, counts as changed. A minute is asked for twice: what
-- was changed a moment before may have been committed a moment after somebody looked. Who keeps a transaction open for
-- longer is told of by the hint that comes with its commit, which names the time (see cd.tell).
-- CD002, CD003: see need_me; CD006: the device is not the caller's any more. An outdated protocol is told its mode alone.
CREATE FUNCTION cd.view_since(p_device uuid, p_proto integer, p_since bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = cd, pg_temp
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off
AS $$
DECLARE
    v_me uuid := cd.need_me();
    v_mode text := cd.mode(p_proto);
    v_now bigint := cd.now_us();
    v_floor bigint := CASE WHEN p_since BETWEEN 1 AND v_now + 60000000 THEN p_since - 60000000 ELSE -1 END;
    v_is_owner boolean;
    v_mine uuid[];  -- the caller's projects, v_met: those that were deleted for all, too
    v_met uuid[];
    v_new uuid[];
    v_said jsonb;
    v_found jsonb;
BEGIN
    SELECT m.is_owner, CASE WHEN m.changed > v_floor THEN -1 ELSE v_floor END INTO v_is_owner, v_floor
    FROM cd.member m WHERE m.id = v_me;
    SELECT jsonb_build_object(
        'workspace_id', t.workspace_id, 'workspace_name', t.name, 'schema', t.schema_version, 'mode', v_mode,
        'member_id', m.id, 'member_name', m.display_name, 'is_owner', m.is_owner, 'channel', m.channel,
        'server_time_ms', cd.now_ms(), 'version', v_now, 'is_whole', v_floor < 0
    ) INTO v_said FROM cd.meta t, cd.member m WHERE m.id = v_me;
    IF v_mode = 'blocked' THEN
        RETURN v_said;
    END IF;
    PERFORM cd.need_device(p_device, v_me);
    -- Once in a quarter of an hour is enough for who looks after the server.
    UPDATE cd.device d SET last_seen = now() WHERE d.id = p_device AND d.last_seen < now() - interval '15 minutes';
    SELECT coalesce(array_agg(p.project_id) FILTER (WHERE j.deleted_at IS NULL), '{}'),
        coalesce(array_agg(p.project_id), '{}'),
        coalesce(array_agg(p.project_id) FILTER (WHERE p.changed > v_floor), '{}')
    INTO v_mine, v_met, v_new
    FROM cd.project_member p JOIN cd.project j ON j.id = p.project_id
    WHERE p.member_id = v_me AND p.role IS NOT NULL;
    SELECT jsonb_build_object(
        'projects', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(j.id,
                CASE WHEN j.deleted_at IS NULL THEN p.role ELSE 'viewer' END, j.channel, h.seq,
                j.deleted_at IS NOT NULL, j.created_by = v_me, j.erased_at IS NOT NULL) ORDER BY j.id), '[]')
            FROM cd.project_member p JOIN cd.project j ON j.id = p.project_id
            JOIN cd.project_head h ON h.project_id = j.id
            WHERE p.member_id = v_me AND p.role IS NOT NULL
        ),
        'roles', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(p.project_id, p.member_id, p.role)
                ORDER BY p.project_id, p.member_id), '[]')
            FROM (
                SELECT r.project_id, r.member_id, r.role FROM cd.project_member r
                WHERE r.changed > v_floor AND r.project_id = ANY (v_mine)
                UNION
                SELECT r.project_id, r.member_id, r.role FROM cd.project_member r
                WHERE r.project_id = ANY (v_new) AND r.project_id = ANY (v_mine)
            ) AS p
            WHERE p.role IS NOT NULL OR v_floor >= 0
        ),
        'members', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(m.id, m.display_name, m.is_owner, m.status,
                floor(extract(epoch FROM m.invited_at) * 1000)::bigint) ORDER BY m.id), '[]')
            FROM (
                SELECT n.id FROM cd.member n
                WHERE n.changed > v_floor AND (v_is_owner OR n.id = v_me OR EXISTS (
                    SELECT FROM cd.project_member r WHERE r.member_id = n.id AND r.project_id = ANY (v_met)))
                UNION
                -- Who came into a project of the caller's is a new face to them.
                SELECT r.member_id FROM cd.project_member r
                WHERE r.project_id = ANY (v_new) OR (r.changed > v_floor AND r.project_id = ANY (v_mine))
            ) AS seen
            JOIN cd.member m ON m.id = seen.id
        ),
        'devices', (
            SELECT coalesce(jsonb_agg(jsonb_build_array(d.id, d.member_id, d.name, d.app_version,
                floor(extract(epoch FROM d.last_seen) * 1000)::bigint, d.removed_at IS NOT NULL) ORDER BY d.id), '[]')
            FROM cd.device d
            WHERE d.changed > v_floor AND (v_is_owner OR d.member_id = v_me) AND (d.removed_at IS NULL OR v_floor >= 0)
        ),
        'presence', cd.presence_in(v_mine, v_me)
    ) INTO v_found;
    RETURN v_said || v_found;
END
$$;
