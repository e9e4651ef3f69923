# Every version that was released leads to this one, by scripts; a database that
# was updated has the same objects as one that never had another version, to the
# last comment; and views on every report, tables and materialized views live on,
# and can be dumped and restored.  So does a cluster that pg_upgrade has taken over.
#
# Kept of a release: its install script, as test/data/released/loyalty--VERSION.sql.
# While there is none, and beside those that there are, a version is invented that
# follows this one and has a function more.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Server;
use Test::More;

my $top = "$FindBin::Bin/../..";
my $extension = `pg_config --sharedir`; # of the copy in the scratch folder
chomp $extension;
$extension .= '/extension';
die "$extension is not in the scratch folder\n" if index($extension, $Server::scratch) != 0;
my ($version) = Server::contents("$extension/loyalty.control") =~ /^default_version = '(.*)'$/m or die;
my $released = "$top/test/data/released";
my $next = "$version+test";
my @made;
END { unlink @made }

sub put
{
	my ($name, $text) = @_;
	die "$name is there already\n" if -e "$extension/$name";
	push @made, "$extension/$name";
	open my $file, '>', "$extension/$name" or die "$name: $!";
	print $file $text;
	close $file;
}

my $server = Server->new('upgrade')->start;

# ---------- the paths ----------

my @old = map { m{/loyalty--([^/]+)\.sql$} } glob "$released/loyalty--*.sql";
my $paths = <<"SQL";
SELECT source FROM pg_extension_update_paths('loyalty') WHERE target = '$version' AND path IS NULL
EXCEPT SELECT '$next' ORDER BY 1
SQL
put("loyalty--$_.sql", Server::contents("$released/loyalty--$_.sql")) for grep { $_ ne $version } @old;
is($server->psql($paths), '', "every version that has a script reaches $version");
is($server->psql("SELECT count(*) FROM pg_available_extension_versions WHERE name = 'loyalty' AND version = '$version'"), 1, "$version can be installed");
for my $script (glob "$top/sql/loyalty--*--*.sql")
{
	my ($from, $to) = $script =~ /loyalty--(.*)--(.*)\.sql$/;
	ok((grep { $_ eq $from } @old), "the install script of $from, which $script updates, is kept in test/data/released");
	unlike(Server::contents($script), qr/CREATE OR REPLACE|IF NOT EXISTS|CASCADE/i, "$script takes over nothing, and drops nothing of a user's");
}

put("loyalty--0.0.orphan--0.0.test.sql", "SELECT 1;\n");
is($server->psql($paths), "0.0.orphan\n0.0.test", 'a gap would be noticed');
unlink pop @made;

# ---------- a version that follows ----------

my $added = <<'SQL';
CREATE FUNCTION loyalty.added_by_test(h loyalty.customer_history) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN loyalty.orders(h);
COMMENT ON FUNCTION loyalty.added_by_test(loyalty.customer_history) IS 'Orders, again.';
SQL
put("loyalty--$version--$next.sql", $added);
put("loyalty--$next.sql", Server::contents("$extension/loyalty--$version.sql") . $added);
# as an update is when it is wrong
put("loyalty--$version--$next.comment.sql", $added . "COMMENT ON FUNCTION loyalty.orders(loyalty.customer_history) IS 'Another comment.';\n");
put("loyalty--$version--$next.cost.sql", $added . "ALTER FUNCTION loyalty.retention COST 1;\n");
put("loyalty--$version--$next.none.sql", "\n");
put("loyalty--$version--$next.more.sql", "$added\nCREATE OPERATOR loyalty.<> (FUNCTION = pg_catalog.int8ne, LEFTARG = bigint, RIGHTARG = bigint);\n");

# All objects of the extension, as statements: pg_dump for pg_upgrade writes them out, where else it says CREATE EXTENSION.
sub objects
{
	my ($database) = @_;
	my $dump = `pg_dump --binary-upgrade --schema-only --port=$server->{port} $database` or die 'pg_dump';
	$dump =~ s/^.*binary_upgrade.*$//mg;
	$dump =~ s/^--.*$//mg;
	$dump =~ s/^\\(un)?restrict .*$//mg; # a random key
	return join("\n", sort grep { /\S/ } split /\n{2,}/, $dump) . "\n";
}

sub difference
{
	my ($one, $other) = @_;
	my %count;
	$count{$_}++ for split /\n/, $one;
	$count{$_}-- for split /\n/, $other;
	return join "\n", map { ($count{$_} > 0 ? '+ ' : '- ') . $_ } grep { $count{$_} } sort keys %count;
}

