/*
 * rates.h
 *	  Arguments that all functions of rates share.
 */
#ifndef LOYALTY_RATES_H
#define LOYALTY_RATES_H

/*
 * The z of a two-sided confidence level given as an argument "confidence";
 * an error unless it lies between 0 and 1.
 */
extern double check_confidence(double confidence);

#endif							/* LOYALTY_RATES_H */
