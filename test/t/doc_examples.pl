#!/usr/bin/perl
# Runs every SQL example of README.md and doc/*.md and compares what psql prints with what the page shows.
#
# A block that begins with ```sql is run; if a block without a language follows it, it is the output expected. Output
# that begins with ERROR: means that the example is to fail. Each page has a database of its own with loyalty and the
# tables of doc_examples.sql, and its blocks run in order, each in a session of its own.
#
# UPDATE=1 writes what was printed into the pages instead of comparing.

use strict;
use warnings;
use Test::More;

my @pages = ('README.md', sort glob('doc/*.md'));

sub psql
{
	my ($database, $sql) = @_;
	my $file = "$ENV{LOYALTY_SCRATCH}/example.sql";
	open my $out, '>', $file or die "$file: $!";
	print $out $sql;
	close $out;
	my $printed = `psql -Xq -v ON_ERROR_STOP=1 -P pager=off -P null='' -d $database -f $file 2>$file.err`;
	my $failed = $? != 0;
	open my $in, '<', "$file.err" or die "$file.err: $!";
	my $errors = join '', <$in>;
	close $in;
	$errors =~ s/^psql:\Q$file\E:\d+: //gm;
	return ($failed, $printed, $errors);
}

sub trimmed
{
	my $text = join "\n", map { s/\s+$//r } split /\n/, shift;
	$text =~ s/^\n+|\n+$//g;
	return $text;
}

my $examples = 0;

foreach my $page (@pages)
{
	open my $in, '<', $page or die "$page: $!";
	my $text = join '', <$in>;
	close $in;
	next if $text !~ /^```sql$/m;

	(my $database = "examples_$page") =~ s/\W+/_/g;
	system('createdb', '--template=pgtap', $database) == 0 or die "createdb $database";
	my ($failed, $printed, $errors) = psql($database, "\\i test/t/doc_examples.sql\n");
	die "$page: doc_examples.sql failed:\n$errors" if $failed;

	my $changed = '';
	my $rest = $text;
	while ($rest =~ /\A(.*?^```sql\n)(.*?)(^```\n)(\s*?^```\n(.*?)^```\n)?/ms)
	{
		my ($before, $sql, $end, $output, $expected) = ($1, $2, $3, $4, $5);
		my $line = 1 + (length($changed) ? ($changed =~ tr/\n//) : 0) + ($before =~ tr/\n//);
		$rest = substr($rest, $+[0]);
		$examples++;

		($failed, $printed, $errors) = psql($database, $sql);
		my $got = trimmed($failed ? $errors : $printed);
		if ($ENV{UPDATE} && defined $expected)
		{
			$changed .= "$before$sql$end\n```\n$got\n```\n";
			next;
		}
		$changed .= $before . $sql . $end . ($output // '');
		if (defined $expected)
		{
			is($got, trimmed($expected), "$page line $line prints what it shows");
		}
		else
		{
			ok(!$failed, "$page line $line runs") or diag($errors);
		}
	}
	if ($ENV{UPDATE})
	{
		open my $out, '>', $page or die "$page: $!";
		print $out $changed . $rest;
		close $out;
		pass("$page was brought up to date");
	}
	system('dropdb', $database);
}

ok($examples > 0, 'there are examples');
done_testing();
