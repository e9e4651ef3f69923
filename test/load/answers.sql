\set team random(0, 7)
\set score random(0, 10)
BEGIN;
INSERT INTO answers VALUES (:team, :score), ((:team::int + 3) % 8, 10 - :score::int);
INSERT INTO survey AS t SELECT team, loyalty.nps_survey(score) FROM (VALUES (:team::int, :score::int), ((:team::int + 3) % 8, 10 - :score::int)) AS a(team, score) GROUP BY team ORDER BY team ON CONFLICT (team) DO UPDATE SET s = t.s OPERATOR(loyalty.+) EXCLUDED.s;
COMMIT;
