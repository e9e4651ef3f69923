# A streaming replica shows the same bytes as its primary, in text and in
# binary, while rows are merged and views refreshed there, and every report of
# them; and so it does as a server of its own after it was promoted.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Server;
use Test::More;

my $primary = Server->new('replica_primary', "wal_level = replica\nmax_wal_senders = 4\n")->start;
$primary->psql(<<'SQL' . Server::contents("$FindBin::Bin/../pgtap/include/every_report.sql"));
CREATE EXTENSION loyalty;
SET search_path = public, loyalty;
CREATE TABLE purchase (batch int, shop int, customer bigint, day date, amount numeric, score int);
CREATE PROCEDURE purchases(batch int) LANGUAGE sql AS $$
	INSERT INTO purchase SELECT batch, i % 4, (i * 7 + batch * 31) % 900, date '2024-01-01' + (i * 11 + batch) % 400, (i * 37 % 5000 - 300) / 100.0, (i + batch) % 11 FROM generate_series(1, 5000) AS i
$$;
CALL purchases(0);
CREATE TABLE merged (shop int PRIMARY KEY, h customer_history, s nps_survey, by_name customer_history, by_id customer_history, model bg_nbd);
INSERT INTO merged
SELECT shop, customer_history(customer, day, amount), nps_survey(score), customer_history('n ' || customer, day), customer_history(md5(customer::text)::uuid, day, amount),
	bg_nbd_fit(customer_history(customer, day, amount))
FROM purchase GROUP BY shop;
CREATE INDEX by_hash ON merged USING hash (h);
CREATE MATERIALIZED VIEW whole AS SELECT customer_history(customer, day, amount) AS h, nps_survey(score) AS s FROM purchase;
SET search_path = public;
SQL
my $replica = $primary->standby('replica_standby', "hot_standby = on\n")->start;

my $bytes = <<'SQL';
SET search_path = public, loyalty;
SELECT shop, md5(h::text), md5(customer_history_send(h)), s, encode(nps_survey_send(s), 'hex'), md5(by_name::text), md5(customer_history_send(by_name)), md5(by_id::text),
	md5(customer_history_send(by_id)), model, encode(record_send(model), 'hex')
FROM merged ORDER BY shop;
SELECT md5(h::text), md5(customer_history_send(h)), s FROM whole;
SQL
my @reports = map { [split /\|/, $_, 2] } split /\n/, $primary->psql(q{SELECT report, query FROM every_report('h', 's') ORDER BY 1});
cmp_ok(scalar(@reports), '>=', 15, 'there are reports');
@reports = map { my ($name, $query) = @$_; $query =~ s/^SELECT r\.\*/SELECT md5(string_agg(r::text, E'\\n'))/; $query =~ s/ FROM / FROM whole, /; [$name, "$query;\n"] } @reports;
my $all = "SET search_path = public, loyalty;\n" . join('', map { $_->[1] } @reports);

my %before;
for my $round (1 .. 3)
{
	$primary->psql(<<"SQL") if $round > 1;
SET search_path = public, loyalty;
CALL purchases($round);
INSERT INTO merged AS m SELECT shop, customer_history(customer, day, amount), nps_survey(score), customer_history('n ' || customer, day), customer_history(md5(customer::text)::uuid, day, amount)
FROM purchase WHERE batch = $round GROUP BY shop ORDER BY shop
ON CONFLICT (shop) DO UPDATE SET h = m.h + EXCLUDED.h, s = m.s + EXCLUDED.s, by_name = m.by_name + EXCLUDED.by_name, by_id = m.by_id + EXCLUDED.by_id;
UPDATE merged SET model = bg_nbd_fit(h);
REFRESH MATERIALIZED VIEW whole;
SQL
	my $lsn = $primary->psql('SELECT pg_current_wal_lsn()');
	for (1 .. 1000)
	{
		last if $replica->psql("SELECT pg_last_wal_replay_lsn() >= '$lsn'") eq 't';
		select undef, undef, undef, 0.02;
	}
	is($replica->psql('SELECT pg_is_in_recovery()'), 't', "round $round: it is a replica");
	my $wanted = $primary->psql($bytes);
	ok(!$before{$wanted}++, "round $round: there is something new");
	is($replica->psql($bytes), $wanted, "round $round: the same bytes");
	my @answers = map { [split /\n/, $_->psql($all)] } $primary, $replica;
	is_deeply($answers[1], $answers[0], "round $round: the same reports") and is(scalar(grep { /^[0-9a-f]{32}$/ } @{ $answers[1] }), scalar(@reports), "round $round: all of them");
}
is($replica->psql('SET search_path = public, loyalty; SELECT count(*) FROM merged AS m WHERE h = (SELECT customer_history(customer, day, amount) FROM purchase AS p WHERE p.shop = m.shop)'),
	4, 'histories are built and compared on the replica');
is($replica->psql('SET search_path = public, loyalty; SET enable_seqscan = off; SELECT count(*) FROM merged AS m WHERE h = (SELECT h FROM merged WHERE shop = 2)'), 1, 'found through its index');
is($replica->psql('SELECT md5(loyalty.rollup(h)::text), loyalty.rollup(s) FROM merged'), $primary->psql('SELECT md5(h::text), s FROM whole'), 'and rolled up');

my $wanted = $primary->psql($bytes);
$primary->stop;
$replica->psql('SELECT pg_promote()');
is($replica->psql($bytes), $wanted, 'the same bytes when it was promoted');
is($replica->psql("SET search_path = public, loyalty;\nUPDATE merged SET h = h + h;\nSELECT sum(orders(h)) FROM merged"), 2 * 15000 - $replica->psql('SELECT 2 * count(*) FROM purchase WHERE amount < 0'), 'and it merges on');
done_testing();
