/*
 * test_special_functions.c
 *	  Tests of src/special_functions.c against figures computed with 60 digits
 *	  and closed forms.
 *
 * From the top folder:
 *	  cc -O2 -Wall -Wextra -Isrc -o test_special_functions test/unit/test_special_functions.c \
 *		  src/special_functions.c -lm
 * Prints TAP; exits with 1 if a test failed.  The tables are printed by
 * test/data/model_vectors.py.
 */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "special_functions.h"
#include "tap.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* the largest of some errors is small enough */
static void
within(double worst, double tolerance, const char *name)
{
	ok(worst <= tolerance, name);	/* NaN is not */
	if (!(worst <= tolerance))
		printf("# error %.3g, allowed %.3g\n", worst, tolerance);
}

/* A NaN among the errors stays. */
static double
larger(double a, double b)
{
	return a >= b || isnan(a) ? a : b;
}

static double
relative_error(double got, double wanted)
{
	return got == wanted ? 0.0 : fabs(got - wanted) / fabs(wanted);
}

static void
test_gamma(void)
{
	static const double known[][3] = {
		{1.0e-5, 11.512919692895825626, -100000.57719921567289},
		{0.01, 4.5994798780420217016, -100.56088545786867242},
		{0.5, 0.57236494292470008707, -1.9635100260214234794},
		{1.4, -0.11961291417237129319, -0.061384544585116236801},
		{1.5, -0.12078223763524522235, 0.036489973978576520559},
		{2.5, 0.28468287047291915963, 0.70315664064524318723},
		{9.99, 12.77931521435019336, 2.250700372831201122},
		{10.0, 12.801827480081469611, 2.2517525890667211076},
		{123.4, 469.33609744219058579, 4.8113737751162774191},
		{1000000.0, 12815504.56914761166, 13.815510057964190771}
	};
	double		of_log = 0.0;
	double		of_digamma = 0.0;
	double		recurrence = 0.0;
	double		reflection = 0.0;

	for (size_t i = 0; i < COUNT(known); i++)
	{
		of_log = larger(of_log, relative_error(log_gamma(known[i][0]), known[i][1]));
		of_digamma = larger(of_digamma, fabs(digamma(known[i][0]) - known[i][2]) / larger(1, fabs(known[i][2])));
	}
	within(of_log, 5e-15, "ln Gamma");
	within(of_digamma, 5e-15, "digamma");

	for (double x = 1e-3; x < 1e3; x *= 1.01)
	{
		recurrence = larger(recurrence, relative_error(digamma(x + 1) - digamma(x), 1 / x) /
							larger(1, x * fabs(digamma(x))));
		if (x < 0.5)
			reflection = larger(reflection, relative_error(digamma(1 - x) - digamma(x), acos(-1) / tan(acos(-1) * x)));
	}
	within(recurrence, 5e-15, "digamma(x + 1) = digamma(x) + 1 / x");
	within(reflection, 2e-14, "reflection of digamma");
}

static void
test_rising(void)
{
	/* a, n, value, derivative */
	static const double known[][4] = {
		{0.01, 1.0, -4.6051701859880913472, 99.999999999999997918},
		{0.01, 40.0, 102.06904492199018806, 104.23746595090632073},
		{0.01, 41.0, 105.75817434485933172, 104.26245970246843021},
		{1.0e-5, 1000000.0, 12815493.056366073865, 100014.39270927364708},
		{800.0, 5000.0, 39911.876567232541795, 1.9815403897011350088},
		{100000.0, 3.0, 34.53880639466068826, 0.000029999700004999910002},
		{100000.0, 0.25, 2.878230428741775858, 2.5000093750156249121e-6},
		{2.5, 0.5, 0.40846431008702614978, 0.21962769445322395217},
		{1000000.0, 1000.0, 13816.009891630641012, 0.00099950083258419908431},
		{1000000.0, 1000000.0, 14201804.572510532776, 0.69314743056000780942},
		{0.5, 1.0e+12, 26631021115928.894782, 29.594531141949971688},
		{1.0e+12, 0.5, 13.815510557964149104, 5.00000000000125e-13}
	};
	double		of_value = 0.0;
	double		of_derivative = 0.0;
	double		recurrence = 0.0;

	for (size_t i = 0; i < COUNT(known); i++)
	{
		double		derivative;

		of_value = larger(of_value, relative_error(log_rising(known[i][0], known[i][1], &derivative), known[i][2]));
		of_derivative = larger(of_derivative, relative_error(derivative, known[i][3]));
	}
	within(of_value, 5e-15, "ln of a rising factorial");
	within(of_derivative, 5e-15, "its derivative");

	/* across the border between factors and series */
	for (double a = 1e-3; a < 1e6; a *= 3)
		for (double n = 0; n < 100; n += 1)
		{
			double		before;
			double		after;
			double		grown = log_rising(a, n + 1, &after) - log_rising(a, n, &before);

			recurrence = larger(recurrence, fabs(grown - log(a + n)) / larger(1, fabs(log_rising(a, n, &before))));
			recurrence = larger(recurrence, fabs(after - before - 1 / (a + n)) / larger(1, after));
		}
	within(recurrence, 1e-15, "(a)_(n+1) = (a)_n (a + n), and its derivative");
}

