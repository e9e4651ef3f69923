# A server killed with SIGKILL, every process of it, while summaries are
# merged and materialized views of them are refreshed, comes back with the old
# or the new value of each, never another: each holds exactly the rows that
# were committed with it, to the last byte, and every commit that a client had
# seen is there.
#
# Rows and moments are random: LOYALTY_SEED=… repeats the rows.
# LOYALTY_CRASHES: how many rounds, 10 unless said otherwise.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Server;
use Test::More;

my $rounds = $ENV{LOYALTY_CRASHES} // 10;
my $seed = $ENV{LOYALTY_SEED} // int(rand(1e9));
diag("crash: seed $seed");
srand($seed);

my $server = Server->new('crash', "shared_buffers = 16MB\nwal_buffers = 64kB\nautovacuum_naptime = 1s\nmax_wal_size = 64MB\nlog_min_messages = error\n")->start;

$server->psql(<<"SQL");
CREATE EXTENSION loyalty;
SET search_path = loyalty, public;
-- the rows of a batch are a function of the client and its number
CREATE FUNCTION public.batch(client int, batch int) RETURNS TABLE (shop int, customer bigint, day date, amount numeric, score int)
LANGUAGE sql IMMUTABLE AS \$\$
	SELECT r % 5, r / 5 % 3000, date '2024-01-01' + (r / 15000 % 700)::int, CASE WHEN r % 11 > 0 THEN (r / 7 % 20000 - 2000) / 100.0 END, (r / 3 % 11)::int
	FROM (SELECT hashint8extended(i, $seed + client * 1000003 + batch) & 9223372036854775807 AS r FROM generate_series(1, CASE batch WHEN 0 THEN 10000 ELSE 40 END) AS i) AS x
\$\$;
CREATE TABLE public.arrived (client int, batch int, PRIMARY KEY (client, batch));
INSERT INTO public.arrived SELECT client, 0 FROM generate_series(1, 4) AS client;
CREATE VIEW public.arrival AS SELECT client, b.* FROM public.arrived, public.batch(client, batch) AS b;

CREATE TABLE public.merged (shop int PRIMARY KEY, h customer_history, s nps_survey);
CREATE TABLE public.ledger (shop int PRIMARY KEY, orders bigint, revenue numeric, answers bigint);
INSERT INTO public.merged SELECT shop, customer_history(customer, day, amount), nps_survey(score) FROM public.arrival WHERE client <= 3 GROUP BY shop;
INSERT INTO public.ledger SELECT shop, orders(h), revenue(h), answers(s) FROM public.merged;
CREATE MATERIALIZED VIEW public.refreshed AS
SELECT shop, customer_history(customer, day, amount) AS h, nps_survey(score) AS s FROM public.arrival WHERE client = 4 GROUP BY shop;
CREATE MATERIALIZED VIEW public.refreshed_concurrently AS TABLE public.refreshed;
CREATE UNIQUE INDEX ON public.refreshed_concurrently (shop);
CREATE MATERIALIZED VIEW public.whole AS SELECT rollup(h) AS h, rollup(s) AS s FROM public.refreshed;
SQL

# what there is against what it is to be: the number of each kind of wrong value
my $verify = <<'SQL';
SET search_path = public, loyalty;
CREATE TEMP TABLE wanted AS SELECT client = 4 AS of_view, shop, customer_history(customer, day, amount) AS h, nps_survey(score) AS s FROM arrival GROUP BY 1, 2;
SELECT format('%s shops, %s merged, %s of the ledger, %s refreshed, %s refreshed concurrently, %s rolled up, %s invalid',
	(SELECT count(*) FROM merged),
	(SELECT count(*) FROM merged AS m FULL JOIN (SELECT * FROM wanted WHERE NOT of_view) AS w USING (shop)
	 WHERE (customer_history_send(m.h), nps_survey_send(m.s)) IS DISTINCT FROM (customer_history_send(w.h), nps_survey_send(w.s))),
	(SELECT count(*) FROM merged AS m FULL JOIN ledger AS l USING (shop) WHERE (orders(h), revenue(h), answers(s)) IS DISTINCT FROM (l.orders, l.revenue, l.answers)),
	(SELECT count(*) FROM refreshed AS m FULL JOIN (SELECT * FROM wanted WHERE of_view) AS w USING (shop)
	 WHERE (customer_history_send(m.h), nps_survey_send(m.s)) IS DISTINCT FROM (customer_history_send(w.h), nps_survey_send(w.s))),
	(SELECT count(*) FROM refreshed_concurrently AS m FULL JOIN (SELECT * FROM wanted WHERE of_view) AS w USING (shop)
	 WHERE (customer_history_send(m.h), nps_survey_send(m.s)) IS DISTINCT FROM (customer_history_send(w.h), nps_survey_send(w.s))),
	(SELECT count(*) FROM whole AS m, (SELECT rollup(h) AS h, rollup(s) AS s FROM wanted WHERE of_view) AS w
	 WHERE (customer_history_send(m.h), nps_survey_send(m.s)) IS DISTINCT FROM (customer_history_send(w.h), nps_survey_send(w.s))),
	(SELECT count(*) FROM merged WHERE h::text::customer_history <> h OR s::text::nps_survey <> s));
