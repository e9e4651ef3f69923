/*
 * test_estimate.c
 *	  Tests of src/estimate.c against published and closed figures.
 *
 * From the top folder:
 *	  cc -O2 -Wall -Wextra -Isrc -o test_estimate test/unit/test_estimate.c src/estimate.c -lm
 * Prints TAP; exits with 1 if a test failed.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "estimate.h"
#include "tap.h"

/* equal to within an absolute tolerance */
static void
near(double got, double wanted, double tolerance, const char *name)
{
	bool		passed = fabs(got - wanted) <= tolerance;	/* NaN is not near */

	ok(passed, name);
	if (!passed)
		printf("# got %.17g, wanted %.17g\n", got, wanted);
}

/* equal to within a share of the wanted value */
static void
close_to(double got, double wanted, double tolerance, const char *name)
{
	near(got, wanted, fabs(wanted) * tolerance, name);
}

static void
test_quantile(void)
{
	/* p and quantile to 20 digits, computed with 40 digits of precision */
	static const struct
	{
		double		p;
		double		z;
	}			known[] = {
		{1e-300, -37.04709629936119923655},
		{1e-200, -30.20559417957964306312},
		{1e-100, -21.27345356096532429418},
		{1e-50, -14.93333753478848898066},
		{1e-20, -9.262340089798407579572},
		{1e-10, -6.361340902404056199100},
		{1e-5, -4.264890793922824610234},
		{0.001, -3.090232306167813535358},
		{0.02, -2.053748910631823044339},
		{0.025, -1.959963984540054211780},
		{0.1, -1.281551565544600435335},
		{0.2, -0.8416212335729141655225},
		{0.24999, -0.6745212191808628056927},
		{0.3, -0.5244005127080408159695},
		{0.45, -0.1256613468550740061604},
		{0.499999, -0.000002506628274566559377905},
		{0.6, 0.2533471031357997413247},
		{0.75, 0.6744897501960817432022},
		{0.8, 0.8416212335729143638036},
		{0.9, 1.281551565544600593487},
		{0.975, 1.959963984540053855604},
		{0.999, 3.090232306167813277758},
		{0.999999, 4.753424308817087765688},
		{0x1p-54, -8.292361075813595538234},
		{1 - 0x1p-53, 8.209536151601386855631}
	};
	double		worst = 0;
	double		worst_tail = 0;
	bool		increasing = true;
	bool		symmetric = true;
	double		previous = -INFINITY;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
	{
		char		name[60];

		snprintf(name, sizeof(name), "quantile of %g", known[i].p);
		close_to(normal_quantile(known[i].p), known[i].z, 5e-16, name);
	}
	near(normal_quantile(0.5), 0, 0, "the median is exactly 0");

	for (int i = 1; i < 4096; i++)
	{
		double		p = i / 4096.0;
		double		z = normal_quantile(p);

		if (z <= previous)
			increasing = false;
		previous = z;
		if (z != -normal_quantile(1 - p))
			symmetric = false;
		worst = fmax(worst, fabs(0.5 * erfc(-z * sqrt(0.5)) / p - 1));
	}
	ok(increasing, "quantiles increase with p");
	ok(symmetric, "quantiles are symmetric");
	near(worst, 0, 3e-15, "distribution function of the quantile");

	/* the tail of z changes by z^2 times the relative error of z */
	for (double p = 1e-300; p < 0.1; p *= 1.7)
	{
		double		z = normal_quantile(p);

		worst_tail = fmax(worst_tail, fabs(0.5 * erfc(-z * sqrt(0.5)) / p - 1) / (z * z));
	}
	near(worst_tail, 0, 5e-16, "tails down to 1e-300");
	ok(normal_quantile(5e-324) < -38 && normal_quantile(5e-324) > -39,
	   "the smallest number has a quantile");
}

