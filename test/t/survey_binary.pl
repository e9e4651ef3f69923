#!/usr/bin/perl
# nps_survey on the wire: the bytes of version 1, which have to be readable for ever, thousands of damaged values, and
# surveys that go through a dump into another database.
#
# The damage is random: the seed is printed, and another run repeats it with LOYALTY_SEED=that.

use strict;
use warnings;
use Test::More;

my $scratch = "$ENV{LOYALTY_SCRATCH}/survey_binary";
mkdir $scratch or die "$scratch: $!";
my $seed = $ENV{LOYALTY_SEED} // int(rand(1e9));
diag("survey_binary: seed $seed");
srand($seed);

my @databases = qw(survey_binary survey_restored);
system('createdb', '--template=pgtap', $databases[0]) == 0 or die 'createdb';
system('createdb', $databases[1]) == 0 or die 'createdb';

sub write_file
{
	my ($name, $content) = @_;
	open my $out, '>:raw', "$scratch/$name" or die "$name: $!";
	print $out $content;
	close $out;
}

sub read_file
{
	open my $in, '<:raw', "$scratch/$_[0]" or die "$_[0]: $!";
	local $/;
	return scalar <$in>;
}

sub psql
{
	my ($database, $sql, @options) = @_;
	write_file('script.sql', "SET search_path = public, loyalty;\n$sql");
	my $printed = `psql -XqAt @options -d $database -f $scratch/script.sql 2>$scratch/errors`;
	chomp $printed;
	return $printed;
}

# one row with one column, as COPY ... (FORMAT binary) reads and writes it
sub copy_of
{
	my $value = shift;
	return "PGCOPY\n\xff\r\n\0" . pack('N N', 0, 0) . pack('n N', 1, length $value) . $value . pack('n', 0xffff);
}

# what a value means to someone who has only read its description; undef if nothing
sub meaning
{
	my $value = shift;
	return if length $value < 4;
	my ($version, $lowest, $highest, $zero) = unpack 'C4', $value;
	return if $version != 1 || $zero != 0 || $lowest >= $highest || $highest > 10;
	return if length $value != 4 + 8 * ($highest - $lowest + 1);
	my @halves = unpack 'N*', substr($value, 4);
	my (@counts, $total);
	while (my ($high, $low) = splice @halves, 0, 2)
	{
		return if $high & 0x80000000;
		push @counts, $high * 4294967296 + $low;
		my $before = $total // 0;
		$total = $before + $counts[-1];
		return if $total > 9223372036854775807; # sums up to there are exact: 64-bit integers
	}
	return "$lowest..$highest:{" . join(',', @counts) . '}';
}

# ---------- version 1 ----------

my $golden = '01010500' . '0000000000000002' . '0000000000000000' . '0000000000000003' . '7ffffffffffffff0' . '000000000000000a';
my $golden_text = '1..5:{2,0,3,9223372036854775792,10}';
write_file('golden', copy_of(pack 'H*', $golden));
is(psql($databases[0], "CREATE TEMP TABLE t (s nps_survey);\n\\copy t FROM '$scratch/golden' (FORMAT binary)\nSELECT s FROM t;"),
	$golden_text, 'bytes of version 1 are read');
psql($databases[0], "\\copy (SELECT '$golden_text'::nps_survey) TO '$scratch/written' (FORMAT binary)\n");
is(unpack('H*', read_file('written')), unpack('H*', copy_of(pack 'H*', $golden)), 'and written');
is(psql($databases[0], "SELECT encode(nps_survey_send('$golden_text'), 'hex');"), $golden, 'the send function gives them');

# ---------- damage ----------

