#!/usr/bin/perl
# A history of 95 percent of the largest size goes through a dump and into another database, as text and in binary form.

use strict;
use warnings;
use Test::More;

my $scratch = "$ENV{LOYALTY_SCRATCH}/large";
my @databases = qw(large large_restored);
mkdir $scratch or die "$scratch: $!";
chmod 0777, $scratch; # the server may run as another user

sub run
{
	my ($what, $command) = @_;
	my $started = time;
	my $said = `$command 2>&1 >/dev/null`;
	ok($? == 0 && $said eq '', sprintf '%s: %d s', $what, time - $started) or diag($said);
}

sub psql
{
	my ($database, $sql) = @_;
	open my $file, '>', "$scratch/script.sql" or die "$scratch: $!";
	print $file "SET search_path = public, loyalty;\n$sql";
	close $file;
	my $printed = `psql -XqAt -v ON_ERROR_STOP=1 -d $database -f $scratch/script.sql 2>&1`;
	chomp $printed;
	return $printed;
}

foreach (@databases)
{
	system('createdb', $_) == 0 or die 'createdb';
	is(psql($_, "CREATE EXTENSION loyalty;\n"), '', "database $_");
}
is(psql($databases[0], q{
	CREATE TABLE kept (id int PRIMARY KEY, h customer_history);
	INSERT INTO kept SELECT 1, customer_history(repeat(md5(i::text), 40), date '2024-01-01' + i % 700, (i % 100000) / 100.0) FROM generate_series(1, 368500) AS i;
	-- shop-like: millions of customers of bigint
	INSERT INTO kept SELECT 2, customer_history(i / 3, date '2024-01-01' + (i % 700)::int, (i % 10000) / 100.0) FROM (SELECT generate_series(1, 9000000::bigint) AS i) AS s;
}), '', 'values in a table');
my $size = psql($databases[0], 'SELECT length(customer_history_send(h)) FROM kept WHERE id = 1;');
cmp_ok($size, '>', 470e6, "the larger has $size bytes");
cmp_ok($size, '<', 480e6, 'which is less than the most');

run('pg_dump', "pg_dump --table=kept --file=$scratch/dump.sql $databases[0]");
cmp_ok(-s "$scratch/dump.sql", '>', 4 / 3 * $size, 'the dump is whole');
run('restore', "psql -Xq -v ON_ERROR_STOP=1 -d $databases[1] -f $scratch/dump.sql");
unlink "$scratch/dump.sql";
my $digest = 'SELECT id, orders(h), customers(h), revenue(h), sha256(customer_history_send(h)) FROM kept ORDER BY id;';
my $wanted = psql($databases[0], $digest);
like($wanted, qr/^1\|368500\|368500\|.*\n2\|9000000\|3000001\|/, 'what is in it');
is(psql($databases[1], $digest), $wanted, 'what was restored is the same to the last byte');

run('pg_dump, custom format', "pg_dump --format=custom --compress=0 --table=kept --file=$scratch/dump $databases[0]");
run('pg_restore', "pg_restore --clean --exit-on-error --dbname=$databases[1] $scratch/dump");
unlink "$scratch/dump";
is(psql($databases[1], $digest), $wanted, 'the same');

is(psql($databases[0], "COPY kept TO '$scratch/binary' (FORMAT binary);"), '', 'binary COPY');
is(psql($databases[1], "TRUNCATE kept;\nCOPY kept FROM '$scratch/binary' (FORMAT binary);"), '', 'and back');
is(psql($databases[1], $digest), $wanted, 'the same once more');

system('rm', '-rf', $scratch);
system('dropdb', $_) foreach @databases;
done_testing();