static void
test_confidence(void)
{
	double		worst = 0;

	close_to(confidence_z(0.95), 1.959963984540054235524594, 3e-16, "z of 0.95");
	close_to(confidence_z(0.90), 1.644853626951472714863848, 3e-16, "z of 0.90");
	close_to(confidence_z(0.99), 2.575829303548900760966268, 1e-15, "z of 0.99");
	close_to(confidence_z(0.5), 0.6744897501960817432022270, 3e-16, "z of 0.5");
	/* 1 - 2^-53 leaves a tail of 2^-54 */
	close_to(confidence_z(1 - 0x1p-53), -normal_quantile(0x1p-54), 3e-16,
			 "z of the largest confidence");
	close_to(confidence_z(1e-300), 1e-300 * sqrt(acos(-1.0) / 2), 3e-16,
			 "z of a confidence near 0");
	for (double confidence = 1e-6; confidence < 1; confidence += 1.0 / 1024)
		worst = fmax(worst, fabs(erf(confidence_z(confidence) * sqrt(0.5)) /
								 confidence - 1));
	near(worst, 0, 1e-15, "confidence of z");

	close_to(normal_two_sided_p(1.959963984540054), 0.05, 1e-15, "p of 1.96");
	near(normal_two_sided_p(0), 1, 0, "p of 0");
	ok(normal_two_sided_p(-3) == normal_two_sided_p(3), "p is two-sided");
	close_to(normal_two_sided_p(30), 9.813427854297e-198, 1e-12, "p of 30");
}

static void
test_wilson(void)
{
	double		z = confidence_z(0.95);
	ConfidenceInterval got;
	bool		ordered = true;
	bool		mirrored = true;
	bool		monotone = true;
	bool		solves = true;

	/* Newcombe 1998, Two-sided confidence intervals for the single proportion */
	got = wilson_interval(81, 263, z);
	near(got.low, 0.2553, 5e-5, "81 of 263, low");
	near(got.high, 0.3662, 5e-5, "81 of 263, high");
	got = wilson_interval(15, 148, z);
	near(got.low, 0.0624, 5e-5, "15 of 148, low");
	near(got.high, 0.1605, 5e-5, "15 of 148, high");
	got = wilson_interval(0, 20, z);
	near(got.low, 0, 0, "0 of 20, low");
	near(got.high, 0.1611, 5e-5, "0 of 20, high");
	got = wilson_interval(1, 29, z);
	near(got.low, 0.0061, 5e-5, "1 of 29, low");
	near(got.high, 0.1718, 5e-5, "1 of 29, high");

	for (int n = 1; n <= 60; n++)
	{
		for (int s = 0; s <= n; s++)
		{
			double		p = (double) s / n;

			got = wilson_interval(s, n, z);
			if (!(0 <= got.low && got.low <= p && p <= got.high && got.high <= 1))
				ordered = false;
			if (fabs(got.low - (1 - wilson_interval(n - s, n, z).high)) > 1e-15)
				mirrored = false;
			if (s > 0 && (got.low <= wilson_interval(s - 1, n, z).low ||
						  got.high <= wilson_interval(s - 1, n, z).high))
				monotone = false;
			/* the limits are where the score test just does not reject */
			for (int side = 0; side < 2; side++)
			{
				double		limit = side ? got.high : got.low;
				double		score = (p - limit) / sqrt(limit * (1 - limit) / n);

				if (limit > 0 && limit < 1 && fabs(fabs(score) - z) > 1e-12)
					solves = false;
			}
		}
		if (wilson_interval(0, n, z).low != 0 || wilson_interval(n, n, z).high != 1)
			ordered = false;
	}
	ok(ordered, "0 <= low <= rate <= high <= 1, exact at both ends");
	ok(mirrored, "successes and failures mirror each other");
	ok(monotone, "limits rise with successes");
	ok(solves, "limits solve the score equation");

	got = wilson_interval(0, INT64_C(1) << 62, z);
	close_to(got.high, z * z / ldexp(1, 62), 1e-15, "none of 2^62, high");
	got = wilson_interval(1, INT64_C(1) << 62, z);
	close_to(got.low, (1 + z * z / 2 - z * sqrt(1 + z * z / 4)) * ldexp(1, -62),
			 1e-13, "one of 2^62, low");
	got = wilson_interval((INT64_C(1) << 62) - 1, INT64_C(1) << 62, z);
	ok(got.low <= got.high && got.high <= 1, "all but one of 2^62");
	got = wilson_interval(INT64_MAX / 2, INT64_MAX, z);
	near(got.high - got.low, z / sqrt(ldexp(1, 63)), 3e-16, "half of 2^63 - 1");
	got = wilson_interval(0, 7, confidence_z(1e-200));
	ok(got.low == 0 && got.high >= 0 && got.high < 1e-300, "confidence of nearly 0");
	got = wilson_interval(3, 7, confidence_z(1 - 0x1p-53));
	ok(got.low > 0 && got.low < 0.05 && got.high > 0.95 && got.high < 1,
	   "confidence of nearly 1");
}