my $sql = "CREATE TABLE damaged (s nps_survey);\nCREATE TABLE outcome (n int, s text);\n";
my @wanted;
my $sound = 0;
foreach my $n (0 .. 1499)
{
	my $lowest = int rand 10;
	my $highest = $lowest + 1 + int rand(10 - $lowest);
	my $value = pack 'C4', 1, $lowest, $highest, 0;
	$value .= pack 'NN', rand() < 0.1 ? int rand(0x20000000) : 0, int rand(4294967296) for $lowest .. $highest;
	foreach (1 .. 1 + int rand 3)
	{
		my $kind = int rand 6;
		my $place = int rand(length $value > 4 && rand() < 0.5 ? 4 : length $value);
		if ($kind == 0) { substr($value, $place, 1) = chr int rand 256 }
		elsif ($kind == 1) { substr($value, $place, 1) = chr(ord(substr($value, $place, 1)) ^ 1 << int rand 8) }
		elsif ($kind == 2) { $value = substr($value, 0, int rand(1 + length $value)) }
		elsif ($kind == 3) { $value .= chr(int rand 256) x (1 + int rand 9) }
		elsif ($kind == 4 && length $value > 12) { substr($value, 4 + 8 * int(rand int((length($value) - 4) / 8)), 8) = pack 'NN', 0x7fffffff, 0xffffffff }
		$value = "\0" if $value eq '';
	}
	push @wanted, "$n " . (meaning($value) // 'error');
	$sound++ if defined meaning($value);
	write_file("damaged$n", copy_of($value));
	$sql .= "BEGIN;\n\\copy damaged FROM '$scratch/damaged$n' (FORMAT binary)\n"
	  . "INSERT INTO outcome SELECT $n, s FROM damaged;\nTRUNCATE damaged;\nCOMMIT;\n";
}
psql($databases[0], $sql);
my $errors = read_file('errors');
my $got = psql($databases[0], "SELECT n || ' ' || coalesce(s, 'error') FROM generate_series(0, $#wanted) AS n LEFT JOIN outcome USING (n) ORDER BY n;");
is($got, join("\n", @wanted), scalar(@wanted) . " damaged values, $sound of them still surveys");
my %messages;
$messages{$1}++ while $errors =~ /ERROR:  (.*)/g;
delete $messages{'current transaction is aborted, commands ignored until end of transaction block'};
is_deeply([ sort keys %messages ], [ 'invalid binary value for type nps_survey' ],
	'with this message') or diag(explain(\%messages));
unlike($errors, qr/server closed the connection|PANIC|FATAL/, 'the server lives');

# ---------- dump and restore ----------

psql($databases[0], q{
	CREATE TABLE daily (day date, question text, s nps_survey NOT NULL DEFAULT '1..5:{0,0,0,0,0}', PRIMARY KEY (day, question), UNIQUE (s, day));
	INSERT INTO daily SELECT date '2025-01-01' + n, 'nps', format('0..10:{%s}', array_to_string(array_fill(n::bigint * n * n * n * n, '{11}'), ','))::nps_survey
	FROM generate_series(0, 900) AS n;
	INSERT INTO daily SELECT date '2025-01-01' + n, 'csat', format('1..5:{%s,0,0,7,9}', n)::nps_survey FROM generate_series(0, 900) AS n;
	INSERT INTO daily VALUES ('2024-01-01', 'csat', DEFAULT), ('2024-01-01', 'large', '0..1:{9223372036854775807,0}');
	CREATE MATERIALIZED VIEW monthly AS SELECT question, date_trunc('month', day)::date AS month, rollup(s) AS s FROM daily GROUP BY 1, 2;
	CREATE VIEW score AS SELECT month, r.* FROM monthly, survey_report(s) AS r;
	CREATE INDEX ON daily USING hash (s);
}, '-v', 'ON_ERROR_STOP=1');
is(read_file('errors'), '', 'surveys in a table, a materialized view, indexes, a default');
system("pg_dump $databases[0] -t daily -t monthly -t score -f $scratch/dump.sql") == 0 or die 'pg_dump';
psql($databases[1], "CREATE EXTENSION loyalty;\n\\i $scratch/dump.sql\n", '-v', 'ON_ERROR_STOP=1');
is(read_file('errors'), '', 'the dump restores');
my $digest = q{
	SET search_path = public, loyalty;
	SELECT count(*), md5(string_agg(d::text, E'\n' ORDER BY day, question)) FROM daily AS d;
	SELECT count(*), md5(string_agg(m::text, E'\n' ORDER BY month, question)) FROM monthly AS m;
	SELECT count(*), md5(string_agg(s::text, E'\n' ORDER BY s::text)) FROM score AS s;
};
is(psql($databases[1], $digest), psql($databases[0], $digest), 'to the same values');

system('dropdb', $_) foreach @databases;
done_testing();
