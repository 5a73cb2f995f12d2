-- Divides the tables that grow by project where whoever sets up asks for it: chatdesk.partitions is how many parts, and
-- where it is not set, or 0, they stay whole. It is chosen once: a workspace is moved into another number by a dump
-- (docs/team-growth.md).

DO $$
DECLARE
    v_parts integer := coalesce(nullif(current_setting('chatdesk.partitions', true), ''), '0')::integer;
    v_table text;
    v_part text;
BEGIN
    IF v_parts NOT BETWEEN 0 AND 256 OR v_parts = 1 THEN
        RAISE EXCEPTION 'chatdesk.partitions has to be 0, or 2 to 256' USING ERRCODE = 'CD009';
    END IF;
    FOREACH v_table IN ARRAY CASE WHEN v_parts > 0 THEN ARRAY['entity', 'change', 'file_use', 'blob_chunk'] ELSE '{}' END LOOP
        EXECUTE format('ALTER TABLE cd.%I RENAME TO %I', v_table, v_table || '_whole');
        EXECUTE format('CREATE TABLE cd.%I (LIKE cd.%I INCLUDING ALL) PARTITION BY HASH (project_id)',
            v_table, v_table || '_whole');
        EXECUTE format('DROP TABLE cd.%I', v_table || '_whole');
        FOR v_number IN 0 .. v_parts - 1 LOOP
            v_part := format('%s_%s', v_table, to_char(v_number, 'FM000'));
            EXECUTE format('CREATE TABLE cd.%I PARTITION OF cd.%I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
                v_part, v_table, v_parts, v_number);
            -- Reached through the whole only, whose policies hold there.
            EXECUTE format('ALTER TABLE cd.%I ENABLE ROW LEVEL SECURITY', v_part);
            EXECUTE format('ALTER TABLE cd.%I FORCE ROW LEVEL SECURITY', v_part);
        END LOOP;
    END LOOP;
    IF v_parts > 0 THEN
        ALTER TABLE cd.blob_chunk ADD FOREIGN KEY (project_id) REFERENCES cd.project;
    END IF;
END
$$;