# What a user has: tables, materialized views, and a view on every report.
my $every_report = Server::contents("$top/test/pgtap/include/every_report.sql");
my $user = <<"SQL";
SET search_path = public, loyalty;
CREATE TABLE purchase AS
SELECT c AS customer, date '2024-01-01' + c * 7 % 300 + n * (3 + c % 29) AS day, (c * n * 37 % 5000 - 300) / 100.0 AS amount, (c + n) % 11 AS score
FROM generate_series(1, 300) AS c, generate_series(0, CASE WHEN c % 3 = 0 THEN 0 ELSE c * c % 17 END) AS n;
CREATE TABLE kept AS
SELECT c, h, s, bg_nbd_fit(h, penalty => 0.001) AS m FROM (SELECT customer % 2 AS c, customer_history(customer, day, amount) AS h, nps_survey(score) AS s FROM purchase GROUP BY 1) AS t;
CREATE INDEX ON kept USING hash (h);
CREATE MATERIALIZED VIEW whole AS SELECT rollup(h) AS h, rollup(s) AS s FROM kept;
SET search_path = public;
SELECT format('CREATE VIEW %I AS %s;', 'report ' || row_number() OVER (ORDER BY report), query) FROM every_report('(SELECT h FROM public.whole)', '(SELECT s FROM public.whole)') \\gexec
CREATE VIEW figures AS SELECT loyalty.orders(h), loyalty.revenue(h), loyalty.nps(s), h OPERATOR(loyalty.+) h AS twice, CAST(s AS jsonb) AS as_jsonb FROM whole;
SQL
my $answers = <<'SQL';
SET client_min_messages = error;
SELECT format('SELECT %L, count(*), md5(string_agg(v::text, E''\n'')) FROM %I AS v', relname, relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'r') ORDER BY relname \gexec
SQL

sub restored
{
	my ($database, $name) = @_;
	my $dump = "$Server::scratch/upgrade.dump";
	$server->psql("CREATE DATABASE restored TEMPLATE template0");
	is(system("pg_dump --port=$server->{port} --format=custom --file=$dump $database && pg_restore --port=$server->{port} --exit-on-error --dbname=restored $dump"), 0, "$name is dumped and restored");
	is($server->psql($answers, 'restored'), $server->psql($answers, $database), "$name: the same answers after that");
	$server->psql('DROP DATABASE restored');
}

for my $from (sort(grep { $_ ne $version } @old), $version)
{
	# from $version to the invented one, from any other to $version
	my $to = $from eq $version ? $next : $version;
	$server->psql("DROP DATABASE IF EXISTS $_") for 'fresh', 'updated';
	$server->psql("CREATE DATABASE $_") for 'fresh', 'updated';
	$server->psql("CREATE EXTENSION loyalty VERSION '$to'", 'fresh');
	$server->psql("CREATE EXTENSION loyalty VERSION '$from'", 'updated');
	my $objects = objects('updated');
	cmp_ok(() = $objects =~ /^CREATE (?:FUNCTION|AGGREGATE|TYPE|OPERATOR|CAST)/mg, '>', 150, "$from: the objects are there to compare");
	isnt(difference($objects, objects('fresh')), '', "$from is not $to");

	$server->psql($every_report . $user, 'updated');
	my $before = $server->psql($answers, 'updated');
	cmp_ok(scalar(split /\n/, $before), '>=', 20, "$from: there are views on every report");
	$server->psql("ALTER EXTENSION loyalty UPDATE TO '$to'", 'updated');
	is($server->psql("SELECT extversion FROM pg_extension WHERE extname = 'loyalty'", 'updated'), $to, "$from is updated to $to");
	is($server->psql($answers, 'updated'), $before, "$from to $to: every view answers as before");
	$server->psql('REFRESH MATERIALIZED VIEW whole', 'updated');
	is($server->psql($answers, 'updated'), $before, "$from to $to: materialized views refresh to what they were");
	restored('updated', "$from to $to") if $to eq $version; # the invented one cannot be installed by name alone
	$server->psql('DROP SCHEMA public CASCADE; CREATE SCHEMA public', $_) for 'fresh', 'updated';
	is(difference(objects('updated'), objects('fresh')), '', "$from to $to: the same objects as in a fresh $to");
}
is($server->psql("SELECT loyalty.added_by_test(loyalty.customer_history(1, '2024-01-01'))", 'updated'), 1, 'what is new is there');

for my $wrong ('comment', 'cost', 'none', 'more')
{
	$server->psql('DROP DATABASE updated');
	$server->psql('CREATE DATABASE updated');
	$server->psql("CREATE EXTENSION loyalty VERSION '$version'; ALTER EXTENSION loyalty UPDATE TO '$next.$wrong'; DROP SCHEMA public CASCADE; CREATE SCHEMA public", 'updated');
	isnt(difference(objects('updated'), objects('fresh')), '', "an update that is wrong would be noticed: $wrong");
}

# ---------- pg_upgrade ----------

$server->psql("DROP DATABASE $_") for 'fresh', 'updated';
$server->psql('CREATE DATABASE taken_over');
$server->psql("CREATE EXTENSION loyalty;\n$every_report$user", 'taken_over');
my $wanted = $server->psql($answers, 'taken_over');
restored('taken_over', $version);
$server->stop;
my $new = Server->new('upgrade_new');
$server->upgrade($new);
$new->start;
is($new->psql($answers, 'taken_over'), $wanted, 'pg_upgrade: every table and view answers as before');
is($new->psql("SET search_path = public, loyalty; SET enable_seqscan = off; SELECT count(*) FROM kept AS k WHERE h = (SELECT h FROM kept WHERE c = 1)", 'taken_over'), 1, 'pg_upgrade: found through its index');
done_testing();
