/*
 * compat.h
 *	  What differs between the servers loyalty is built for, 15 to 19.
 */
#ifndef LOYALTY_COMPAT_H
#define LOYALTY_COMPAT_H

/* The varlena macros left postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Soft input errors came with 16; before, an input error is a plain one. */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#define input_error(escontext, result, ...)	ereturn(escontext, result, __VA_ARGS__)
#else
#define input_error(escontext, result, ...)	ereport(ERROR, __VA_ARGS__)
#endif

#endif							/* LOYALTY_COMPAT_H */