static void
test_difference(void)
{
	double		z = confidence_z(0.95);
	RateDifference got;
	RateDifference swapped;

	/* Newcombe 1998, Interval estimation for the difference, method 10 */
	static const struct
	{
		int			s1,
					n1,
					s2,
					n2;
		double		difference,
					low,
					high;
	}			published[] = {
		{56, 70, 48, 80, 0.2, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.6, 0.1705, 0.8090},
		{6, 7, 2, 7, 0.5714, 0.0582, 0.8062},
		{5, 56, 0, 29, 0.0893, -0.0381, 0.1926},
		{0, 10, 0, 20, 0, -0.1611, 0.2775},
		{0, 10, 0, 10, 0, -0.2775, 0.2775},
		{10, 10, 0, 20, 1, 0.6791, 1},
		{10, 10, 0, 10, 1, 0.6075, 1}
	};

	for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++)
	{
		char		name[80];

		got = rate_difference(published[i].s1, published[i].n1,
							  published[i].s2, published[i].n2, z);
		snprintf(name, sizeof(name), "%d/%d - %d/%d", published[i].s1,
				 published[i].n1, published[i].s2, published[i].n2);
		ok(fabs(got.difference - published[i].difference) < 5.1e-5 &&
		   fabs(got.low - published[i].low) < 5.1e-5 &&
		   fabs(got.high - published[i].high) < 5.1e-5, name);
	}

	/* pooled: 104 of 150; z^2 is the chi-squared of the two by two table */
	got = rate_difference(56, 70, 48, 80, z);
	close_to(got.z * got.z,
			 150.0 * pow(56.0 * 32 - 14.0 * 48, 2) / (70.0 * 80 * 104 * 46), 1e-13,
			 "z squared is chi-squared");
	close_to(got.p_value, erfc(got.z / sqrt(2)), 1e-15, "p of z");
	swapped = rate_difference(48, 80, 56, 70, z);
	ok(fabs(swapped.difference + got.difference) < 1e-16 &&
	   fabs(swapped.low + got.high) < 1e-16 &&
	   fabs(swapped.high + got.low) < 1e-16 &&
	   fabs(swapped.z + got.z) < 1e-15 && swapped.p_value == got.p_value,
	   "swapped rates");

	got = rate_difference(1, 3, INT64_C(333333333333), INT64_C(999999999999), z);
	ok(got.difference == 0 && got.z == 0 && got.p_value == 1, "equal rates");
	got = rate_difference(0, 10, 0, 20, z);
	ok(isnan(got.z) && isnan(got.p_value), "no test at a pooled rate of 0");
	got = rate_difference(10, 10, 20, 20, z);
	ok(isnan(got.z) && isnan(got.p_value) && got.difference == 0, "no test at a pooled rate of 1");
	got = rate_difference(INT64_MAX / 3, INT64_MAX, INT64_MAX / 2, INT64_MAX, z);
	ok(got.low <= got.difference && got.difference <= got.high &&
	   fabs(got.difference + 1.0 / 6) < 1e-15 && got.p_value == 0,
	   "counts whose sum exceeds int64");
	got = rate_difference(1, 1, 0, 1, z);
	ok(got.low >= -1 && got.high == 1, "one trial each");
}