static void
test_staying(void)
{
	/* a, b, n, value, and derivatives by a, b and n */
	static const double known[][7] = {
		{0.7, 1.2, 1.0, -0.45953232937844014004, -0.52631578947368423513, 0.30701754385964912904, -0.33820651389659888091},
		{0.01, 0.01, 5000.0, -0.78384632382742831746, -59.061886498931107942, 50.016094147218481516, -2.0001940121518854757e-6},
		{800.0, 0.01, 2.0, -17.965717514109662895, -0.002498408240065910925, 100.98760060166092211, -6.2572839614048977595},
		{0.01, 800.0, 2.0, -0.000024984238453112951802, -0.002498408240065910925, 3.1210620730772847873e-8, -0.000012476526912411515638},
		{100000.0, 100000.0, 1.0, -0.69314718055994530942, -5.0e-6, 5.0e-6, -0.69314468056619530942},
		{2.5, 1000000.0, 0.5, -1.2499987500018229137e-6, -4.9999887500249999452e-7, 1.2499975000054687381e-12, -2.499996875004999991e-6},
		{1.0, 1.0, 1000000.0, -13.815511557963774104, -13.392727722864723632, 0.999999000000999999, -9.99999000000999999e-7},
		{0.5, 3.0, 1.0e+12, -13.307684136178520189, -26.527864475286305021, 0.18037230554627604783, -4.99999999998625e-13}
	};
	double		worst[4] = {0};
	LogStaying	none = log_staying(0.7, 1.2, 0);
	double		product = 0.0;

	for (size_t i = 0; i < COUNT(known); i++)
	{
		const double *k = known[i];
		LogStaying	got = log_staying(k[0], k[1], k[2]);

		worst[0] = larger(worst[0], fabs(got.value - k[3]) / larger(1, fabs(k[3])));
		worst[1] = larger(worst[1], relative_error(got.by_a, k[4]));
		/* a difference of two that are as large as by_n at most */
		worst[2] = larger(worst[2], fabs(got.by_b - k[5]) / larger(fabs(k[5]), 1e-3 * fabs(k[6])));
		worst[3] = larger(worst[3], relative_error(got.by_n, k[6]));
	}
	within(worst[0], 5e-15, "ln E (1 - P)^n");
	within(worst[1], 1e-14, "its derivative by a");
	within(worst[2], 1e-10, "its derivative by b");
	within(worst[3], 1e-14, "its derivative by n");
	ok(none.value == 0 && none.by_a == 0 && none.by_b == 0, "n = 0");

	for (double a = 1e-3; a < 1e4; a *= 7)
		for (double b = 1e-3; b < 1e4; b *= 7)
		{
			double		steps = 0.0;

			for (double n = 0; n < 60; n += 1)
				steps += log1p(-a / (a + b + n));
			product = larger(product, relative_error(log_staying(a, b, 60).value, steps));
		}
	within(product, 5e-12, "a product of the chances to stay");
}

static void
test_small(void)
{
	ok(log_add_exp(-INFINITY, -INFINITY) == -INFINITY, "ln (0 + 0)");
	ok(log_add_exp(-INFINITY, 3) == 3 && log_add_exp(3, -INFINITY) == 3, "ln (0 + e^3)");
	within(relative_error(log_add_exp(-1000, -1001), -1000 + log1p(exp(-1))), 1e-16, "of both below the smallest double");
	within(relative_error(log_add_exp(1001, 1000), 1001 + log1p(exp(-1))), 1e-16, "of both above the largest double");
	ok(isnan(log_add_exp(NAN, 1)) && isnan(log_add_exp(1, NAN)), "ln (NaN + e)");

	ok(decayed_length(0, 5) == 5, "no decay");
	within(relative_error(decayed_length(1e-20, 5), 5), 1e-16, "hardly any decay");
	within(relative_error(decayed_length(2, 3), (1 - exp(-6)) / 2), 1e-16, "decay");
	within(relative_error(decayed_length(-2, 3), (exp(6) - 1) / 2), 4e-16, "growth");
	ok(decayed_length(2, INFINITY) == 0.5 && decayed_length(0, INFINITY) == INFINITY &&
	   decayed_length(-1, INFINITY) == INFINITY, "of an infinite length");
}

