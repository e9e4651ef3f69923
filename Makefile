# make, make install, make installcheck   as for any PostgreSQL extension
# make demo, make test                    on a server of their own that is gone afterwards
# make sanitize, make memcheck, make fuzz make errors of memory and arithmetic show; see CONTRIBUTING.md
#
# ASSERT=1 builds with assertions, for a server that need not have been built with them; WERROR=1 makes warnings errors;
# SANITIZE=1 builds with the sanitizers for addresses and undefined behaviour, for make test and its like.
#
# The one version number stands in META.json, where PGXN wants three digits: 0.1.0 there is extension version 0.1.

EXTENSION = loyalty
DISTVERSION := $(shell sed -n '/"provides"/,$$ s/.*"version": *"\([0-9.]*\)".*/\1/p' META.json | head -n 1)
EXTVERSION := $(basename $(DISTVERSION))

MODULE_big = $(EXTENSION)
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c)))
comma := ,
# A server that gcc built with link-time optimization, as Ubuntu's, asks for that of gcc.
NO_LTO = $(if $(findstring clang,$(CC)),-fno-lto)
SANITIZERS = $(if $(filter 1,$(SANITIZE)),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
# Calls within the library go straight to their functions, and their names meet no others in the server.
SHLIB_LINK = -lm $(NO_LTO) $(SANITIZERS) $(if $(filter linux,$(PORTNAME)),-Wl$(comma)-Bsymbolic$(comma)--version-script=src/exports.map)

# Server headers compile under -Wextra only without the first two. The other three are for clang, when the flags and the
# headers are those of a server that gcc built. (CC is known only once PGXS has been read.)
PG_CFLAGS = -fno-semantic-interposition -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare \
	$(NO_LTO) $(if $(findstring clang,$(CC)),-Wno-ignored-optimization-argument -Wno-unknown-warning-option -Wno-ignored-attributes) \
	$(if $(filter 1,$(WERROR)),-Werror) $(if $(filter 1,$(ASSERT)),-DUSE_ASSERT_CHECKING=1) $(SANITIZERS)

PARTS = $(sort $(wildcard sql/parts/*.sql))
DATA_built = $(EXTENSION)--$(EXTVERSION).sql
DATA = $(wildcard sql/$(EXTENSION)--*--*.sql)
EXTRA_CLEAN = $(EXTENSION)--*.sql $(EXTENSION)-*.zip .build-options

# pg_regress looks for NAME.sql in test/sql and for NAME.out in ./expected, in every version.
REGRESS := $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
REGRESS_OPTS = --inputdir=test --load-extension=$(EXTENSION)

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)

ifneq ($(wildcard $(PGXS)),)

# No bitcode for a server with JIT: what it took from there would look for other functions of the library by name, and
# these are not visible (src/exports.map). It could take but the smallest, and building it doubles the time.
override with_llvm = no

include $(PGXS)

else

all install installcheck uninstall clean:
	@echo '"$(PG_CONFIG)" does not lead to the PostgreSQL server headers. Install them' >&2
	@echo '  (Debian, Ubuntu: postgresql-server-dev-15; Fedora: postgresql-server-devel; or your version of these),' >&2
	@echo 'or say which PostgreSQL to build for: make PG_CONFIG=/path/to/pg_config' >&2
	@exit 1

endif

$(EXTENSION).so: src/exports.map

$(OBJS): $(wildcard src/*.h) Makefile .build-options

# Objects with assertions must not end up in a library without: the file changes, and all are built again.
BUILD_OPTIONS = ASSERT=$(ASSERT) SANITIZE=$(SANITIZE)
.build-options: always
	@echo '$(BUILD_OPTIONS)' | cmp -s - $@ || echo '$(BUILD_OPTIONS)' >$@
always:

# The folder is a prerequisite because a part may also go away.
$(DATA_built): $(PARTS) sql/parts META.json Makefile
	{ printf '%s\n' '\echo Use "CREATE EXTENSION $(EXTENSION)" to load this file. \quit'; awk 1 $(PARTS) </dev/null; } > $@.tmp
	mv $@.tmp $@

.PHONY: always demo test sanitize memcheck fuzz fuzz-corpus bench load test-large check-version dist

demo:
	@dev/setup
	@exec dev/with-server psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --file=examples/demo.sql </dev/null

# TESTS="retention growth" runs only the tests of these names.
test: check-version
	@dev/setup test
	@exec dev/with-server dev/run-tests </dev/null

# The unit tests, with the sanitizers for addresses and undefined behaviour.
sanitize:
	@dev/setup
	@exec dev/sanitize

# The same tests as "make test", on a server under valgrind.
memcheck: check-version
	@dev/setup test valgrind
	@exec dev/memcheck </dev/null

# FUZZ="history calendar" runs only the harnesses of these names; each takes FUZZ_SECONDS, 60 without.
fuzz:
	@dev/setup fuzz
	@exec dev/fuzz

# Only what is in fuzz/corpus, once: seconds.
fuzz-corpus:
	@dev/setup fuzz
	@FUZZ_SECONDS=0 exec dev/fuzz

# bench/README.md tells what is measured, and what the environment can change.
bench:
	@dev/setup
	@exec bench/run

# Five minutes of 16 clients at once; test/load/run tells what the environment can change.
load:
	@dev/setup
	@exec dev/with-server test/load/run </dev/null

# What is too large or too long for every run: the limits of a value's size and of memory.
test-large: check-version
	@dev/setup test
	@LOYALTY_LARGE=1 exec dev/with-server dev/run-tests </dev/null

check-version:
	@grep -qx "default_version = '$(EXTVERSION)'" $(EXTENSION).control && \
		test "$$(grep -c '"version": "$(DISTVERSION)"' META.json)" = 2 || \
		{ echo 'The version of provides.$(EXTENSION) in META.json is $(DISTVERSION): say the same at its top,' >&2; \
		  echo "and default_version = '$(EXTVERSION)' in $(EXTENSION).control." >&2; exit 1; }

dist:
	git archive --format=zip --prefix=$(EXTENSION)-$(DISTVERSION)/ --output=$(EXTENSION)-$(DISTVERSION).zip HEAD
