/*
 * purchase_models.h
 *	  What SQL functions of the models of buying share.
 */
#ifndef LOYALTY_PURCHASE_MODELS_H
#define LOYALTY_PURCHASE_MODELS_H

#include "purchase_patterns.h"

/* 'bg_nbd', 'mbg_nbd' or 'pareto_nbd'; NULL: the first. */
extern PurchaseModelKind arg_purchase_model(FunctionCallInfo fcinfo, int arg);

/* A finite number >= 0; NULL: the default, which may be infinite. */
extern double arg_not_negative(FunctionCallInfo fcinfo, int arg, const char *name, double default_value);

#endif							/* LOYALTY_PURCHASE_MODELS_H */