SQL
my $right = '5 shops, 0 merged, 0 of the ledger, 0 refreshed, 0 refreshed concurrently, 0 rolled up, 0 invalid';

# One transaction a batch; its number is printed when the client has seen the commit.
sub script
{
	my ($client, $batch) = @_;
	my $sql = "BEGIN;\nINSERT INTO arrived VALUES ($client, $batch);\n";
	if ($client == 4)
	{
		$sql .= "REFRESH MATERIALIZED VIEW refreshed;\nREFRESH MATERIALIZED VIEW CONCURRENTLY refreshed_concurrently;\nREFRESH MATERIALIZED VIEW whole;\n";
	}
	else # the keys of a transaction in one order: no deadlocks
	{
		$sql .= <<"SQL";
INSERT INTO merged AS m SELECT shop, customer_history(customer, day, amount), nps_survey(score) FROM batch($client, $batch) GROUP BY shop ORDER BY shop
ON CONFLICT (shop) DO UPDATE SET h = m.h + EXCLUDED.h, s = m.s + EXCLUDED.s;
INSERT INTO ledger AS l SELECT shop, count(*) FILTER (WHERE amount >= 0 OR amount IS NULL), coalesce(sum(amount), 0), count(score) FROM batch($client, $batch) GROUP BY shop ORDER BY shop
ON CONFLICT (shop) DO UPDATE SET orders = l.orders + EXCLUDED.orders, revenue = l.revenue + EXCLUDED.revenue, answers = l.answers + EXCLUDED.answers;
SQL
	}
	return $sql . "COMMIT;\n\\echo $batch\n";
}

is($server->psql($verify), $right, 'before the first crash');
my %seen = map { $_ => 0 } 1 .. 4;
my ($batches, $killed, $between, $file) = (0, 0, 0, "$Server::scratch/crash.client");
for my $round (1 .. $rounds)
{
	my %client;
	for my $client (1 .. 5)
	{
		open my $script, '>', "$file$client.sql" or die;
		print $script "SET search_path = public, loyalty;\nSET client_min_messages = warning;\n";
		for my $batch (1 .. 400)
		{
			print $script $client <= 4 ? script($client, $seen{$client} + $batch) : $batch % 3 ? "VACUUM merged, ledger;\nSELECT pg_sleep(0.02);\n" : "CHECKPOINT;\n";
		}
		close $script;
		my $pid = fork // die;
		if ($pid == 0)
		{
			exec "exec psql -XqAt -v ON_ERROR_STOP=1 -p $server->{port} -f $file$client.sql >$file$client.out 2>$file$client.errors" or POSIX::_exit(1);
		}
		$client{$client} = $pid;
	}
	select undef, undef, undef, (0.1 + rand(0.4)) * ($ENV{LOYALTY_SLOWNESS} // 1);
	$killed += $server->crash;
	waitpid $_, 0 for values %client;
	$server->start;

	my @wrong;
	for my $client (1 .. 4)
	{
		my $errors = Server::contents("$file$client.errors");
		push @wrong, "client $client: $errors" if $errors !~ /server closed the connection|connection to server was lost|not accepting|the database system is/i;
		my ($last) = Server::contents("$file$client.out") =~ /(\d+)\n\z/;
		my $there = $server->psql("SELECT max(batch) FROM arrived WHERE client = $client HAVING count(*) = max(batch) + 1");
		$there = -1 if $there eq ''; # and 0 is a batch: on a busy machine the first round may see no other
		$last //= $seen{$client};
		push @wrong, "client $client saw batch $last committed, $there is there" if $there != $last && $there != $last + 1;
		$between++ if $there == $last + 1;
		$batches += $there - $seen{$client};
		$seen{$client} = $there;
	}
	is(join("\n", @wrong, $server->psql($verify)), $right, "round $round");
}
cmp_ok($batches, '>=', 4 * $rounds, 'the clients had got somewhere');
note("$batches transactions, $killed processes killed, $between commits that no client had seen");
unlike(Server::contents($server->{log}), qr/PANIC|invalid page|could not/, 'recovery found nothing wrong');
done_testing();
