# What a server and the other libraries in it see of ours: the functions that SQL and parallel workers call, and nothing else.  A function
# of another library that had the name of one of ours would take its place, or ours its.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Server;
use Test::More;

plan skip_all => 'only where the linker takes src/exports.map' if $^O ne 'linux';

my $folder = `pg_config --pkglibdir`; # of the copy in the scratch folder
chomp $folder;
my $library = "$folder/loyalty.so";
my @seen = sort map { /^\S+ [A-Z] (\w+)/ ? $1 : () } `nm --dynamic --defined-only $library`;
die "nm does not read $library\n" if $? != 0;

my $server = Server->new('library')->start;
my @called = split /\n/, $server->psql("CREATE EXTENSION loyalty; SELECT DISTINCT prosrc FROM pg_proc WHERE probin = '\$libdir/loyalty'");
cmp_ok(scalar @called, '>', 100, 'SQL calls ' . @called . ' functions');
my @workers = grep { /^loyalty_\w+_worker$/ } @seen; # by this name a parallel worker finds where it begins
is_deeply(\@seen, [ sort 'Pg_magic_func', @workers, map { ($_, "pg_finfo_$_") } @called ], 'these are what is to be seen, what tells the server about them, and workers');

# Code that the server compiles calls them by these names, too.  It must not take ours in, which would call what is not to
# be seen.
ok(!glob("$folder/bitcode/loyalty*"), 'there is nothing of ours for a compiler to take in');
SKIP:
{
	skip 'this server does not compile just in time', 1 if $server->psql('SELECT pg_jit_available()') ne 't';
	my $query = <<'SQL';
SET search_path = loyalty, public;
SELECT md5(string_agg((merge(h, h) = h)::text || (s + s - s)::text || nps(s)::text || g::text, ','))
FROM (SELECT customer_history(c % 300, local_day(timestamptz '2024-01-01 00:00+00' + c * interval '5 hours', 'Europe/Paris'), 1.50) AS h, nps_survey(c % 11) AS s
	  FROM generate_series(1, 1000) AS c) AS x, growth(h) AS g
SQL
	my $expected = $server->psql("SET jit = off; $query");
	my $compiled = 'SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0;';
	is($server->psql("$compiled $query"), $expected, 'compiled just in time the same comes out');
}
done_testing;
