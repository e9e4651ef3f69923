# Servers of a test's own, beside the one that dev/with-server provides: in the scratch folder, on sockets there, with
# the same programs. They end with the test, whatever happens to it.
package Server;
use strict;
use warnings;
use POSIX ();

our $scratch = $ENV{LOYALTY_SCRATCH} or die "LOYALTY_SCRATCH is set by dev/with-server: run this through it\n";
my $next_port = 5500;
my @servers;

# PostgreSQL refuses to run as root: then the owner of the scratch folder runs it, as in dev/with-server.
my @as_server;
if ($> == 0)
{
	my $user = (stat $scratch)[4];
	my $group = (getpwuid $user)[3];
	@as_server = ('setpriv', "--reuid=$user", "--regid=$group", '--init-groups', '--') if $user != 0;
}

$SIG{$_} = sub { exit 1 } for qw(HUP INT TERM); # END ends the servers

END
{
	my $status = $?;
	$_->remove for my @all = @servers;
	$? = $status;
}

# Runs a program; dies with what it said if it fails.
sub run
{
	my ($log, @command) = @_;
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		become($log, @command);
	}
	waitpid $pid, 0;
	die "@command:\n" . contents($log) if $? != 0;
}

sub become
{
	my ($log, @command) = @_;
	chdir $scratch; # the user of the server need not be able to read where we are
	open STDIN, '<', '/dev/null';
	open STDOUT, '>>', $log;
	open STDERR, '>&', \*STDOUT;
	{ no warnings; exec @command; }
	POSIX::_exit(127);
}

sub contents
{
	my ($file) = @_;
	open my $in, '<', $file or return '';
	local $/;
	return scalar(<$in>) // '';
}

sub described
{
	my ($class, $name) = @_;
	my $self = bless { name => $name, data => "$scratch/$name", log => "$scratch/$name.log", port => $next_port++ }, $class;
	push @servers, $self;
	return $self;
}

sub configure
{
	my ($self, $settings) = @_;
	open my $conf, '>>', "$self->{data}/postgresql.conf" or die "$self->{data}: $!";
	print $conf "listen_addresses = ''\nunix_socket_directories = '$scratch'\nport = $self->{port}\nfsync = off\njit = off\n$settings\n";
	close $conf;
	return $self;
}

# A new cluster, not started; $settings are lines for postgresql.conf.
sub new
{
	my ($class, $name, $settings) = @_;
	my $self = $class->described($name);
	run($self->{log}, @as_server, 'initdb', "--pgdata=$self->{data}", '--username=postgres', '--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync');
	return $self->configure($settings // '');
}

# A standby of a running server, not started.
sub standby
{
	my ($primary, $name, $settings) = @_;
	my $self = ref($primary)->described($name);
	run($self->{log}, @as_server, 'pg_basebackup', "--pgdata=$self->{data}", "--host=$scratch", "--port=$primary->{port}", '--username=postgres',
		'--write-recovery-conf', '--checkpoint=fast', '--no-sync');
	return $self->configure($settings // '');
}

sub start
{
	my ($self) = @_;
	my $pid = fork // die "fork: $!";
	become($self->{log}, @as_server, 'postgres', '-D', $self->{data}) if $pid == 0;
	$self->{pid} = $pid;
	for (1 .. 1200)
	{
		return $self if system("pg_isready --quiet --port=$self->{port}") == 0 && kill(0, $pid) && contents("$self->{data}/postmaster.pid") =~ /^$pid\n/;
		if (waitpid($pid, POSIX::WNOHANG()) == $pid)
		{
			delete $self->{pid};
			last;
		}
		select undef, undef, undef, 0.05;
	}
	die "$self->{name} does not start:\n" . contents($self->{log});
}

# INT: the fast shutdown, QUIT: the immediate one
sub stop
{
	my ($self, $signal) = @_;
	my $pid = delete $self->{pid} or return $self;
	kill $signal // 'INT', $pid;
	waitpid $pid, 0;
	return $self;
}

# Kills every process of the server at once, as a lack of memory or of power would, and waits until none is left.
sub crash
{
	my ($self) = @_;
	my $pid = delete $self->{pid};
	kill 'STOP', $pid; # it starts no other while we look
	my @all = ($pid);
	for my $file (glob '/proc/[0-9]*/stat')
	{
		push @all, $1 if contents($file) =~ /^(\d+) \(.*\) \S (\d+) /s && $2 == $pid;
	}
	kill 'KILL', @all;
	waitpid $pid, 0;
	for (1 .. 400) # zombies that init has yet to reap have let go of everything
	{
		last unless grep { contents("/proc/$_/stat") =~ /^\d+ \(.*\) [^ZX] /s } @all;
		select undef, undef, undef, 0.01;
	}
	return scalar @all;
}

sub remove
{
	my ($self) = @_;
	$self->stop('QUIT');
	system 'rm', '-rf', $self->{data}, $self->{log}, glob "$scratch/$self->{name}.*";
	@servers = grep { $_ != $self } @servers;
}

# Moves a stopped cluster into another, new and stopped, as to a newer version of PostgreSQL.
sub upgrade
{
	my ($self, $new) = @_;
	my $bin = `pg_config --bindir`;
	chomp $bin;
	local @ENV{qw(PGHOST PGPORT)};
	delete @ENV{qw(PGHOST PGPORT)};
	my @command = (@as_server, "$bin/pg_upgrade", "--old-datadir=$self->{data}", "--new-datadir=$new->{data}", "--old-bindir=$bin", "--new-bindir=$bin",
		"--old-port=$self->{port}", "--new-port=$new->{port}", "--socketdir=$scratch", '--username=postgres', '--link');
	run($new->{log}, @command);
	unlink "$scratch/delete_old_cluster.sh";
}

# What a script prints, rows as lines with bars between columns; dies with the errors if there are any.
sub psql
{
	my ($self, $sql, $database) = @_;
	my $name = "$scratch/$self->{name}";
	open my $file, '>:utf8', "$name.sql" or die "$name.sql: $!";
	print $file "SET client_min_messages = warning;\n$sql";
	close $file;
	my $printed = `psql -XqAt -v ON_ERROR_STOP=1 -p $self->{port} -d @{[$database // 'postgres']} -f $name.sql 2>$name.errors`;
	die contents("$name.errors") . "in: $sql\n" if $? != 0;
	chomp $printed;
	return $printed;
}

1;
