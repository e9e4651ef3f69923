# Parallel workers count the customers of a large stored history with a report, and sort and write with the leader of a
# parallel aggregation what others read: the same comes out, wherever that is and whatever goes wrong, and where no worker
# can help none does.
#
# All rows are random: LOYALTY_SEED=… repeats them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Server;
use Test::More;

my $slowness = $ENV{LOYALTY_SLOWNESS} // 1;
my $seed = $ENV{LOYALTY_SEED} // int(rand(1e9));
diag("workers: seed $seed");
my $customers = 200000;

my $server = Server->new('workers', "max_worker_processes = 16\nmin_parallel_table_scan_size = 0\nmax_parallel_workers_per_gather = 0\nwal_level = replica\nmax_wal_senders = 3\n")->start;
$server->psql(<<"SQL");
CREATE EXTENSION loyalty;
ALTER DATABASE postgres SET search_path = loyalty, public;
SET search_path = loyalty, public;
SELECT setseed($seed / 1e9);
-- some days with refunds, several orders, unknown, large and very large amounts
CREATE TABLE public.bought AS
SELECT floor(random() ^ 2 * $customers)::bigint AS customer, date '2022-01-01' + floor(random() ^ 0.7 * 1000)::int AS day,
	   CASE floor(random() * 60) WHEN 0 THEN -random() * 100 WHEN 1 THEN NULL WHEN 2 THEN random() * 1e9 WHEN 3 THEN random() * 1e20 ELSE random() * 600 END::numeric(30, 2) AS amount
FROM generate_series(1, 6 * $customers);
CREATE TABLE public.stored (name text PRIMARY KEY, h customer_history);
INSERT INTO public.stored SELECT 'bigint', customer_history(customer * 777 - 1000, day, amount) FROM public.bought;
INSERT INTO public.stored SELECT 'no amounts', customer_history(customer, day) FROM public.bought;
INSERT INTO public.stored SELECT 'text', customer_history(md5(customer::text), day, amount) FROM public.bought WHERE customer % 3 = 0;
INSERT INTO public.stored SELECT 'uuid', customer_history(md5(customer::text)::uuid, day, amount) FROM public.bought WHERE customer % 3 = 0;
-- one customer between others, who has no end within what a guess looks at
INSERT INTO public.stored SELECT 'one large customer', customer_history(CASE WHEN i % 2 = 0 THEN 7 ELSE i % 1000 END, date '1400-01-01' + i, 10.00) FROM generate_series(1, 3600000) AS i;
-- all alike, so that guesses may fall into a wrong step
INSERT INTO public.stored SELECT 'all alike', customer_history(c, date '2024-01-01' + 3 * d, 7.71) FROM generate_series(1, $customers) AS c, generate_series(0, 4) AS d;
SQL

my @reports = ('retention(h)', "retention(h, period => 'week', kind => 'streak')", "retention(h, kind => 'on_or_after', cohort => 'all', as_of => '2023-08-09')",
	"retention(h, period => 'day', periods => 3, kind => 'on_or_before')", 'rolling_retention(h)', "rolling_retention(h, kind => 'streak', days => '{1,7,30,365}', cohort => 'all')",
	"rolling_retention(h, kind => 'on_or_before', cohort => 'week', as_of => '2024-01-01')", 'repurchase(h)',
	"repurchase(h, cohort => 'week', same_day => true, windows => '{1,30,900}', observed_since => '2022-03-04')", 'growth(h)',
	"growth(h, period => 'week', lapse => 3)", "growth(h, period => 'quarter', as_of => '2023-11-11', observed_since => '2022-05-06')", 'purchases(h)',
	"purchases(h, period => 'all', observed_since => '2022-02-03')", "purchases(h, period => 'day')");

