# Histories and surveys built on two servers, each from its own rows, and
# merged on one through postgres_fdw are those of all rows, to the last byte:
# days come from local_day with a named zone, and the sessions that postgres_fdw
# opens, the servers and the one who asks all have another TimeZone.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Server;
use Test::More;

my $here = Server->new('two_servers_here', "timezone = 'Pacific/Auckland'\n")->start;
my $there = Server->new('two_servers_there', "timezone = 'America/Los_Angeles'\ndatestyle = 'SQL, DMY'\nextra_float_digits = 0\n")->start;

# The rows of both: instants around midnight in Paris, clock changes among them; customers who buy at both.
my $rows = <<'SQL';
CREATE EXTENSION loyalty;
CREATE VIEW every_purchase AS
SELECT i % 2 AS server, i % 700 - 50 AS customer, CASE WHEN i % 13 > 0 THEN 'client ' || i % 700 || chr(233 + i % 700) END AS name,
	md5((i % 700)::text)::uuid AS id, timestamptz '2024-02-28 22:30:00+00' + i * interval '97 minutes' AS at, 'shop ' || i % 3 AS shop,
	CASE WHEN i % 10 > 0 THEN round((i * 7919 % 20011 - 1500) / 7.0, i % 4) END AS amount, nullif(i * 31 % 13, 12) % 11 AS score
FROM generate_series(1, 9000) AS i;
SQL
$here->psql($rows . 'CREATE TABLE purchase AS SELECT * FROM every_purchase WHERE server = 0;');
$there->psql($rows . <<'SQL');
CREATE TABLE purchase AS SELECT * FROM every_purchase WHERE server = 1;
SET search_path = public, loyalty;
CREATE VIEW summary AS
SELECT shop, customer_history(customer, local_day(at, 'Europe/Paris'), amount) AS by_number, customer_history(customer, local_day(at, 'Europe/Paris')) AS without_amounts,
	customer_history(name, local_day(at, 'Europe/Paris'), amount) AS by_name, customer_history(id, local_day(at, 'Europe/Paris'), amount) AS by_id, nps_survey(score) AS answers
FROM purchase GROUP BY shop;
CREATE VIEW purchase_day AS SELECT *, local_day(at, 'Europe/Paris') AS day FROM purchase;
CREATE TABLE kept AS TABLE summary;
CREATE TABLE accepted (LIKE kept);
SQL
$here->psql(<<"SQL");
CREATE EXTENSION postgres_fdw;
CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$Server::scratch', port '$there->{port}', dbname 'postgres', extensions 'loyalty', fetch_size '2', use_remote_estimate 'true');
CREATE USER MAPPING FOR CURRENT_USER SERVER there OPTIONS (user 'postgres');
CREATE SCHEMA there;
IMPORT FOREIGN SCHEMA public FROM SERVER there INTO there;
SET search_path = public, loyalty;
CREATE TABLE whole AS
SELECT shop, customer_history(customer, (at AT TIME ZONE 'Europe/Paris')::date, amount) AS by_number, customer_history(customer, (at AT TIME ZONE 'Europe/Paris')::date) AS without_amounts,
	customer_history(name, (at AT TIME ZONE 'Europe/Paris')::date, amount) AS by_name, customer_history(id, (at AT TIME ZONE 'Europe/Paris')::date, amount) AS by_id, nps_survey(score) AS answers
FROM every_purchase GROUP BY shop;
CREATE VIEW here AS
SELECT shop, customer_history(customer, local_day(at, 'Europe/Paris'), amount) AS by_number, customer_history(customer, local_day(at, 'Europe/Paris')) AS without_amounts,
	customer_history(name, local_day(at, 'Europe/Paris'), amount) AS by_name, customer_history(id, local_day(at, 'Europe/Paris'), amount) AS by_id, nps_survey(score) AS answers
FROM purchase GROUP BY shop;
-- the bytes of a row of summaries
CREATE FUNCTION bytes(here) RETURNS text LANGUAGE sql AS
\$\$ SELECT concat_ws(' ', \$1.shop, md5(customer_history_send(\$1.by_number)), md5(customer_history_send(\$1.without_amounts)), md5(customer_history_send(\$1.by_name)), md5(customer_history_send(\$1.by_id)), \$1.answers) \$\$;
SQL

sub here
{
	return $here->psql("SET search_path = public, loyalty;\n$_[0]");
}

isnt(here('SHOW timezone'), $there->psql('SHOW timezone'), 'the servers live in two time zones');
my $whole = here('SELECT bytes(ROW(w.*)::here) FROM whole AS w ORDER BY shop');
is(() = $whole =~ /[0-9a-f]{32}/g, 12, 'there is something to compare');

