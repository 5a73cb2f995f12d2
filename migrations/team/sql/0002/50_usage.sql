-- What the team's answers and summaries took, for any tool that reads SQL: by project, member, model and day (UTC). A row
-- of the log counts where it came from; whoever asks sees the projects they are in, as everywhere. Numbers are what
-- vendors reported; bodies are members' words, so that anything that is no sensible number counts as nothing.

CREATE FUNCTION cd.tokens(p_value jsonb) RETURNS bigint
LANGUAGE sql IMMUTABLE SET search_path = cd, pg_temp
AS $$
    SELECT CASE
        WHEN jsonb_typeof(p_value) = 'number' AND p_value >= '0' AND p_value <= '1000000000'
        THEN trunc((p_value #>> '{}')::numeric)::bigint
        ELSE 0
    END
$$;

CREATE VIEW cd.team_usage WITH (security_invoker = true) AS
SELECT
    c.project_id,
    c.author AS member_id,
    m.display_name AS member,
    c.body ->> 'provider' AS provider,
    c.body ->> 'model' AS model,
    c.kind,
    (to_timestamp(c.at / 1000.0) AT TIME ZONE 'UTC')::date AS day,
    count(*) AS answers,
    sum(cd.tokens(c.body -> 'prompt_tokens') + cd.tokens(c.body -> 'input_tokens'))::bigint AS prompt_tokens,
    sum(cd.tokens(c.body -> 'completion_tokens') + cd.tokens(c.body -> 'output_tokens'))::bigint AS completion_tokens,
    sum(cd.tokens(c.body -> 'cached_tokens'))::bigint AS cached_tokens,
    sum(cd.tokens(c.body -> 'reasoning_tokens'))::bigint AS reasoning_tokens
FROM cd.change c
LEFT JOIN cd.member m ON m.id = c.author
WHERE c.op = 'new' AND c.reg = 'content' AND (c.kind = 'summary' OR (c.kind = 'message' AND c.body ->> 'role' = 'assistant'))
GROUP BY 1, 2, 3, 4, 5, 6, 7;

COMMENT ON VIEW cd.team_usage IS 'Tokens of answers and summaries by project, member, model and day (UTC).';