static void
test_survival(void)
{
	/* R, survival, data set aml, maintained arm; time, 1 = event */
	static const int subjects[11][2] = {
		{9, 1}, {13, 1}, {13, 0}, {18, 1}, {23, 1}, {28, 0},
		{31, 1}, {34, 1}, {45, 0}, {48, 1}, {161, 0}
	};
	static const struct
	{
		int			time;
		double		survival;
	}			wanted[] = {
		{9, .909090909}, {13, .818181818}, {18, .715909091}, {23, .613636364},
		{31, .490909091}, {34, .368181818}, {48, .184090909}
	};
	double		z = confidence_z(0.95);
	SurvivalCurve curve = SURVIVAL_CURVE_START;
	ConfidenceInterval limits;
	int			checked = 0;
	double		greenwood;

	near(survival_standard_error(&curve), 0, 0, "nobody has had the event: no error");
	for (int i = 0; i < 11; i++)
	{
		char		name[60];

		if (i > 0 && subjects[i][0] == subjects[i - 1][0])
			continue;			/* the tie at 13, one event and one censored */
		survival_step(&curve, 11 - i, subjects[i][1]);
		if (!subjects[i][1])
			continue;
		snprintf(name, sizeof(name), "aml, S(%d)", wanted[checked].time);
		near(curve.survival, wanted[checked].survival, 6e-10, name);
		checked++;
		if (subjects[i][0] == 23)
		{
			near(survival_standard_error(&curve), .152632331, 6e-10, "aml, standard error at 23");
			limits = survival_interval(&curve, z);
			near(limits.low, .2657520400, 6e-11, "aml, low at 23");
			near(limits.high, .835299243, 6e-10, "aml, high at 23");
		}
	}
	ok(checked == 7, "aml, all seven times");

	/* without censoring S is the share of survivors and Greenwood binomial */
	curve = SURVIVAL_CURVE_START;
	for (int left = 1000; left > 300; left -= 7)
		survival_step(&curve, left, 7);
	near(curve.survival, 0.3, 1e-14, "nobody censored: the share of survivors");
	near(survival_standard_error(&curve), sqrt(0.3 * 0.7 / 1000), 1e-14,
		 "nobody censored: binomial error");
	limits = survival_interval(&curve, z);
	ok(limits.low < 0.3 && limits.high > 0.3, "interval around it");
	greenwood = curve.greenwood;
	survival_step(&curve, 300, 0);
	ok(curve.greenwood == greenwood, "a step without events changes nothing");
	survival_step(&curve, 0, 0);
	ok(curve.greenwood == greenwood && curve.survival > 0.29, "nor one with nobody at risk");
	survival_step(&curve, 300, 300);
	ok(curve.survival == 0 && isfinite(curve.greenwood), "S falls to exactly 0");
	near(survival_standard_error(&curve), 0, 0, "no error at 0");
	limits = survival_interval(&curve, z);
	ok(limits.low == 0 && limits.high == 0, "no interval at 0");

	curve = SURVIVAL_CURVE_START;
	limits = survival_interval(&curve, z);
	ok(limits.low == 1 && limits.high == 1, "no interval at 1");
	survival_step(&curve, INT64_C(1) << 62, 1);
	survival_step(&curve, INT64_C(1) << 61, (INT64_C(1) << 61) - 1);
	limits = survival_interval(&curve, z);
	ok(curve.survival > 0 && limits.low >= 0 && limits.low <= curve.survival &&
	   limits.high >= curve.survival && limits.high <= 1, "2^62 at risk");
}

int
main(void)
{
	test_quantile();
	test_confidence();
	test_wilson();
	test_difference();
	test_survival();
	return finish();
}