/* n nodes integrate x^k exactly up to k = 2 n - 1, and x^(2 n) too small by a known amount. */
static void
test_quadrature(void)
{
	for (int count = 8; count <= 32; count *= 2)
	{
		const Quadrature *rule = gauss_legendre(count);
		double		worst = 0.0;
		double		beyond = 0.0;
		double		missing = 1.0;
		bool		inside = true;

		for (int k = 0; k < 2 * count; k++)
		{
			double		sum = 0.0;

			for (int i = 0; i < rule->count; i++)
				sum += rule->weight[i] * pow(rule->node[i], k);
			worst = larger(worst, relative_error(sum, 1.0 / (k + 1)));
		}
		for (int i = 0; i < rule->count; i++)
		{
			inside = inside && rule->node[i] > 0 && rule->node[i] < 1 && rule->weight[i] > 0;
			beyond += rule->weight[i] * pow(2 * rule->node[i] - 1, 2 * count);
		}
		/* (2^n n!^2 / (2n)!)^2 / (2n + 1), of (2 x - 1)^2n */
		for (int i = 1; i <= count; i++)
			missing *= i / (2.0 * i - 1);
		missing = missing * missing / (2 * count + 1);
		ok(rule->count == count && inside, "nodes and weights");
		within(worst, 1e-14, "polynomials up to degree 2 n - 1");
		if (count < 32)
			within(fabs(1.0 / (2 * count + 1) - beyond - missing), 1e-14, "but no more");
	}
}

static double
one(double share, void *context)
{
	(void) share;
	(void) context;
	return 1;
}

static double
itself(double share, void *context)
{
	(void) context;
	return share;
}

static double
squared(double share, void *context)
{
	(void) context;
	return share * share;
}

static double
over_sum(double share, void *context)
{
	return 1 / (*(double *) context + share);
}

static void
test_expectation(void)
{
	/* a, b, d, E 1 / (d + P) */
	static const double known[][4] = {
		{5.4, 99.0, 0.22, 3.7024446886019997802},
		{82.0, 5.0, 0.0003, 1.061390077054937867},
		{0.01, 0.01, 0.5, 1.3261575850847523693},
		{0.01, 800.0, 1.0e-6, 936577.43106647617608},
		{800.0, 0.01, 1.0e-6, 1.0000115156205086015},
		{1.0, 1.0, 0.1, 2.3978952727983704936},
		{2.0, 300.0, 0.001, 190.53630902708495833},
		{20.0, 2000.0, 0.01, 50.856695864957187316},
		{100000.0, 100000.0, 1.0, 0.66666703703580246776},
		{1.0e-5, 100000.0, 1.0e-9, 999913662.87842964848},
		{10.0, 1000000.0, 1.0e-5, 51218.431163543928311},
		{0.01, 0.01, 1.0e-12, 379412693094.192602},
		{0.2, 0.5, 1.0e-15, 852622813032.03987925}
	};
	double		of_known = 0.0;
	double		of_one = 0.0;
	double		of_mean = 0.0;
	double		of_square = 0.0;
	double		of_all = 0.0;

	for (size_t i = 0; i < COUNT(known); i++)
	{
		double		d = known[i][2];

		of_known = larger(of_known, relative_error(beta_expectation(known[i][0], known[i][1], fmax(1, 1 / d), over_sum, &d),
												   known[i][3]));
	}
	within(of_known, 2e-14, "E 1 / (d + P)");

	for (double a = 1e-5; a < 2e5; a *= 1.9)
		for (double b = 1e-5; b < 2e5; b *= 1.7)
		{
			double		mean = a / (a + b);
			double		square = mean * (a + 1) / (a + b + 1);

			of_one = larger(of_one, relative_error(beta_expectation(a, b, 1, one, NULL), 1));
			of_mean = larger(of_mean, relative_error(beta_expectation(a, b, 1, itself, NULL), mean));
			of_square = larger(of_square, relative_error(beta_expectation(a, b, 1, squared, NULL), square));
			/* a function with its edge at 1e-9: E P / (d + P) + d E 1 / (d + P) = 1 */
			if (a > 0.1 && a < 1e3)
			{
				double		d = 1e-9;
				double		over = beta_expectation(a, b, 1 / d, over_sum, &d);

				of_all = larger(of_all, over > 0 && over <= 1 / d ? 0 : 1);
			}
		}
	within(of_one, 0, "E 1, a and b 1e-5 to 1e5");
	within(of_mean, 1e-13, "E P");
	within(of_square, 1e-13, "E P^2");
	within(of_all, 0, "E 1 / (1e-9 + P) is between 0 and 1e9");
}

int
main(void)
{
	test_gamma();
	test_rising();
	test_staying();
	test_small();
	test_quadrature();
	test_expectation();
	return finish();
}
