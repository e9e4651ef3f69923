# Tables and materialized views that hold histories survive pg_dump and
# restore, in all its formats, to the last byte.
use strict;
use warnings;
use Test::More;

my $scratch = $ENV{LOYALTY_SCRATCH} or die "LOYALTY_SCRATCH is set by dev/with-server: run this through it\n";
my $source = 'dump_source';

# Runs a shell command; dies with what it said if it fails.
sub run
{
	my ($command) = @_;
	my $output = `{ $command; } 2>&1`;
	die "$command\n$output" if $? != 0;
	return $output;
}

sub psql
{
	my ($database, $sql) = @_;
	open(my $pipe, '|-', "psql -X -q -v ON_ERROR_STOP=1 -d $database -f - >$scratch/dump_restore.out 2>&1") or die;
	print $pipe $sql;
	close($pipe) or die run("cat $scratch/dump_restore.out");
	return run("cat $scratch/dump_restore.out");
}

run("dropdb --if-exists --force $source && createdb $source");
psql($source, <<'SQL');
CREATE EXTENSION loyalty;
CREATE TABLE purchase (customer bigint, day date, amount numeric, shop text);
INSERT INTO purchase
SELECT i % 5000 - 100, date '2020-01-01' + i * 7 % 1500, CASE WHEN i % 9 > 0 THEN round((i * 7919 % 100003 - 9999) / 7.0, i % 5) END, 'shop ' || i % 3
FROM generate_series(1, 20000) AS i;

CREATE TABLE history (name text PRIMARY KEY, h loyalty.customer_history);
INSERT INTO history VALUES
	('nothing', NULL),
	('one', (SELECT loyalty.customer_history(1, '2024-01-01'))),
	('bigint', (SELECT loyalty.customer_history(customer, day, amount) FROM purchase)),
	('ends', (SELECT loyalty.customer_history(c, d, a) FROM (VALUES (9223372036854775807, date '5874897-12-31', 1.00000000000000000001), (-9223372036854775808, '4714-11-24 BC', -1e17)) AS v(c, d, a))),
	('text', (SELECT loyalty.customer_history(md5(customer::text) || 'é日本🙂', day) FROM purchase)),
	('long text', (SELECT loyalty.customer_history(repeat(E'\t\\' || shop, 3000) || customer % 9, day, amount) FROM purchase)),
	('uuid', (SELECT loyalty.customer_history(md5(customer::text)::uuid, day, amount) FROM purchase));
CREATE UNIQUE INDEX one_of_a_kind ON history USING btree (h) WHERE name IN ('one', 'ends');
CREATE INDEX by_hash ON history USING hash (h);

CREATE TABLE compressed (name text, h loyalty.customer_history);
ALTER TABLE compressed ALTER h SET STORAGE extended;
INSERT INTO compressed TABLE history;
CREATE TABLE parted (h loyalty.customer_history) PARTITION BY HASH (h);
CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parted SELECT h FROM history;

CREATE MATERIALIZED VIEW by_shop AS SELECT shop, loyalty.customer_history(customer, day, amount) AS h FROM purchase GROUP BY shop;
CREATE MATERIALIZED VIEW whole AS SELECT loyalty.rollup(h) AS h FROM by_shop;
CREATE VIEW triangle AS SELECT r.* FROM whole, loyalty.retention(h, as_of => date '2024-06-30') AS r;
CREATE VIEW figures AS
SELECT name, loyalty.customers(h), loyalty.orders(h), loyalty.revenue(h), loyalty.first_day(h), loyalty.last_day(h), h OPERATOR(loyalty.+) h AS twice FROM history;
CREATE TABLE keyed (h loyalty.customer_history DEFAULT '1:AQEAAAAAAAABAAAAAQAAAAEAAAAIAAAAAQAAAAAAAAA+IgAAPiIAAD4iAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIGAgICAgICAgAEBAA==' NOT NULL,
	orders bigint GENERATED ALWAYS AS (loyalty.orders(h)) STORED, CHECK (loyalty.customers(h) > 0));
INSERT INTO keyed VALUES (DEFAULT), ((SELECT h FROM history WHERE name = 'uuid'));
SQL

# every value there is, as a hash of its bytes
my $contents = <<'SQL';
SELECT 'history', name, md5(loyalty.customer_history_send(h)) FROM history UNION ALL
SELECT 'compressed', name, md5(loyalty.customer_history_send(h)) FROM compressed UNION ALL
SELECT tableoid::regclass::text, '', md5(loyalty.customer_history_send(h)) FROM parted UNION ALL
SELECT 'by_shop', shop, md5(loyalty.customer_history_send(h)) FROM by_shop UNION ALL
SELECT 'whole', '', md5(loyalty.customer_history_send(h)) FROM whole UNION ALL
SELECT 'keyed', orders::text, md5(loyalty.customer_history_send(h)) FROM keyed UNION ALL
SELECT 'triangle', count(*)::text, md5(string_agg(t::text, ',' ORDER BY cohort, period_number)) FROM triangle AS t UNION ALL
SELECT 'figures', name, md5(f::text) FROM figures AS f
ORDER BY 1, 2, 3;
SQL
my $wanted = psql($source, $contents);
my @lines = split(/\n/, $wanted);
cmp_ok(scalar(@lines), '>', 35, 'there is something to dump');

my %ways = (
	'plain' => 'pg_dump SOURCE | psql -X -q -v ON_ERROR_STOP=1 -d TARGET',
	'INSERTs' => 'pg_dump --inserts SOURCE | psql -X -q -v ON_ERROR_STOP=1 -d TARGET',
	'custom format' => "pg_dump --format=custom --file=$scratch/dump_restore.dump SOURCE && pg_restore --exit-on-error --dbname=TARGET $scratch/dump_restore.dump",
	'directory, two jobs' => "rm -rf $scratch/dump_restore.dir && pg_dump --format=directory --jobs=2 --file=$scratch/dump_restore.dir SOURCE && pg_restore --exit-on-error --jobs=2 --dbname=TARGET $scratch/dump_restore.dir",
);
for my $way (sort keys %ways)
{
	run("dropdb --if-exists --force dump_target && createdb --template=template0 dump_target");
	(my $command = "set -o pipefail; $ways{$way}") =~ s/SOURCE/$source/;
	$command =~ s/TARGET/dump_target/;
	open(my $script, '>', "$scratch/dump_restore.sh") or die;
	print $script "$command\n";
	close($script);
	run("bash $scratch/dump_restore.sh");
	is(psql('dump_target', $contents), $wanted, "$way: the same bytes");
}

# what was restored can be dumped again, and gives the same dump; \restrict has a random key in newer versions
my @dumps = map { my $dump = run("pg_dump $_"); $dump =~ s/^\\(un)?restrict .*$//mg; $dump } $source, 'dump_target';
ok($dumps[0] eq $dumps[1], 'a dump of what was restored is the same dump');
unlike($dumps[0], qr/CREATE (FUNCTION|TYPE|AGGREGATE|OPERATOR)/, 'the extension\'s own objects are not in it');

run("dropdb --force $source; dropdb --force dump_target; rm -rf $scratch/dump_restore.*");
done_testing();