sub query
{
	my ($report, $table, $condition) = @_;
	return "SELECT md5(string_agg(r::text, ',')) FROM " . ($table // 'stored') . ', LATERAL ' . $report . ' AS r ' . ($condition // '');
}

# What a script prints, and what the server says of workers who helped.
sub with_workers
{
	my ($sql, $on) = @_;
	$on //= $server;
	my $printed = $on->psql("SET client_min_messages = debug1; SET max_parallel_workers_per_gather = 2; $sql");
	my @said = Server::contents("$Server::scratch/$on->{name}.errors") =~ /parallel workers (?:counted|wrote) (\d+ of \d+ (?:parts|groups) of a customer_history.*)/g;
	return ($printed, @said);
}

# The same, until the server says that of workers: they need some milliseconds to come, in which the leader may be done,
# and longer where the machine has other things to do.
sub until_said
{
	my ($wanted, $sql, $on) = @_;
	my $end = time + 60 * $slowness;
	my ($printed, @said);
	do
	{
		($printed, @said) = with_workers($sql, $on);
	} until (grep { $_ =~ $wanted } @said) || time > $end;
	return ($printed, @said);
}

sub helped
{
	my ($sql, $on) = @_;
	my $help = qr/^[1-9](?!.*not fit)/;
	my ($printed, @said) = until_said($help, $sql, $on);
	return (grep { $_ =~ $help } @said) ? $printed : "no help came: @said";
}

# A script under some timeouts gives what it should or is canceled, and canceled it is.
sub interrupt
{
	my ($sql, $expected, $what, @timeouts) = @_;
	my %outcomes;
	for my $timeout (@timeouts)
	{
		my $result = eval { (with_workers("SET statement_timeout = $timeout; $sql"))[0] } // ($@ =~ /canceling statement due to statement timeout/ ? 'canceled' : $@);
		$outcomes{$result}++;
	}
	ok(delete $outcomes{canceled}, "$what is canceled while workers come, help and go");
	delete $outcomes{$expected};
	is_deeply(\%outcomes, {}, "$what gives what it should, if not");
}

# ---------- the same comes out ----------

for my $name ('bigint', 'no amounts', 'text', 'uuid')
{
	for my $report (@reports)
	{
		next if $name ne 'bigint' && $report =~ /quarter|'day'|900/;
		my $query = query($report, 'stored', "WHERE name = '$name'");
		is(helped($query), $server->psql($query), "$name: $report");
	}
}
for my $report ('retention(h)', 'growth(h)', 'purchases(h)', 'repurchase(h)', 'rolling_retention(h)')
{
	my $query = query($report, 'stored', "WHERE name = 'all alike'");
	is((with_workers($query))[0], $server->psql($query), "all alike: $report");
}

# a guess that fails is seen, and the leader counts alone
my $large = query("growth(h, period => 'year')", 'stored', "WHERE name = 'one large customer'");
my ($printed, $said) = until_said(qr/not fit/, $large);
is($printed, $server->psql($large), 'one large customer');
like($said, qr/do not fit together/, 'of whom the workers find no end');

# ---------- wherever it is called ----------

my $growth = query('growth(h)', 'stored', "WHERE name = 'bigint'");
my $expected = $server->psql($growth);
is(helped("BEGIN; CREATE TABLE later AS SELECT h || '' AS h FROM (SELECT h::text AS h FROM stored WHERE name = 'bigint') AS s; ALTER TABLE later ALTER h TYPE customer_history USING h::customer_history; " .
	query('growth(h)', 'later') . '; ROLLBACK'), $expected, 'a value of the same transaction');
is(helped("BEGIN; SAVEPOINT s; $growth; ROLLBACK TO s; $growth; COMMIT"), "$expected\n$expected", 'in a subtransaction');
is(helped("BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY; $growth; COMMIT"), $expected, 'serializable, read only');
is(helped("BEGIN ISOLATION LEVEL SERIALIZABLE; INSERT INTO stored VALUES ('another', NULL); $growth; ROLLBACK"), $expected, 'serializable, after writing');
is(helped("BEGIN; DECLARE c CURSOR WITH HOLD FOR $growth; COMMIT; FETCH c"), $expected, 'a cursor that is held');
is(helped("BEGIN; CREATE TABLE result AS $growth; INSERT INTO result $growth; SELECT count(*), max(md5) = min(md5) FROM result; ROLLBACK"), '2|t', 'CREATE TABLE AS, and INSERT');
is(helped("BEGIN; CREATE MATERIALIZED VIEW result AS $growth; REFRESH MATERIALIZED VIEW result; TABLE result; ROLLBACK"), $expected, 'a materialized view');
is(helped("SET plan_cache_mode = force_generic_plan; PREPARE p(text) AS " . query('growth(h, period => $1)', 'stored', "WHERE name = 'bigint'") . "; EXECUTE p('month')"), $expected, 'a prepared statement');
is(helped("CREATE ROLE reader; GRANT SELECT ON stored TO reader; GRANT USAGE ON SCHEMA public, loyalty TO reader; SET ROLE reader; $growth; RESET ROLE; DROP OWNED BY reader; DROP ROLE reader"), $expected,
	'another role');
is(helped("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; WITH n AS MATERIALIZED (SELECT count(*) AS n FROM bought) SELECT g.md5 FROM n, LATERAL ($growth) AS g WHERE n.n > 0"), $expected,
	'under a query with workers of its own');
{
	# a worker starts no others
	my $force = $server->psql("SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')");
	my ($result, @help) = with_workers("SET $force = on; $growth");
	is($result, $expected, 'in a worker');
	is(scalar(@help), 0, 'which gets no help');
}

$server->psql(q(CREATE TABLE public.window_list AS SELECT array_agg(n) AS long FROM generate_series(1, 900) AS n));
my $windows = query('repurchase(h, windows => long)', 'window_list, stored', "WHERE name = 'bigint'");
is(helped("CREATE TEMP TABLE window_list AS TABLE public.window_list; $windows"), $server->psql($windows), 'an argument from a temporary table');

# functions of another file of the library
my $folder = `pg_config --pkglibdir`;
chomp $folder;
system('cp', "$folder/loyalty.so", "$Server::scratch/another.so") == 0 or die 'cp';
chmod 0755, "$Server::scratch/another.so";
$server->psql(<<"SQL");
CREATE SCHEMA another;
SELECT replace(replace(pg_get_functiondef(oid), 'FUNCTION loyalty.', 'FUNCTION another.'), '\$libdir/loyalty', '$Server::scratch/another.so')
FROM pg_proc WHERE oid = 'loyalty.growth'::regproc \\gexec
SQL
is(helped(query('another.growth(h)', 'stored', "WHERE name = 'bigint'")), $expected, 'a function of another file');

# bytes in which a customer of a million days seems to begin everywhere
$server->psql("INSERT INTO stored SELECT 'puzzling', customer_history(1, date '1000-01-01' + (324 * (i / 3) + (ARRAY[0, 130, 260])[1 + i % 3])::int) FROM generate_series(0, 3600000) AS i");
my $puzzling = query("purchases(h, period => 'all')", 'stored', "WHERE name = 'puzzling'");
is(eval { (with_workers('SET statement_timeout = ' . 5000 * $slowness . "; $puzzling"))[0] } // $@, $server->psql($puzzling), 'guesses end');

# ---------- where there is none ----------

for my $case (
	[ 'a temporary table', "CREATE TEMP TABLE t AS SELECT h FROM stored WHERE name = 'bigint'; " . query('growth(h)', 't') ],
	[ 'no workers wanted', "SET max_parallel_workers_per_gather = 0; $growth" ],
	[ 'a small value', "SET min_parallel_table_scan_size = '1GB'; $growth" ],
	[ 'a value in memory', query('growth(h)', "(SELECT rollup(h) AS h FROM stored WHERE name = 'bigint') AS s") ])
{
	my ($what, $sql) = @$case;
	my ($result, @help) = with_workers($sql);
	is($result, $expected, $what);
	is(scalar(@help), 0, "$what: no help");
}
{
	my ($result, @help) = with_workers("SET max_parallel_workers = 0; $growth");
	is($result, $expected, 'no worker is free');
	like($help[0], qr/^0 of/, 'no worker is free: the leader counts all');
}

# ---------- when something goes wrong ----------

$server->psql(<<'SQL');
CREATE CAST (bytea AS loyalty.customer_history) WITHOUT FUNCTION;
CREATE CAST (loyalty.customer_history AS bytea) WITHOUT FUNCTION;
CREATE TABLE public.damaged (n int, h customer_history);
INSERT INTO public.damaged SELECT n, overlay(h::bytea PLACING decode(repeat('ff', 40), 'hex') FROM (octet_length(h::bytea) * n / 10))::customer_history
FROM public.stored, generate_series(1, 9) AS n WHERE name = 'bigint';
INSERT INTO public.damaged SELECT 10, substr(h::bytea, 1, octet_length(h::bytea) - 7)::customer_history FROM public.stored WHERE name = 'bigint';
INSERT INTO public.damaged SELECT 11, (h::bytea || '\x00'::bytea)::customer_history FROM public.stored WHERE name = 'bigint';
CREATE FUNCTION public.outcome(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END
$$;
CREATE FUNCTION public.interrupted(query text, times int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	canceled int := 0;
BEGIN
	FOR i IN 1..times LOOP
		BEGIN
			PERFORM pg_sleep(0);
			EXECUTE query;
			RAISE division_by_zero;
		EXCEPTION
			WHEN division_by_zero THEN
				canceled := canceled + 1;
		END;
	END LOOP;
	RETURN canceled;
END
$$;
SQL
for my $report ('growth(h)', 'retention(h)', 'purchases(h)')
{
	my $all = join ';', map { "SELECT outcome(\$q\$" . query($report, 'damaged', "WHERE n = $_") . "\$q\$)" } 1 .. 11;
	my $alone = $server->psql($all);
	is((with_workers($all))[0], $alone, "$report: damaged values are the same errors");
	like($alone, qr/XX001/, "$report: errors there are");
}
is((with_workers("SELECT interrupted(\$q\$$growth\$q\$, 5)"))[0], '5', 'subtransactions that are rolled back after it');

interrupt($growth, $expected, 'a report', 1 .. 40);
is($server->psql("SELECT count(*) FROM pg_stat_activity, pg_sleep(0.2) WHERE backend_type = 'parallel worker'"), '0', 'no worker is left behind');
is(helped($growth), $expected, 'the next report is as before');
unlike(Server::contents($server->{log}), qr/PANIC|TRAP|terminated by signal|WARNING/, 'nothing else went wrong');

# ---------- builds ----------

$server->psql(<<'SQL');
CREATE TABLE public.bought_again AS
SELECT customer, day, CASE WHEN abs(amount) < 10000 THEN amount END AS amount FROM public.bought, generate_series(1, 2);
ALTER TABLE public.bought_again SET (parallel_workers = 2);
ANALYZE public.bought_again;
SQL
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;';
# the last two: with partitions between that are empty, and up to the last key that there can be
for my $rows ('customer, day, amount', 'customer, day', 'customer, day, abs(amount) % 600', '- customer * 1000003, day', 'customer + customer % 2 * 9000000, day',
	'9223372036854775807 - customer % 1000, day')
{
	my $query = "SELECT md5(customer_history($rows)::text) FROM bought_again";
	is(helped("$parallel $query"), $server->psql($query), "build: $rows");
}
my $groups = "SELECT md5(string_agg(h::text, ',')) FROM (SELECT customer_history(customer, day, amount) AS h FROM bought_again GROUP BY customer % 3 ORDER BY customer % 3) AS g";
is(helped("$parallel $groups"), $server->psql($groups), 'build: with GROUP BY');
# of too few partitions, or keys too far apart to be sent as rows
for my $rows ('42, day, amount', 'customer % 7, day, amount', 'CASE customer WHEN 5 THEN 9000000000 ELSE customer % 50 END, day',
	'CASE customer WHEN 5 THEN -9223372036854775808 WHEN 6 THEN 9223372036854775807 ELSE customer END, day, amount')
{
	my $query = "SELECT md5(customer_history($rows)::text) FROM bought_again";
	is((with_workers("$parallel $query"))[0], $server->psql($query), "build: $rows");
}
my $build = 'SELECT md5(customer_history(customer, day, amount)::text) FROM bought_again';
sub shared_files { return scalar(my @files = glob '/dev/shm/PostgreSQL.*'); }
my $shared_files = shared_files();
my $built = $server->psql($build);
is((with_workers("$parallel SET max_parallel_workers = 2; $build"))[0], $built, 'build: those who read are all there are');
is(helped("$parallel CREATE TABLE built AS SELECT customer_history(customer, day, amount) AS h FROM bought_again; SELECT md5(h::text) FROM built; DROP TABLE built"), $built, 'build: CREATE TABLE AS');
my $at_once = "SELECT md5(string_agg(r::text, ',')) FROM (SELECT customer_history(customer, day, amount) AS h FROM bought_again) AS b, growth(h) AS r";
is(helped("$parallel $at_once"), $server->psql($at_once), 'build: a report at once');

# rows stay where processes share memory; what the server says of it, until it is that: a worker who comes late finds none
sub shared
{
	my ($wanted, $sql, $on) = @_;
	$on //= $server;
	my $end = time + 60 * $slowness;
	my ($printed, $said);
	do
	{
		($printed) = with_workers("$parallel $sql", $on);
		$said = join ', ', Server::contents("$Server::scratch/$on->{name}.errors") =~ /rows of (\d+ of \d+) processes were in memory of the query/g;
	} until $said =~ $wanted || time > $end;
	return $said =~ $wanted ? $printed : $said;
}
is(shared(qr/^3 of 3$/, $build), $built, 'build: the leader and two workers share');
is(shared(qr/^2 of 2$/, "SET parallel_leader_participation = off; $build"), $built, 'build: two workers share');
is(shared(qr/^3 of 3, 3 of 3$/, 'SET enable_material = off; SELECT count(*), count(DISTINCT h::text) FROM generate_series(1, 2) AS n LEFT JOIN LATERAL (SELECT customer_history(customer, day, amount) AS h FROM bought_again OFFSET 0) AS b ON true'),
	'2|1', 'build: a subquery that is run again');
my $halves = "SELECT md5(string_agg(h::text, ',')) FROM (SELECT customer_history(customer, day, amount) AS h FROM bought_again GROUP BY customer % 2 ORDER BY customer % 2) AS g";
is(shared(qr/^$/, $halves), $server->psql($halves), 'build: rows of groups are sent');
interrupt("$parallel $build", $built, 'build', map { 40 * $_ } 1 .. 15);
is($server->psql("SELECT count(*) FROM pg_stat_activity, pg_sleep(0.2) WHERE backend_type = 'parallel worker'"), '0', 'build: no worker is left behind');
is(shared_files(), $shared_files, 'build: nor what was shared');
unlike(Server::contents($server->{log}), qr/PANIC|TRAP|terminated by signal|WARNING/, 'build: nothing else went wrong');

# ---------- on a standby ----------

# and where memory is shared in another way
my $standby = $server->standby('workers_standby', "hot_standby = on\ndynamic_shared_memory_type = mmap\n")->start;
is(helped($growth, $standby), $expected, 'on a standby');
is(shared(qr/^$/, $build, $standby), $built, 'on a standby: rows are sent');
done_testing;