my $columns = 'rollup(by_number), rollup(without_amounts), rollup(by_name), rollup(by_id), rollup(answers)';
for my $source (qw(summary kept))
{
	is(here("SELECT bytes(ROW(shop, $columns)::here) FROM (TABLE here UNION ALL TABLE there.$source) AS u GROUP BY shop ORDER BY shop"), $whole,
		"rollup of one's own and of the other's $source");
	is(here("SELECT bytes(ROW(shop, h.by_number + t.by_number, h.without_amounts + t.without_amounts, merge(h.by_name, t.by_name), t.by_id + h.by_id, h.answers + t.answers)::here)
			 FROM here AS h JOIN there.$source AS t USING (shop) ORDER BY shop"), $whole, "+ of one's own and of the other's $source");
}
is(here("SELECT bytes(ROW(shop, customer_history(customer, local_day(at, 'Europe/Paris'), amount), customer_history(customer, local_day(at, 'Europe/Paris')),
			customer_history(name, local_day(at, 'Europe/Paris'), amount), customer_history(id, local_day(at, 'Europe/Paris'), amount), nps_survey(score))::here)
		 FROM (TABLE purchase UNION ALL TABLE there.purchase) AS u GROUP BY shop ORDER BY shop"), $whole, 'the rows themselves from both');

# the aggregate runs there: only its value travels. (The day has to come from a view there: postgres_fdw sends no function
# whose only text is a constant, as the time zone is.)
my $built_there = 'SELECT shop, customer_history(customer, day, amount) AS h FROM there.purchase_day GROUP BY shop';
like(here("EXPLAIN (VERBOSE, COSTS OFF) $built_there"), qr/Remote SQL: SELECT shop, loyalty\.customer_history\(customer, day, amount\)/, 'the aggregate is computed by the other server');
is(here("SELECT md5(string_agg(customer_history_send(h), '' ORDER BY shop)) FROM ($built_there) AS t"),
	$there->psql("SELECT md5(string_agg(loyalty.customer_history_send(by_number), '' ORDER BY shop)) FROM summary"), 'with the same bytes');
like(here('EXPLAIN (VERBOSE, COSTS OFF) SELECT rollup(by_name), rollup(answers) FROM there.kept'), qr/Remote SQL: SELECT loyalty\.rollup\(by_name\), loyalty\.rollup\(answers\)/, 'rollup as well');
like(here('EXPLAIN (VERBOSE, COSTS OFF) SELECT shop FROM there.kept WHERE orders(by_number) > 0 AND nps(answers) > -101'),
	qr/Remote SQL: .*loyalty\.orders\(by_number\).*loyalty\.nps\(answers/, 'figures in conditions as well');
is(here('SELECT count(*) FROM there.kept AS t JOIN whole AS w ON t.by_number = w.by_number'), 0, 'histories are compared, and none of the parts is the whole');

# reports on what lies there
is(here("SELECT md5(string_agg(r::text, ',' ORDER BY cohort, period_number)) FROM (SELECT rollup(by_id) AS h FROM (TABLE here UNION ALL TABLE there.kept) AS u) AS u, retention(h) AS r"),
	here("SELECT md5(string_agg(r::text, ',' ORDER BY cohort, period_number)) FROM (SELECT rollup(by_id) AS h FROM whole) AS u, retention(h) AS r"), 'a report');

# written through the foreign table, by INSERT and by COPY in batches
here('INSERT INTO there.accepted TABLE whole');
is(here('SELECT bytes(ROW(a.*)::here) FROM there.accepted AS a ORDER BY shop'), $whole, 'what is inserted there comes back');
here('UPDATE there.accepted AS a SET by_number = a.by_number + a.by_number, by_name = NULL');
is(here('SELECT bool_and(a.by_number = w.by_number + w.by_number AND a.by_name IS NULL) FROM there.accepted AS a JOIN whole AS w USING (shop)'), 't', 'merged there, and set to NULL');

# from one server to the other in binary and as text, without postgres_fdw
for my $format ('binary', 'text')
{
	$there->psql('TRUNCATE accepted');
	my $copy = "psql -Xq -v ON_ERROR_STOP=1 -p $here->{port} -c 'COPY whole TO STDOUT (FORMAT $format)' | psql -Xq -v ON_ERROR_STOP=1 -p $there->{port} -c 'COPY accepted FROM STDIN (FORMAT $format)'";
	is(system($copy), 0, "COPY, $format");
	is(here('SELECT bytes(ROW(a.*)::here) FROM there.accepted AS a ORDER BY shop'), $whole, "the same bytes after COPY, $format");
}
done_testing();
