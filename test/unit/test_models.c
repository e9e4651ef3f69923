/*
 * test_models.c
 *	  Tests of the arithmetic of the models of buying, spending and renewing.
 *
 * From the top folder, where it finds test/data:
 *	  cc -O2 -Wall -Wextra -Isrc -o test_models test/unit/test_models.c \
 *		  src/models*.c src/special_functions.c src/maximise.c -lm
 * Prints TAP; exits with 1 if a test failed.
 *
 * The tables of reference figures are printed by test/data/model_vectors.py:
 * textbook formulas at 60 digits, where the sources use quadrature.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models.h"
#include "models_of_buying.h"
#include "random.h"
#include "tap.h"

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

/* equal to within a share of the wanted value */
static void
close_to(double got, double wanted, double tolerance, const char *name)
{
	bool		passed = fabs(got - wanted) <= fabs(wanted) * tolerance;	/* NaN is not close */

	ok(passed, name);
	if (!passed)
		printf("# got %.17g, wanted %.17g\n", got, wanted);
}

/* the largest of some errors is small enough */
static void
within(double worst, double tolerance, const char *name)
{
	ok(worst <= tolerance, name);
	if (!(worst <= tolerance))
		printf("# error %.3g, allowed %.3g\n", worst, tolerance);
}

/* A NaN among the errors stays. */
static double
larger(double a, double b)
{
	return a >= b || isnan(a) ? a : b;
}

static void
no_interrupts(void)
{
}

static PurchaseModel
model_of(PurchaseModelKind kind, double first, double second, double third, double fourth)
{
	return (PurchaseModel) {kind, {first, second, third, fourth}};
}

static const char *const kind_names[] = {"BG/NBD", "MBG/NBD", "Pareto/NBD", "BG/BB"};

/* What a failed check of many prints. */
static void
print_case(const PurchaseModel *model, double x, double t_x, double T, double horizon)
{
	printf("# %s (%.9g, %.9g, %.9g, %.9g) x %g t_x %.9g T %.9g horizon %.9g\n", kind_names[model->kind],
		   model->parameters[0], model->parameters[1], model->parameters[2], model->parameters[3], x, t_x, T, horizon);
}

/* ---------- random numbers ---------- */

/* In (0, 1). */
static double
uniform(void)
{
	return ((random_number() >> 11) + 0.5) / 9007199254740992.0;
}

static double
log_uniform(double low, double high)
{
	return low * pow(high / low, uniform());
}

static double
exponential(double rate)
{
	return -log(uniform()) / rate;
}

/* Marsaglia and Tsang 2000; the normal deviate by Box and Muller. */
static double
gamma_deviate(double shape, double rate)
{
	double		d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
	double		c = 1 / sqrt(9 * d);

	for (;;)
	{
		double		z = sqrt(-2 * log(uniform())) * cos(2 * acos(-1) * uniform());
		double		v = pow(1 + c * z, 3);

		if (v > 0 && log(uniform()) < z * z / 2 + d - d * v + d * log(v))
			return (shape < 1 ? d * v * pow(uniform(), 1 / shape) : d * v) / rate;
	}
}

static double
beta_deviate(double a, double b)
{
	double		first = gamma_deviate(a, 1);

	return first / (first + gamma_deviate(b, 1));
}

static double
one_of(const double *values, size_t count)
{
	return values[(size_t) (uniform() * count)];
}

/* ---------- published figures ---------- */

static PurchasePattern donations[32];
static size_t donation_count;

static void
read_donations(void)
{
	FILE	   *file = fopen("test/data/donations.csv", "r");
	char		line[100];

	while (file && fgets(line, sizeof(line), file) && donation_count < COUNT(donations))
	{
		PurchasePattern *pattern = &donations[donation_count];

		if (sscanf(line, "%lf,%lf,%lf,%lf", &pattern->x, &pattern->t_x, &pattern->T, &pattern->weight) == 4)
			donation_count++;
	}
	if (file)
		fclose(file);
}

static void
test_published_purchases(void)
{
	PurchaseModel bg = model_of(BG_NBD, .243, 4.414, .793, 2.426);
	PurchaseModel mbg;
	PurchaseModel bg_one = model_of(BG_NBD, .25, 4, 1, 2.5);
	PurchaseModel pareto = model_of(PARETO_NBD, .55, 10.58, .61, 11.67);
	PurchaseModel pareto_one = model_of(PARETO_NBD, .55, 10, 1, 12);
	PurchaseModel pareto_equal = model_of(PARETO_NBD, .55, 10, .6, 10);
	PurchaseModel bb = model_of(BG_BB, 1.203522352, .7497163582, .6567182084, 2.783442233);
	PurchaseData data = {BG_BB, donations, donation_count, no_interrupts};
	Maximum		maximum;
	double		donors = 0;
	double		alive = 0;

	close_to(expected_purchases_of_new(&bg, 1), .0532678911717, 1e-11, "BG/NBD: new customer, 1 week");
	close_to(expected_purchases_of_new(&bg, 39), 1.19672319332, 1e-11, "39 weeks");
	close_to(expected_purchases_of_new(&bg, 52), 1.4460505954, 1e-10, "52 weeks");
	close_to(expected_purchases_of_new(&bg, 78), 1.86051905794, 1e-11, "78 weeks");
	close_to(probability_alive(&bg, 2, 30.43, 38.86), .726578570081, 1e-11, "probability alive");
	close_to(probability_alive(&bg, 2, 30.43, 38.86) * expected_purchases_if_alive(&bg, 2, 38.86, 39), 1.22602817477,
			 1e-11, "existing customer, 39 weeks");
	close_to(expected_purchases_of_new(&bg_one, 39), 1.19298994157, 1e-11, "a = 1");
	close_to(probability_alive(&pareto, 132, 200, 200) * expected_purchases_if_alive(&pareto, 132, 200, 10),
			 6.20605178896, 1e-11, "Pareto/NBD: a heavy buyer");
	close_to(probability_alive(&pareto_one, 2, 30, 39) * expected_purchases_if_alive(&pareto_one, 2, 39, 39),
			 1.17504468062, 1e-11, "s = 1");
	close_to(purchase_log_likelihood(&pareto_equal, 2, 30, 39), -9.61341866366, 1e-11, "alpha = beta");

	for (size_t i = 0; i < donation_count; i++)
		donors += donations[i].weight;
	ok(donors == 11104 && donation_count == 22, "11,104 donors");
	close_to(purchases_log_likelihood(&data, bb.parameters, NULL), -33225.58127435, 1e-12, "BG/BB: log likelihood");
	purchases_fit(&data, 0, &maximum);
	ok(maximum.result == MAXIMISED, "BG/BB: fitted");
	close_to(maximum.log_likelihood, -33225.58127435, 1e-12, "its log likelihood");
	for (int k = 0; k < 4; k++)
		close_to(maximum.parameters[k], bb.parameters[k], 1e-7, "its parameter");

	/* odds of 1 * ((10 + 10) / (10 + 5))^2, however small a and b are */
	bg = model_of(BG_NBD, 1, 10, 1e-9, 1e-9);
	mbg = model_of(MBG_NBD, 2, 10, 1e-9, 1e-9);
	close_to(probability_alive(&bg, 1, 5, 10), .36, 1e-15, "BG/NBD with a tiny b");
	close_to(probability_alive(&mbg, 0, 0, 10), .2, 1e-15, "MBG/NBD with a tiny b");
	close_to(purchase_log_likelihood(&bg, 1, 5, 10), log(.5 * 10 / 400 + .5 * 10 / 225), 1e-8, "and its likelihood");

	/* the probabilities of Fader, Hardie and Shang 2010, to two digits */
	alive = probability_alive(&bb, 0, 0, 6);
	ok(fabs(alive - .11) < .005, "alive without a donation");
	ok(fabs(probability_alive(&bb, 6, 6, 6) - .93) < .005, "alive after six of six");
}

static void
test_published_spending(void)
{
	static const double parameters[] = {6.25, 3.74, 15.44};
	static const double infinite[] = {6.25, .9, 15.44};

	close_to(expected_spending(parameters, 2, 22.35), 24.6637139108, 1e-11, "Gamma-Gamma: two purchases");
	close_to(expected_spending(parameters, 1, 11.77), 18.9168520578, 1e-11, "one purchase");
	close_to(expected_spending(parameters, 0, 0), 35.2189781022, 1e-11, "none");
	close_to(expected_spending(parameters, 0, NAN), 35.2189781022, 1e-11, "none, hence no mean");
	close_to(expected_spending(parameters, 2, -3), expected_spending(parameters, 2, 0), 0, "refunded");
	ok(isnan(expected_spending(infinite, 0, 0)) && expected_spending(infinite, 1, 10) > 0,
	   "no finite mean unless something was bought");
}

static const double survivors[] = {1000, 631, 468, 382, 326, 289, 262, 241};

static void
test_published_renewals(void)
{
	RenewalPattern patterns[8];
	RenewalData data = {2, patterns, 8, no_interrupts};
	Maximum		maximum;
	double		alpha;
	double		beta;

	for (int i = 0; i < 7; i++)
		patterns[i] = (RenewalPattern) {i + 1, true, survivors[i] - survivors[i + 1]};
	patterns[7] = (RenewalPattern) {7, false, survivors[7]};
	renewals_fit(&data, 0, &maximum);
	alpha = maximum.parameters[0];
	beta = maximum.parameters[1];
	ok(maximum.result == MAXIMISED, "sBG: fitted");
	close_to(alpha, .7040772985, 1e-8, "alpha");
	close_to(beta, 1.182043026, 1e-8, "beta");
	close_to(maximum.log_likelihood, -1680.265188463, 1e-12, "log likelihood");
	close_to(renewal_survival(alpha, beta, 1, 12), .170037, 3e-6, "survival in year 12");
	close_to(discounted_renewals(alpha, beta, 1, 0, .1), 3.694908428, 1e-8, "discounted lifetime");

	/* with c besides, likelihood can only rise, and hardly does */
	data.parameters = 3;
	renewals_fit(&data, 0, &maximum);
	ok(maximum.result == MAXIMISED && maximum.log_likelihood >= -1680.265188463 && maximum.log_likelihood < -1675,
	   "BdW: fitted");
}

/* ---------- reference figures ---------- */

typedef enum Figure
{
	LIKELIHOOD,					/* x, t_x, T */
	ALIVE,						/* x, t_x, T */
	EXPECTED,					/* x, T, horizon */
	OF_NEW,						/* horizon */
	DISCOUNTED,					/* x, T, discount, horizon */
	COUNTED						/* n, horizon */
} Figure;

static void
test_reference_purchases(void)
{
	static const struct
	{
		PurchaseModelKind kind;
		Figure		figure;
		double		parameters[4];
		double		arguments[4];
		double		value;
	}			known[] = {
		{BG_NBD, LIKELIHOOD, {0.01, 0.01, 1, 0.01}, {0, 0, 1}, -0.046151205168412595263},
		{BG_NBD, LIKELIHOOD, {100, 0.01, 1.00000001, 800}, {1, 1, 1}, -456.91683182899101974},
		{BG_NBD, LIKELIHOOD, {0.295, 800, 0.99999999, 0.237}, {2, 0.3333333333, 1}, -15.985889185331387563},
		{BG_NBD, LIKELIHOOD, {0.01, 800, 0.01, 0.165}, {5000, 39.857143, 40}, 3910.954775092130252},
		{BG_NBD, LIKELIHOOD, {100, 1.06, 800, 0.01}, {17, 40, 40}, -433.02924797198382485},
		{BG_NBD, LIKELIHOOD, {3.46, 32.6, 0.28, 800}, {300, 13.33333333, 40}, 270.08617703468296902},
		{BG_NBD, LIKELIHOOD, {0.01, 0.01, 17.7, 0.134}, {0, 0, 700}, -0.11156264806643742122},
		{BG_NBD, LIKELIHOOD, {100, 0.01, 1, 5.72}, {1, 700, 700}, -1117.5724050990417482},
		{BG_NBD, LIKELIHOOD, {0.383, 800, 1.00000001, 0.01}, {2, 233.3333333, 700}, -19.580309895642696625},
		{BG_NBD, LIKELIHOOD, {0.01, 800, 0.99999999, 800}, {5000, 0.857143, 1}, 4146.8266780661783875},
		{BG_NBD, LIKELIHOOD, {100, 0.583, 0.01, 1.86}, {17, 1, 1}, -28.143976578427466324},
		{BG_NBD, LIKELIHOOD, {0.0774, 31.8, 800, 0.143}, {300, 0.3333333333, 1}, -280.28946522108452186},
		{BG_NBD, LIKELIHOOD, {0.01, 0.01, 2.11, 0.01}, {0, 0, 40}, -0.082942996088572351797},
		{BG_NBD, LIKELIHOOD, {100, 0.01, 0.216, 800}, {1, 40, 40}, -828.513920122604553},
		{BG_NBD, ALIVE, {0.01, 0.01, 1, 0.01}, {0, 0, 1}, 1.0},
		{BG_NBD, ALIVE, {100, 0.01, 1.00000001, 800}, {1, 1, 1}, 0.99875156053684454988},
		{BG_NBD, ALIVE, {2.09, 800, 0.99999999, 0.213}, {2, 0.3333333333, 1}, 0.54728109579472527406},
		{BG_NBD, ALIVE, {0.01, 800, 0.01, 0.198}, {5000, 39.857143, 40}, 0.99999531804286437835},
		{BG_NBD, ALIVE, {100, 5.67, 800, 0.01}, {17, 40, 40}, 0.019619857599784316369},
		{BG_NBD, ALIVE, {1.62, 1.91, 0.834, 800}, {300, 13.33333333, 40}, 4.3346323146994752827e-130},
		{BG_NBD, ALIVE, {0.01, 0.01, 0.108, 10.3}, {0, 0, 700}, 1.0},
		{BG_NBD, ALIVE, {100, 0.01, 1, 0.151}, {1, 700, 700}, 0.13119026933101650387},
		{BG_NBD, ALIVE, {0.0586, 800, 1.00000001, 0.01}, {2, 233.3333333, 700}, 0.31924600444197873814},
		{BG_NBD, ALIVE, {0.01, 800, 0.99999999, 800}, {5000, 0.857143, 1}, 0.99957948839947710764},
		{BG_NBD, ALIVE, {100, 32.2, 0.01, 19.5}, {17, 1, 1}, 0.99971838918614474795},
		{BG_NBD, ALIVE, {3.17, 44.7, 800, 0.21}, {300, 0.3333333333, 1}, 0.0043265332481402026635},
		{BG_NBD, EXPECTED, {0.01, 0.01, 1, 0.01}, {0, 1, 1e-09}, 9.900990094108421567e-12},
		{BG_NBD, EXPECTED, {100, 0.01, 1.00000001, 800}, {1, 1, 1}, 94.190498517568522493},
		{BG_NBD, EXPECTED, {1.31, 800, 0.99999999, 0.472}, {2, 1, 52}, 0.20664435577288718733},
		{BG_NBD, EXPECTED, {0.01, 800, 0.01, 1.47}, {5000, 40, 10000}, 58479.428349439502752},
		{BG_NBD, EXPECTED, {100, 28.7, 800, 0.01}, {17, 40, 1}, 0.82627492190309048526},
		{BG_NBD, EXPECTED, {0.0832, 44.6, 2.15, 800}, {300, 40, 52}, 156.16153059276721571},
		{BG_NBD, EXPECTED, {0.01, 0.01, 7.57, 10.3}, {0, 700, 10000}, 0.047011553622701977948},
		{BG_NBD, EXPECTED, {100, 0.01, 1, 1.64}, {1, 700, 1e-09}, 1.4428365308778224541e-10},
		{BG_NBD, EXPECTED, {0.2, 800, 1.00000001, 0.01}, {2, 700, 52}, 0.07489439221970433082},
		{BG_NBD, EXPECTED, {0.01, 800, 0.99999999, 800}, {5000, 1, 10000}, 14296.414698074837422},
		{BG_NBD, EXPECTED, {100, 1.09, 0.01, 0.845}, {17, 1, 1e-09}, 5.5980861243134054153e-8},
		{BG_NBD, EXPECTED, {0.0753, 8.41, 800, 1.06}, {300, 1, 1}, 1.3767959946889872019},
		{BG_NBD, EXPECTED, {0.01, 0.01, 1.58, 0.01}, {0, 40, 10000}, 0.054331852816779642504},
		{BG_NBD, EXPECTED, {100, 0.01, 9.75, 800}, {1, 40, 1e-09}, 2.5243689077343603556e-9},
		{BG_NBD, EXPECTED, {0.0727, 800, 1, 0.147}, {2, 40, 1}, 0.0024660670436536068463},
		{BG_NBD, EXPECTED, {0.01, 800, 1.00000001, 0.121}, {5000, 700, 52}, 170.39697274623050534},
		{BG_NBD, OF_NEW, {0.01, 0.01, 1, 0.01}, {1e-09}, 9.9999995000000339561e-10},
		{BG_NBD, OF_NEW, {100, 0.01, 1.00000001, 800}, {1}, 2079.1488372799818761},
		{BG_NBD, OF_NEW, {0.359, 800, 0.99999999, 0.258}, {52}, 0.022551044274995546461},
		{BG_NBD, OF_NEW, {0.01, 800, 0.01, 4.43}, {10000}, 0.12409814692995225116},
		{BG_NBD, OF_NEW, {100, 5.53, 800, 0.01}, {1}, 1.0000124552101172217},
		{BG_NBD, OF_NEW, {0.42, 3.48, 3.36, 800}, {52}, 6.0141790867092313472},
		{BG_NBD, DISCOUNTED, {0.01, 0.01, 1, 0.01}, {0, 1, 0.0001, INFINITY}, 0.086241463684685268045},
		{BG_NBD, DISCOUNTED, {100, 0.01, 1.00000001, 800}, {1, 1, 0.01, 52}, 1361.5233994064779143},
		{BG_NBD, DISCOUNTED, {0.244, 800, 0.99999999, 1.12}, {2, 1, 0.002, 300}, 0.56148312693177171267},
		{BG_NBD, DISCOUNTED, {0.01, 800, 0.01, 0.956}, {500, 40, 1, INFINITY}, 0.59524292156970146079},
		{BG_NBD, DISCOUNTED, {100, 2.21, 800, 0.01}, {17, 40, 0.0001, 52}, 1.0212511580641579167},
		{BG_NBD, DISCOUNTED, {2.29, 0.874, 1.95, 800}, {300, 40, 0.01, 300}, 364.06651142685989013},
		{BG_NBD, DISCOUNTED, {0.01, 0.01, 0.874, 1.01}, {0, 700, 0.002, INFINITY}, 0.0057410936615768059536},
		{BG_NBD, DISCOUNTED, {100, 0.01, 1, 3.24}, {1, 700, 1, 52}, 0.1404498133268020313},
		{BG_NBD, DISCOUNTED, {0.385, 800, 1.00000001, 0.01}, {2, 700, 0.0001, 300}, 0.42392837911220111753},
		{BG_NBD, COUNTED, {0.01, 0.01, 1, 0.01}, {0, 1e-09}, 0.9999999990000000505},
		{BG_NBD, COUNTED, {100, 0.01, 1.00000001, 800}, {1, 1}, 0.0012484394631554501182},
		{BG_NBD, COUNTED, {0.0521, 800, 0.99999999, 0.153}, {5, 52}, 3.643033153147062247e-10},
		{BG_NBD, COUNTED, {0.01, 800, 0.01, 9.02}, {40, 10000}, 0.00001152256885096980583},
		{BG_NBD, COUNTED, {100, 12.1, 800, 0.01}, {0, 1}, 0.00035596513744207746169},
		{BG_NBD, COUNTED, {0.44, 1.33, 1.61, 800}, {1, 52}, 0.085992451002230758653},
		{BG_NBD, COUNTED, {0.01, 0.01, 5.59, 2.64}, {5, 10000}, 0.0014867379919304378868},
		{BG_NBD, COUNTED, {100, 0.01, 1, 4.07}, {40, 1e-09}, 1.1932918950135669518e-246},
		{BG_NBD, COUNTED, {0.0559, 800, 1.00000001, 0.01}, {0, 52}, 0.99648589768775724895},
		{BG_NBD, COUNTED, {0.01, 800, 0.99999999, 800}, {1, 10000}, 0.0090421897085031581196},
		{MBG_NBD, LIKELIHOOD, {0.01, 0.01, 1, 0.01}, {0, 0, 1}, -0.00044665849124205897612},
		{MBG_NBD, LIKELIHOOD, {100, 0.01, 1.00000001, 800}, {1, 1, 1}, -456.91808104840393606},
		{MBG_NBD, LIKELIHOOD, {3.03, 800, 0.99999999, 0.132}, {2, 0.3333333333, 1}, -13.653852754295913787},
		{MBG_NBD, LIKELIHOOD, {0.01, 800, 0.01, 0.66}, {5000, 39.857143, 40}, 3911.003656258236507},
		{MBG_NBD, LIKELIHOOD, {100, 0.743, 800, 0.01}, {17, 40, 40}, -471.58648249491419924},
		{MBG_NBD, LIKELIHOOD, {0.23, 6.7, 1.69, 800}, {300, 13.33333333, 40}, 502.64840488405415241},
		{MBG_NBD, LIKELIHOOD, {0.01, 0.01, 0.82, 0.426}, {0, 0, 700}, -0.036759346984565998298},
		{MBG_NBD, LIKELIHOOD, {100, 0.01, 1, 0.994}, {1, 700, 700}, -1118.2685658429069578},
		{MBG_NBD, LIKELIHOOD, {2.07, 800, 1.00000001, 0.01}, {2, 233.3333333, 700}, -18.601536443065571402},
		{MBG_NBD, LIKELIHOOD, {0.01, 800, 0.99999999, 800}, {5000, 0.857143, 1}, 4146.826505594746555},
		{MBG_NBD, LIKELIHOOD, {100, 1.15, 0.01, 0.732}, {17, 1, 1}, 3.9554997004406237306},
		{MBG_NBD, LIKELIHOOD, {2.18, 1.51, 800, 0.306}, {300, 0.3333333333, 1}, 591.57941045744010465},
		{MBG_NBD, LIKELIHOOD, {0.01, 0.01, 3.71, 0.01}, {0, 0, 40}, -0.00021399167864328263377},
		{MBG_NBD, LIKELIHOOD, {100, 0.01, 10.8, 800}, {1, 40, 40}, -828.52732980951447067},
		{MBG_NBD, ALIVE, {0.01, 0.01, 1, 0.01}, {0, 0, 1}, 0.0094586551900997079808},
		{MBG_NBD, ALIVE, {100, 0.01, 1.00000001, 800}, {1, 1, 1}, 0.99875311719452926295},
		{MBG_NBD, ALIVE, {0.0558, 800, 0.99999999, 0.156}, {2, 0.3333333333, 1}, 0.68277258448311248533},
		{MBG_NBD, ALIVE, {0.01, 800, 0.01, 0.494}, {5000, 39.857143, 40}, 0.99999531925630209988},
		{MBG_NBD, ALIVE, {100, 30.2, 800, 0.01}, {17, 40, 40}, 0.020819818606871396923},
		{MBG_NBD, ALIVE, {0.286, 5.24, 3.52, 800}, {300, 13.33333333, 40}, 2.479990786505184407e-114},
		{MBG_NBD, ALIVE, {0.01, 0.01, 0.0808, 3}, {0, 0, 700}, 0.97076812607775793837},
		{MBG_NBD, ALIVE, {100, 0.01, 1, 19.7}, {1, 700, 700}, 0.95391705069124423812},
		{MBG_NBD, ALIVE, {0.76, 800, 1.00000001, 0.01}, {2, 233.3333333, 700}, 0.4181313602079532899},
		{MBG_NBD, ALIVE, {0.01, 800, 0.99999999, 800}, {5000, 0.857143, 1}, 0.99957956087099452002},
		{MBG_NBD, ALIVE, {100, 45.7, 0.01, 4.91}, {17, 1, 1}, 0.9995437956204379562},
		{MBG_NBD, ALIVE, {1.05, 7.64, 800, 0.104}, {300, 0.3333333333, 1}, 1.1896459183345733125e-11},
		{MBG_NBD, EXPECTED, {0.01, 0.01, 1, 0.01}, {0, 1, 1e-09}, 9.9009900965469689515e-12},
		{MBG_NBD, EXPECTED, {100, 0.01, 1.00000001, 800}, {1, 1, 1}, 94.197180949646143442},
		{MBG_NBD, EXPECTED, {2.09, 800, 0.99999999, 10.9}, {2, 1, 52}, 0.26262173911231607398},
		{MBG_NBD, EXPECTED, {0.01, 800, 0.01, 1.11}, {5000, 40, 10000}, 58479.4870241632113},
		{MBG_NBD, EXPECTED, {100, 3.98, 800, 0.01}, {17, 40, 1}, 0.94451930465753133442},
		{MBG_NBD, EXPECTED, {3.09, 0.707, 0.0711, 800}, {300, 40, 52}, 382.83824322811125495},
		{MBG_NBD, EXPECTED, {0.01, 0.01, 7.55, 0.832}, {0, 700, 10000}, 0.031394372422961880163},
		{MBG_NBD, EXPECTED, {100, 0.01, 1, 18.1}, {1, 700, 1e-09}, 1.442836530901719458e-10},
		{MBG_NBD, EXPECTED, {0.567, 800, 1.00000001, 0.01}, {2, 700, 52}, 0.087645483158967481742},
		{MBG_NBD, EXPECTED, {0.01, 800, 0.99999999, 800}, {5000, 1, 10000}, 14297.964471205002367},
		{MBG_NBD, EXPECTED, {100, 36.9, 0.01, 0.737}, {17, 1, 1e-09}, 3.0870712401029777385e-9},
		{MBG_NBD, EXPECTED, {0.445, 1.95, 800, 0.997}, {300, 1, 1}, 1.3779687108886107635},
		{MBG_NBD, EXPECTED, {0.01, 0.01, 0.54, 0.01}, {0, 40, 10000}, 0.37900524363035707254},
		{MBG_NBD, EXPECTED, {100, 0.01, 1.15, 800}, {1, 40, 1e-09}, 2.5243689077684494961e-9},
		{MBG_NBD, EXPECTED, {0.563, 800, 1, 5.68}, {2, 40, 1}, 0.0030505222041699324059},
		{MBG_NBD, EXPECTED, {0.01, 800, 1.00000001, 7.84}, {5000, 700, 52}, 170.4019691272251893},
		{MBG_NBD, OF_NEW, {0.01, 0.01, 1, 0.01}, {1e-09}, 9.9009898502536939795e-12},
		{MBG_NBD, OF_NEW, {100, 0.01, 1.00000001, 800}, {1}, 2078.2235575142439028},
		{MBG_NBD, OF_NEW, {0.488, 800, 0.99999999, 1.05}, {52}, 0.015995859133583340429},
		{MBG_NBD, OF_NEW, {0.01, 800, 0.01, 4.57}, {10000}, 0.12395427137698103488},
		{MBG_NBD, OF_NEW, {100, 24.1, 800, 0.01}, {1}, 0.000012299882383390372757},
		{MBG_NBD, OF_NEW, {1.17, 17, 7.62, 800}, {52}, 3.4378625901863642695},
		{MBG_NBD, DISCOUNTED, {0.01, 0.01, 1, 0.01}, {0, 1, 0.0001, INFINITY}, 0.38784023277490485188},
		{MBG_NBD, DISCOUNTED, {100, 0.01, 1.00000001, 800}, {1, 1, 0.01, 52}, 1362.4390424432348428},
		{MBG_NBD, DISCOUNTED, {4.65, 800, 0.99999999, 19.6}, {2, 1, 0.002, 300}, 1.7782611163607329812},
		{MBG_NBD, DISCOUNTED, {0.01, 800, 0.01, 1.79}, {500, 40, 1, INFINITY}, 0.595242947358034056},
		{MBG_NBD, DISCOUNTED, {100, 2.18, 800, 0.01}, {17, 40, 0.0001, 52}, 1.0225026564254520786},
		{MBG_NBD, DISCOUNTED, {3.61, 5.18, 1.51, 800}, {300, 40, 0.01, 300}, 388.55552906405713485},
		{MBG_NBD, DISCOUNTED, {0.01, 0.01, 0.0758, 0.537}, {0, 700, 0.002, INFINITY}, 0.0069739240262515314261},
		{MBG_NBD, DISCOUNTED, {100, 0.01, 1, 0.423}, {1, 700, 1, 52}, 0.13851961772591651229},
		{MBG_NBD, DISCOUNTED, {0.832, 800, 1.00000001, 0.01}, {2, 700, 0.0001, 300}, 0.51088205242131179714},
		{MBG_NBD, COUNTED, {0.01, 0.01, 1, 0.01}, {0, 1e-09}, 0.9999999999900990104},
		{MBG_NBD, COUNTED, {100, 0.01, 1.00000001, 800}, {1, 1}, 0.0012453261477704573979},
		{MBG_NBD, COUNTED, {0.558, 800, 0.99999999, 0.157}, {5, 52}, 7.5538931888819135239e-9},
		{MBG_NBD, COUNTED, {0.01, 800, 0.01, 3.68}, {40, 10000}, 0.000011423316093377553207},
		{MBG_NBD, COUNTED, {100, 0.53, 800, 0.01}, {0, 1}, 0.9999875001562480469},
		{MBG_NBD, COUNTED, {2.02, 0.507, 1.61, 800}, {1, 52}, 0.0021710615282768991247},
		{MBG_NBD, COUNTED, {0.01, 0.01, 0.278, 1.89}, {5, 10000}, 0.0040274412189786718214},
		{MBG_NBD, COUNTED, {100, 0.01, 1, 1.49}, {40, 1e-09}, 4.5349237275275412709e-247},
		{MBG_NBD, COUNTED, {1.6, 800, 1.00000001, 0.01}, {0, 52}, 0.99905099301326073698},
		{MBG_NBD, COUNTED, {0.01, 800, 0.99999999, 800}, {1, 10000}, 0.009030875165583763363},
		{PARETO_NBD, LIKELIHOOD, {0.01, 0.01, 1, 0.0100000001}, {0, 0, 1}, -0.009855791057557679381},
		{PARETO_NBD, LIKELIHOOD, {100, 0.01, 1.00000001, 0.01}, {1, 1, 1}, -461.53195239198348406},
		{PARETO_NBD, LIKELIHOOD, {2.99, 800, 0.999999, 0.01}, {2, 0.3333333333, 1}, -14.430658427886121493},
		{PARETO_NBD, LIKELIHOOD, {0.01, 800, 0.01, 800}, {5000, 39.857143, 40}, 3911.1015744403319567},
		{PARETO_NBD, LIKELIHOOD, {100, 11.4, 100, 7.5}, {17, 40, 40}, -322.58029087119328339},
		{PARETO_NBD, LIKELIHOOD, {1.21, 31, 0.112, 31.00000031}, {300, 13.33333333, 40}, 270.30083606024315404},
		{PARETO_NBD, LIKELIHOOD, {0.01, 0.01, 0.117, 0.01}, {0, 0, 700}, -0.06150039647201532332},
		{PARETO_NBD, LIKELIHOOD, {100, 0.01, 1, 0.01}, {1, 700, 700}, -1128.7286699056854901},
		{PARETO_NBD, LIKELIHOOD, {0.12, 800, 1.00000001, 800}, {2, 233.3333333, 700}, -16.80401996294358998},
		{PARETO_NBD, LIKELIHOOD, {0.01, 800, 0.999999, 6.23}, {5000, 0.857143, 1}, 4148.6905076976457456},
		{PARETO_NBD, LIKELIHOOD, {100, 16.8, 0.01, 16.80000017}, {17, 1, 1}, 24.849799757893289037},
		{PARETO_NBD, LIKELIHOOD, {0.0575, 7.97, 100, 7.97}, {300, 0.3333333333, 1}, 766.22135724125866331},
		{PARETO_NBD, LIKELIHOOD, {0.01, 0.01, 0.0816, 0.01}, {0, 0, 40}, -0.059858984922546318788},
		{PARETO_NBD, LIKELIHOOD, {100, 0.01, 0.472, 800}, {1, 40, 40}, -828.5369490800925249},
		{PARETO_NBD, ALIVE, {0.01, 0.01, 1, 0.0100000001}, {0, 0, 1}, 0.0095480730372702358816},
		{PARETO_NBD, ALIVE, {100, 0.01, 1.00000001, 0.01}, {1, 1, 1}, 1.0},
		{PARETO_NBD, ALIVE, {2.27, 800, 0.999999, 0.01}, {2, 0.3333333333, 1}, 0.33939752093569796751},
		{PARETO_NBD, ALIVE, {0.01, 800, 0.01, 800}, {5000, 39.857143, 40}, 0.99999731878188489674},
		{PARETO_NBD, ALIVE, {100, 8.19, 100, 0.853}, {17, 40, 40}, 1.0},
		{PARETO_NBD, ALIVE, {0.275, 4.84, 0.314, 4.840000048}, {300, 13.33333333, 40}, 1.2042479153883712159e-115},
		{PARETO_NBD, ALIVE, {0.01, 0.01, 1.06, 0.01}, {0, 0, 700}, 6.6041411119920703379e-6},
		{PARETO_NBD, ALIVE, {100, 0.01, 1, 0.01}, {1, 700, 700}, 1.0},
		{PARETO_NBD, ALIVE, {0.187, 800, 1.00000001, 800}, {2, 233.3333333, 700}, 0.58299677561623462199},
		{PARETO_NBD, ALIVE, {0.01, 800, 0.999999, 25.1}, {5000, 0.857143, 1}, 0.99118750374928648179},
		{PARETO_NBD, ALIVE, {100, 1.92, 0.01, 1.920000019}, {17, 1, 1}, 1.0},
		{PARETO_NBD, ALIVE, {1.6, 2.66, 100, 2.66}, {300, 0.3333333333, 1}, 3.4172025201017406249e-35},
		{PARETO_NBD, EXPECTED, {0.01, 0.01, 1, 0.0100000001}, {0, 1, 1e-09}, 9.9009900941084215675e-12},
		{PARETO_NBD, EXPECTED, {100, 0.01, 1.00000001, 0.01}, {1, 1, 1}, 69.506623273832581371},
		{PARETO_NBD, EXPECTED, {0.386, 800, 0.999999, 0.01}, {2, 1, 52}, 0.011915533476248089963},
		{PARETO_NBD, EXPECTED, {0.01, 800, 0.01, 800}, {5000, 40, 10000}, 58479.385254606936334},
		{PARETO_NBD, EXPECTED, {100, 2.24, 100, 22.8}, {17, 40, 1}, 1.3893166323181608488},
		{PARETO_NBD, EXPECTED, {0.225, 13.5, 3.15, 13.50000013}, {300, 40, 52}, 107.20734796589615151},
		{PARETO_NBD, EXPECTED, {0.01, 0.01, 4.56, 0.01}, {0, 700, 10000}, 0.00280881795399573804},
		{PARETO_NBD, EXPECTED, {100, 0.01, 1, 0.01}, {1, 700, 1e-09}, 1.4428365309056708399e-10},
		{PARETO_NBD, EXPECTED, {0.104, 800, 1.00000001, 800}, {2, 700, 52}, 0.071702875913405040506},
		{PARETO_NBD, EXPECTED, {0.01, 800, 0.999999, 24.8}, {5000, 1, 10000}, 960.26444615364106249},
		{PARETO_NBD, EXPECTED, {100, 29.6, 0.01, 29.6000003}, {17, 1, 1e-09}, 3.8235294117640811832e-9},
		{PARETO_NBD, EXPECTED, {0.655, 29.5, 100, 29.5}, {300, 1, 1}, 2.9123609395212497795},
		{PARETO_NBD, EXPECTED, {0.01, 0.01, 0.12, 0.01}, {0, 40, 10000}, 1.4580194975819252598},
		{PARETO_NBD, EXPECTED, {100, 0.01, 2.24, 800}, {1, 40, 1e-09}, 2.5243689077696910678e-9},
		{PARETO_NBD, EXPECTED, {1.02, 800, 1, 2.63}, {2, 40, 1}, 0.0035537182132700650931},
		{PARETO_NBD, EXPECTED, {0.01, 800, 1.00000001, 800.000008}, {5000, 700, 52}, 170.39690904372554671},
		{PARETO_NBD, OF_NEW, {0.01, 0.01, 1, 0.0100000001}, {1e-09}, 9.9999995000000389561e-10},
		{PARETO_NBD, OF_NEW, {100, 0.01, 1.00000001, 0.01}, {1}, 461.5120410344574791},
		{PARETO_NBD, OF_NEW, {0.515, 800, 0.999999, 0.01}, {52}, 0.000055083388035507702695},
		{PARETO_NBD, OF_NEW, {0.01, 800, 0.01, 800}, {10000}, 0.12275929218245785234},
		{PARETO_NBD, OF_NEW, {100, 20.3, 100, 0.682}, {1}, 0.033935413245758074676},
		{PARETO_NBD, OF_NEW, {0.122, 5.74, 0.0573, 5.740000057}, {52}, 1.0111080037267931834},
		{PARETO_NBD, DISCOUNTED, {0.01, 0.01, 1, 0.0100000001}, {0, 1, 0.0001, INFINITY}, 0.0862414636922347902},
		{PARETO_NBD, DISCOUNTED, {100, 0.01, 1.00000001, 0.01}, {1, 1, 0.01, 52}, 357.41882051889481376},
		{PARETO_NBD, DISCOUNTED, {2.82, 800, 0.999999, 0.01}, {2, 1, 0.002, 300}, 0.031527253766627575286},
		{PARETO_NBD, DISCOUNTED, {0.01, 800, 0.01, 800}, {5000, 40, 1, INFINITY}, 5.9523220803228802675},
		{PARETO_NBD, DISCOUNTED, {100, 43.5, 100, 9.36}, {17, 40, 0.0001, 52}, 0.69858212512288766159},
		{PARETO_NBD, DISCOUNTED, {0.633, 0.745, 1.07, 0.7450000074}, {300, 40, 0.01, 300}, 293.99588101811057553},
		{PARETO_NBD, DISCOUNTED, {0.01, 0.01, 0.0682, 0.01}, {0, 700, 0.002, INFINITY}, 0.0069187866129363524984},
		{PARETO_NBD, DISCOUNTED, {100, 0.01, 1, 0.01}, {1, 700, 1, 52}, 0.14407812291733647305},
		{PARETO_NBD, DISCOUNTED, {0.38, 800, 1.00000001, 800}, {2, 700, 0.0001, 300}, 0.42767580096643916454},
		{PARETO_NBD, DISCOUNTED, {0.01, 800, 0.999999, 0.9}, {5000, 1, 0.01, INFINITY}, 41.158816263292196884},
		{PARETO_NBD, COUNTED, {0.01, 0.01, 1, 0.0100000001}, {0, 1e-09}, 0.9999999990000001005},
		{PARETO_NBD, COUNTED, {100, 0.01, 1.00000001, 0.01}, {1, 1}, 0.0097068531334008039391},
		{PARETO_NBD, COUNTED, {4.81, 800, 0.999999, 0.01}, {5, 52}, 1.6845991043058997147e-8},
		{PARETO_NBD, COUNTED, {0.01, 800, 0.01, 800}, {40, 10000}, 0.000011425761985095338512},
		{PARETO_NBD, COUNTED, {100, 40, 100, 25.8}, {0, 1}, 0.60813796143421614294},
		{PARETO_NBD, COUNTED, {1.2, 0.511, 2.15, 0.5110000051}, {1, 52}, 0.1770458829805576745},
		{PARETO_NBD, COUNTED, {0.01, 0.01, 0.83, 0.01}, {5, 10000}, 0.00042687599670414044235},
		{PARETO_NBD, COUNTED, {100, 0.01, 1, 0.01}, {40, 1e-09}, 1.2627782925272927976e-245},
		{PARETO_NBD, COUNTED, {2.14, 800, 1.00000001, 800}, {0, 52}, 0.87772180646917188297},
		{PARETO_NBD, COUNTED, {0.01, 800, 0.999999, 34.1}, {1, 10000}, 0.0010151329029715621613},
		{BG_BB, LIKELIHOOD, {1, 0.843, 800, 0.01}, {0, 0, 1}, -6.7823581883938306331e-6},
		{BG_BB, LIKELIHOOD, {1.22, 800, 0.01, 1}, {0, 0, 6}, -0.0089469483904839144768},
		{BG_BB, LIKELIHOOD, {800, 0.01, 1, 17.4}, {40, 40, 40}, -1.1940622935070346188},
		{BG_BB, LIKELIHOOD, {0.01, 1, 0.127, 800}, {300, 300, 300}, -10.349448520812048716},
		{BG_BB, LIKELIHOOD, {0.01, 1, 17.9, 800}, {1, 1, 1}, -4.6372488689142605479},
		{BG_BB, LIKELIHOOD, {1, 6.13, 800, 0.01}, {3, 5, 6}, -40.271323689407015248},
		{BG_BB, LIKELIHOOD, {0.706, 800, 0.01, 1}, {1, 1, 40}, -7.1227366665319157398},
		{BG_BB, LIKELIHOOD, {800, 0.01, 1, 3.32}, {1, 2, 300}, -13.605367265615408927},
		{BG_BB, LIKELIHOOD, {800, 0.01, 1, 0.182}, {0, 0, 1}, -0.16720564401493133982},
		{BG_BB, LIKELIHOOD, {0.01, 1, 8.37, 800}, {0, 0, 6}, -0.023809987282822654478},
		{BG_BB, LIKELIHOOD, {1, 9.15, 800, 0.01}, {40, 40, 40}, -187.9651126367889356},
		{BG_BB, LIKELIHOOD, {13.6, 800, 0.01, 1}, {300, 300, 300}, -594.35008512180080867},
		{BG_BB, LIKELIHOOD, {13.1, 800, 0.01, 1}, {1, 1, 1}, -4.1381922038598540993},
		{BG_BB, LIKELIHOOD, {800, 0.01, 1, 2.95}, {3, 4, 6}, -14.222688867620913472},
		{BG_BB, ALIVE, {1, 1.16, 800, 0.01}, {0, 0, 1}, 8.4643725776053584314e-9},
		{BG_BB, ALIVE, {3.73, 800, 0.01, 1}, {0, 0, 6}, 0.97397542278513728934},
		{BG_BB, ALIVE, {800, 0.01, 1, 1.26}, {40, 40, 40}, 0.97633696166587789873},
		{BG_BB, ALIVE, {0.01, 1, 1.29, 800}, {300, 300, 300}, 0.99882864640557891197},
		{BG_BB, ALIVE, {0.01, 1, 2.93, 800}, {1, 1, 1}, 0.99635540407746943122},
		{BG_BB, ALIVE, {1, 0.323, 800, 0.01}, {3, 5, 6}, 0.000017116294234674922801},
		{BG_BB, ALIVE, {0.175, 800, 0.01, 1}, {1, 1, 40}, 0.96621083077374485359},
		{BG_BB, ALIVE, {800, 0.01, 1, 0.4}, {1, 2, 300}, 1.2455850294599284198e-279},
		{BG_BB, ALIVE, {800, 0.01, 1, 0.486}, {0, 0, 1}, 3.631247915619846656e-6},
		{BG_BB, ALIVE, {0.01, 1, 0.755, 800}, {0, 0, 6}, 0.99338669582832032809},
		{BG_BB, ALIVE, {1, 1.02, 800, 0.01}, {40, 40, 40}, 0.047630385352555326723},
		{BG_BB, ALIVE, {5.59, 800, 0.01, 1}, {300, 300, 300}, 0.99996677851234178266},
		{BG_BB, EXPECTED, {1, 0.269, 800, 0.01}, {0, 1, 1}, 0.00055571093147611585101},
		{BG_BB, EXPECTED, {0.122, 800, 0.01, 1}, {0, 6, 6}, 0.00090429156808630426295},
		{BG_BB, EXPECTED, {800, 0.01, 1, 3.1}, {40, 40, 40}, 28.056490865026756371},
		{BG_BB, EXPECTED, {0.01, 1, 1.29, 800}, {300, 300, 10000}, 1846.4142263664867491},
		{BG_BB, EXPECTED, {0.01, 1, 1.54, 800}, {1, 1, 1}, 0.50152333505299777686},
		{BG_BB, EXPECTED, {1, 1.33, 800, 0.01}, {3, 6, 6}, 0.0036119579245879629358},
		{BG_BB, EXPECTED, {10.1, 800, 0.01, 1}, {1, 40, 40}, 0.52025426463660489023},
		{BG_BB, EXPECTED, {800, 0.01, 1, 0.281}, {1, 300, 10000}, 772.64527483811813247},
		{BG_BB, EXPECTED, {800, 0.01, 1, 15.8}, {0, 1, 1}, 0.942630154149487398},
		{BG_BB, EXPECTED, {0.01, 1, 8.03, 800}, {0, 6, 6}, 0.0082690785490403181506},
		{BG_BB, EXPECTED, {1, 1.99, 800, 0.01}, {40, 40, 40}, 0.047757126042351730089},
		{BG_BB, EXPECTED, {0.562, 800, 0.01, 1}, {300, 300, 10000}, 2659.8904091830313667},
		{BG_BB, EXPECTED, {0.126, 800, 0.01, 1}, {1, 1, 1}, 0.0013985290827538349236},
		{BG_BB, EXPECTED, {800, 0.01, 1, 0.362}, {3, 6, 6}, 3.9781861714436160474},
		{BG_BB, EXPECTED, {0.01, 1, 10.1, 800}, {1, 40, 40}, 0.78094799895862114893},
		{BG_BB, EXPECTED, {1, 0.309, 800, 0.01}, {1, 300, 10000}, 0.0024923374496971165336},
		{BG_BB, OF_NEW, {1, 3.52, 800, 0.01}, {1}, 2.765452157511747964e-6},
		{BG_BB, OF_NEW, {5.85, 800, 0.01, 1}, {6}, 0.042757887791712549396},
		{BG_BB, OF_NEW, {800, 0.01, 1, 0.525}, {40}, 1.9186419342265117822},
		{BG_BB, OF_NEW, {0.01, 1, 1.55, 800}, {10000}, 10.958444229370236029},
		{BG_BB, OF_NEW, {0.01, 1, 1.26, 800}, {1}, 0.0098854205616253412815},
		{BG_BB, OF_NEW, {1, 11.2, 800, 0.01}, {6}, 1.0258725045651298928e-6},
		{BG_BB, DISCOUNTED, {1, 0.386, 800, 0.01}, {0, 1, 0.0001, INFINITY}, 0.0005297373763986145147},
		{BG_BB, DISCOUNTED, {13.1, 800, 0.01, 1}, {0, 6, 0.01, 52}, 0.63622824776769238582},
		{BG_BB, DISCOUNTED, {800, 0.01, 1, 0.127}, {40, 40, 0.002, 300}, 70.662633921061320272},
		{BG_BB, DISCOUNTED, {0.01, 1, 0.578, 800}, {300, 300, 1, INFINITY}, 0.5795617831442202846},
		{BG_BB, DISCOUNTED, {0.01, 1, 0.114, 800}, {1, 1, 0.0001, 52}, 25.96428567060788194},
		{BG_BB, DISCOUNTED, {1, 0.284, 800, 0.01}, {3, 6, 0.01, 300}, 0.0040891857990028305573},
		{BG_BB, DISCOUNTED, {1.31, 800, 0.01, 1}, {1, 40, 0.002, INFINITY}, 1.341869972204778146},
		{BG_BB, DISCOUNTED, {800, 0.01, 1, 0.154}, {1, 300, 1, 52}, 0.42156338813083786584},
		{BG_BB, DISCOUNTED, {800, 0.01, 1, 0.178}, {0, 1, 0.0001, 300}, 6.0573826854964991098},
		{BG_BB, DISCOUNTED, {0.01, 1, 1.37, 800}, {0, 6, 0.01, INFINITY}, 0.12284347378199845461},
		{BG_BB, COUNTED, {1, 7.16, 800, 0.01}, {0, 40}, 0.99999846664356851966},
		{BG_BB, COUNTED, {1.47, 800, 0.01, 1}, {1, 40}, 0.063103234417526539906},
		{BG_BB, COUNTED, {800, 0.01, 1, 9.76}, {5, 40}, 0.041957421310128700542},
		{BG_BB, COUNTED, {0.01, 1, 0.719, 800}, {40, 10000}, 0.00023302535254345989636},
		{BG_BB, COUNTED, {0.01, 1, 0.786, 800}, {0, 40}, 0.95856580289021613198},
		{BG_BB, COUNTED, {1, 0.192, 800, 0.01}, {1, 40}, 0.00001047553743934805061},
		{BG_BB, COUNTED, {4.9, 800, 0.01, 1}, {5, 40}, 0.000016989991306503588774},
		{BG_BB, COUNTED, {800, 0.01, 1, 0.235}, {40, 10000}, 0.00014164222691775468595},
		{BG_BB, COUNTED, {800, 0.01, 1, 1.95}, {0, 40}, 0.33898514422160430771},
		{BG_BB, COUNTED, {0.01, 1, 0.172, 800}, {1, 40}, 0.009580612122548818151}
	};

	/* relative, of a log likelihood below 1 absolute; reached: a tenth of it or less */
	static const double tolerances[] = {2e-13, 1e-12, 2e-13, 2e-13, 2e-13, 3e-12};
	static const char *const names[] = {
		"log likelihood", "probability alive", "expected purchases", "of a new customer", "discounted purchases",
		"probability of a number of purchases"
	};

	for (int kind = BG_NBD; kind <= BG_BB; kind++)
		for (int figure = LIKELIHOOD; figure <= COUNTED; figure++)
		{
			char		name[100];
			double		worst = 0;
			int			rows = 0;

			for (size_t i = 0; i < COUNT(known); i++)
			{
				const double *a = known[i].arguments;
				PurchaseModel model = {(PurchaseModelKind) kind, {0}};
				double		got = 0;
				double		error;

				if (known[i].kind != model.kind || known[i].figure != (Figure) figure)
					continue;
				memcpy(model.parameters, known[i].parameters, sizeof(model.parameters));
				switch ((Figure) figure)
				{
					case LIKELIHOOD:
						got = purchase_log_likelihood(&model, a[0], a[1], a[2]);
						break;
					case ALIVE:
						got = probability_alive(&model, a[0], a[1], a[2]);
						break;
					case EXPECTED:
						got = expected_purchases_if_alive(&model, a[0], a[1], a[2]);
						break;
					case OF_NEW:
						got = expected_purchases_of_new(&model, a[0]);
						break;
					case DISCOUNTED:
						got = discounted_purchases_if_alive(&model, a[0], a[1], a[2], a[3]);
						break;
					case COUNTED:
						got = purchase_count_probability(&model, a[0], a[1]);
						break;
				}
				error = fabs(got - known[i].value) /
					(figure == LIKELIHOOD ? larger(1, fabs(known[i].value)) : fabs(known[i].value));
				if (!(error <= tolerances[figure]))
				{
					print_case(&model, a[0], a[1], a[2], a[3]);
					printf("# got %.17g, wanted %.17g\n", got, known[i].value);
				}
				worst = larger(worst, error);
				rows++;
			}
			snprintf(name, sizeof(name), "%s: %s, %d references", kind_names[kind], names[figure], rows);
			ok(worst <= tolerances[figure] && rows > 0, name);
			printf("# largest error %.1e\n", worst);
		}
}

static void
test_reference_others(void)
{
	/* p, q, gamma, x, mean, log likelihood */
	static const double spending[][6] = {
		{0.01, 0.01, 0.01, 1, 1150, -12.462199509328704414},
		{100, 0.01, 15.4, 2, 85.8, -26.211993852301179488},
		{6.25, 0.01, 1000, 5000, 104, -69.24137374863383493},
		{0.01, 3.74, 0.01, 17, 1.15, -29.974993805003117957},
		{100, 3.74, 15.4, 1, 16.6, -55.379017002419681463},
		{6.25, 3.74, 1000, 2, 0.294, -83.420556429962829335},
		{0.01, 100, 0.01, 5000, 8.7, -1434.4224765754947233},
		{100, 100, 15.4, 17, 0.0425, -4892.7971089552048053},
		{6.25, 100, 1000, 1, 57.1, -4.1145236332366857912},
		{0.01, 0.01, 0.01, 2, 0.0611, -2.2424603838512355911}
	};

	/* alpha, beta, c, age, discount, survival, ln of leaving at age + 1, lifetime */
	static const double renewals[][8] = {
		{0.01, 0.01, 1, 0, 0.1, 1.0, -0.69314718055994530942, 5.8828088576893227375},
		{0.7, 0.01, 1, 1, 0.0003, 0.014084507042253522297, -5.1558481914946162295, 28.870523168925447432},
		{5.4, 1.18, 1, 40, 1, 5.2035278851053086042e-7, -16.623531126849577065, 1.7952577474882270881},
		{81, 1.18, 1, 500, 0.1, 5.9424960098873311919e-101, -232.75129566719299314, 4.6164930615368342125},
		{0.01, 99, 1, 0, 0.0003, 1.0, -9.2003910411225146327, 3233.9554553283488362},
		{0.7, 99, 1, 1, 1, 0.99297893681043129432, -4.975866570496451771, 1.986323812641398088},
		{5.4, 800, 0.4, 40, 0.1, 0.97106685320341802, -8.1729721153276739513, 10.971610656530329763},
		{81, 800, 0.4, 500, 0.0003, 0.31635062861155278135, -8.149418432081842696, 1263.1581650638500705},
		{0.01, 0.01, 0.4, 0, 1, 1.0, -0.69314718055994530942, 1.4985062566188999651},
		{0.7, 0.01, 1.6, 1, 0.1, 0.014084507042253522297, -4.8331776825360603773, 2.2766704418755762973},
		{5.4, 1.18, 1.6, 40, 0.0003, 4.9300573251960866651e-12, -27.693374748435230429, 5.788980894833103159},
		{81, 1.18, 1.6, 500, 1, 1.9308255668629203304e-229, -528.11359950768257136, 1.6293433637454203561},
		{0.01, 99, 1, 0, 0.1, 1.0, -9.2003910411225146327, 10.989836986238312472},
		{0.7, 99, 1, 1, 0.0003, 0.99297893681043129432, -4.975866570496451771, 541.62417659725764875}
	};
	double		of_spending = 0;
	double		of_survival = 0;
	double		of_leaving = 0;
	double		of_lifetime = 0;

	for (size_t i = 0; i < COUNT(spending); i++)
	{
		const double *k = spending[i];
		SpendingPattern pattern = {k[3], k[4], 1};
		SpendingData data = {&pattern, 1, no_interrupts};
		double		got = spending_log_likelihood(&data, k, NULL);

		of_spending = larger(of_spending, fabs(got - k[5]) / larger(1, fabs(k[5])));
	}
	within(of_spending, 1e-13, "Gamma-Gamma: log likelihood, references");
	printf("# largest error %.1e\n", of_spending);

	for (size_t i = 0; i < COUNT(renewals); i++)
	{
		const double *k = renewals[i];
		RenewalPattern pattern = {k[3] + 1, true, 1};
		RenewalData data = {k[2] == 1 ? 2 : 3, &pattern, 1, no_interrupts};
		double		got = renewals_log_likelihood(&data, k, NULL);

		of_leaving = larger(of_leaving, fabs(got - k[6]) / larger(1, fabs(k[6])));
		pattern.left = false;
		pattern.periods -= 1;
		got = exp(renewals_log_likelihood(&data, k, NULL));
		of_survival = larger(of_survival, fabs(got - k[5]) / k[5]);
		of_survival = larger(of_survival, fabs(renewal_survival(k[0], k[1], k[2], k[3]) - k[5]) / k[5]);
		got = discounted_renewals(k[0], k[1], k[2], k[3], k[4]);
		of_lifetime = larger(of_lifetime, fabs(got - k[7]) / k[7]);
	}
	within(of_survival, 1e-12, "sBG and BdW: survival, references");
	within(of_leaving, 1e-13, "leaving");
	within(of_lifetime, 1e-13, "discounted lifetime");
	printf("# largest errors %.1e %.1e %.1e\n", of_survival, of_leaving, of_lifetime);
}

/* ---------- properties over the whole range ---------- */

static double
corner_or(double low, double high, double special)
{
	double		u = uniform();

	if (u < 0.1)
		return special;
	if (u < 0.2)
		return special * (1 + (uniform() < 0.5 ? -1e-8 : 1e-8));
	return u < 0.25 ? low : u < 0.3 ? high : log_uniform(low, high);
}

static PurchaseModel
random_model(PurchaseModelKind kind)
{
	PurchaseModel model = {kind, {0}};
	double	   *p = model.parameters;

	switch (kind)
	{
		case BG_NBD:
		case MBG_NBD:
			p[0] = corner_or(.01, 100, 1);
			p[1] = corner_or(.01, 800, 10);
			p[2] = corner_or(.01, 800, 1);
			p[3] = corner_or(.01, 800, 1);
			break;
		case PARETO_NBD:
			p[0] = corner_or(.01, 100, 1);
			p[1] = corner_or(.01, 800, 10);
			p[2] = corner_or(.01, 100, 1);
			p[3] = corner_or(.01, 800, p[1]);
			break;
		case BG_BB:
			for (int k = 0; k < 4; k++)
				p[k] = corner_or(.01, 800, 1);
			break;
	}
	return model;
}

static PurchasePattern
random_history(PurchaseModelKind kind)
{
	static const double xs[] = {0, 0, 1, 2, 3, 10, 100, 187, 5000};
	PurchasePattern pattern = {one_of(xs, COUNT(xs)), 0, log_uniform(1 / 7.0, 1000), 1};
	double		u = uniform();

	if (kind == BG_BB)
	{
		pattern.T = floor(log_uniform(1, 300));
		pattern.x = floor(uniform() * (pattern.T + 1));
		pattern.t_x = pattern.x == 0 ? 0 : pattern.x + floor(uniform() * (pattern.T - pattern.x + 1));
	}
	else if (pattern.x > 0)
		pattern.t_x = u < .2 ? pattern.T : u < .5 ? fmax(pattern.T - 1 / 7.0, pattern.T / 2) : pattern.T * uniform();
	return pattern;
}

static double
random_horizon(PurchaseModelKind kind)
{
	return kind == BG_BB ? floor(log_uniform(1, 10000)) : corner_or(1e-9, 1e4, 1);
}

/* Not more than rounding below. */
static bool
at_most(double a, double b)
{
	return a <= b + 2e-13 * fabs(b);
}

/* What the horizons and discounts of one customer have to do with each other. */
static bool
consistent(const PurchaseModel *model, double x, double T)
{
	double		horizon = random_horizon(model->kind);
	double		longer = model->kind == BG_BB ? horizon * 2 : horizon * (1.01 + uniform());
	double		discount = log_uniform(1e-5, 1);
	double		purchases = expected_purchases_if_alive(model, x, T, horizon);
	double		of_longer = expected_purchases_if_alive(model, x, T, longer);
	double		discounted = discounted_purchases_if_alive(model, x, T, discount, horizon);
	double		discounted_more = discounted_purchases_if_alive(model, x, T, discount * 2, horizon);
	double		discounted_ever = discounted_purchases_if_alive(model, x, T, discount, INFINITY);
	double		barely = discounted_purchases_if_alive(model, x, T, 1e-13 / horizon, horizon);
	double		rate = model->kind == BG_BB ? 1.0 : (model->parameters[0] + x) / (model->parameters[1] + T);

	return isfinite(of_longer) && isfinite(discounted_ever) && purchases > 0 &&
		expected_purchases_if_alive(model, x, T, 0) == 0 &&
		at_most(purchases, rate * horizon) && at_most(purchases, of_longer) &&
		discounted >= 0 && at_most(discounted, purchases) && at_most(discounted_more, discounted) &&
		at_most(purchases * exp(-discount * horizon), discounted) &&
		at_most(discounted, discounted_ever) && at_most(discounted_ever, rate / (model->kind == BG_BB ? expm1(discount) : discount)) &&
		fabs(barely - purchases) <= 1e-12 * purchases &&
		discounted_purchases_if_alive(model, x, T, 0, horizon) == purchases;
}

static bool
alive_in_order(const PurchaseModel *model, PurchasePattern p)
{
	double		alive = probability_alive_at_T(model, p.x, p.t_x, p.T);
	double		later = model->kind == BG_BB ? 1 : p.T * uniform();
	double		shown = probability_alive(model, p.x, p.t_x, p.T);
	bool		fine = alive >= 0 && alive <= 1 && shown >= 0 && shown <= alive &&
	isfinite(purchase_log_likelihood(model, p.x, p.t_x, p.T)) &&
	probability_alive_at_T(model, p.x, p.t_x, p.T + later) <= alive * (1 + 2e-12);

	if (p.x > 0 && p.t_x < p.T)
		fine = fine && probability_alive_at_T(model, p.x, model->kind == BG_BB ? p.t_x + 1 :
											  p.t_x + (p.T - p.t_x) * uniform(), p.T) >= alive * (1 - 2e-12);
	return fine;
}

static void
test_properties(void)
{
	char		name[100];

	random_state = 1;
	for (int kind = BG_NBD; kind <= BG_BB; kind++)
	{
		int			odd = 0;

		for (int i = 0; i < 3000; i++)
		{
			PurchaseModel model = random_model((PurchaseModelKind) kind);
			PurchasePattern p = random_history((PurchaseModelKind) kind);
			bool		fine = alive_in_order(&model, p);

			if (i < (kind <= MBG_NBD ? 80 : 1500))
				fine = fine && consistent(&model, p.x, p.T);
			if (!fine && odd++ < 3)
				print_case(&model, p.x, p.t_x, p.T, 0);
		}
		snprintf(name, sizeof(name), "%s: figures are finite and in order", kind_names[kind]);
		ok(odd == 0, name);
	}
}

/* The first purchases come at the rate of buying. */
static void
test_short_horizons(void)
{
	double		worst = 0;

	random_state = 2;
	for (int i = 0; i < 2000; i++)
	{
		PurchaseModel model = random_model((PurchaseModelKind) (i % 3));
		PurchasePattern p = random_history(model.kind);
		double		rate = (model.parameters[0] + p.x) / (model.parameters[1] + p.T);
		double		horizon = 1e-9 / (rate + 1 / (model.parameters[1] + p.T) +
									  (model.kind == PARETO_NBD ? model.parameters[2] / model.parameters[3] : 0));

		worst = larger(worst, fabs(expected_purchases_if_alive(&model, p.x, p.T, horizon) / (rate * horizon) - 1));
	}
	within(worst, 3e-9, "a short horizon: the rate times it");
}

/* What the range of the other tests does not reach. */
static void
test_far_out(void)
{
	PurchaseModel pareto = model_of(PARETO_NBD, .317, .01685, 100.3, 1.524);
	PurchaseModel bb = model_of(BG_BB, 800, 800, .5, 3);
	double		worst = 0;
	double		sum = 0;

	/* the reference as in the tables */
	close_to(purchase_log_likelihood(&pareto, 0, 0, 77250), -0.16920362192908801052, 1e-11, "Pareto/NBD: five million times alpha");

	/* of r = 1, 2 and 1 / 2 in closed form; the last by Stirling's series for the central binomial coefficient */
	for (double n = 1; n < 1e10; n *= 10)
	{
		worst = larger(worst, fabs(log_negative_binomial_factor(1, n)));
		worst = larger(worst, fabs(log_negative_binomial_factor(2, n) - log1p(n)));
		if (n > 100)
			worst = larger(worst, fabs(log_negative_binomial_factor(.5, n) + .5 * log(acos(-1) * n) + 1 / (8 * n)));
	}
	within(worst, 1e-8, "numbers of purchases up to 10^9");
	within(fabs(log_negative_binomial_factor(2, 1e6) - log1p(1e6)), 1e-14, "as precise as small ones");

	for (int kind = BG_NBD; kind <= PARETO_NBD; kind++)
	{
		PurchaseModel model = model_of((PurchaseModelKind) kind, .5, 4, .8, 2.5);

		ok(!(expected_purchases_if_alive(&model, 2, 6, NAN) >= 0) && !(probability_alive(&model, 2, 2, NAN) > 1),
		   "NaN does not take for ever");
	}

	for (double n = 0; n <= 3000; n += 1)
		sum += purchase_count_probability(&bb, n, 3000);
	within(fabs(sum - 1), 1e-10, "BG/BB: probabilities of 3,000 opportunities, some below all numbers, add up to 1");

	/* (1 + d) E 1 / (d + theta) */
	close_to(discounted_renewals(.2, .5, 1, 0, 1e-15), 852622813032.04, 1e-13, "sBG: hardly discounted, and hardly leaving");
}

static void
test_for_ever(void)
{
	PurchaseModel bg = model_of(BG_NBD, .25, 4, 1.5, 2.5);
	PurchaseModel mbg = model_of(MBG_NBD, .25, 4, 1.5, 2.5);
	PurchaseModel pareto = model_of(PARETO_NBD, .55, 10, 1.5, 12);
	PurchaseModel bb = model_of(BG_BB, 1.2, .75, 1.5, 2.75);
	PurchaseModel often = model_of(BG_NBD, .5, 1e-12, .05, .5);
	PurchaseModel staying[] = {
		model_of(BG_NBD, .25, 4, 1, 2.5), model_of(MBG_NBD, .25, 4, .9, 2.5), model_of(PARETO_NBD, .55, 10, 1, 12),
		model_of(BG_BB, 1.2, .75, 1, 2.75)
	};

	close_to(expected_purchases_if_alive(&bg, 2, 39, INFINITY), (1.5 + 4.5 - 1) / .5, 1e-15, "BG/NBD for ever");
	close_to(expected_purchases_if_alive(&mbg, 2, 39, INFINITY), (1.5 + 5.5 - 1) / .5, 1e-15, "MBG/NBD for ever");
	close_to(expected_purchases_if_alive(&pareto, 2, 39, INFINITY), 2.55 / 49 * 51 / .5, 1e-15, "Pareto/NBD for ever");
	close_to(expected_purchases_if_alive(&bb, 2, 6, INFINITY), 3.2 / 7.95 * 8.75 / .5, 1e-15, "BG/BB for ever");
	for (int i = 0; i < 4; i++)
		ok(expected_purchases_if_alive(&staying[i], 2, 6, INFINITY) == INFINITY, "for ever, where there is no end");
	close_to(expected_purchases_if_alive(&bg, 2, 39, 1e15), 10, 1e-6, "BG/NBD for very long");
	close_to(expected_purchases_of_new(&often, 1e4), 760096935220590.70967, 1e-13, "BG/NBD with 10^16 purchases, by the reference");
	close_to(expected_purchases_if_alive(&bb, 2, 6, 1e15), 3.2 / 7.95 * 8.75 / .5, 1e-6, "BG/BB for very long");
	close_to(discounted_purchases_if_alive(&bg, 2, 39, 1e-15, INFINITY), 10, 1e-6, "BG/NBD hardly discounted");
	close_to(discounted_purchases_if_alive(&pareto, 2, 39, 1e-15, INFINITY), 2.55 / 49 * 51 / .5, 1e-6,
			 "Pareto/NBD hardly discounted");
	close_to(discounted_purchases_if_alive(&bb, 2, 6, 1e-15, INFINITY), 3.2 / 7.95 * 8.75 / .5, 1e-6,
			 "BG/BB hardly discounted");
	close_to(discounted_purchases_if_alive(&bb, 0, 0, 2, 1), 1.2 / 1.95 * 2.75 / 4.25 * exp(-2), 1e-14,
			 "BG/BB, one opportunity, discounted");
	ok(expected_purchases_if_alive(&bb, 0, 0, 2.7) == expected_purchases_if_alive(&bb, 0, 0, 2) &&
	   discounted_purchases_if_alive(&bb, 0, 0, .1, 2.7) == discounted_purchases_if_alive(&bb, 0, 0, .1, 2),
	   "BG/BB, only whole opportunities");
}

/* Where the sources change the method, both sides have to agree: the figure is smooth. */
static void
test_borders(void)
{
	double		of_expected = 0;
	double		of_nodes = 0;

	random_state = 3;
	for (int i = 0; i < 1000; i++)
	{
		/* purchases_while_alive: (36 + 3 r) (1 + time) = 600, by second differences across it */
		double		r = log_uniform(.01, 100);
		double		alpha = log_uniform(.01, 800);
		PurchaseModel model = model_of(i % 2 ? BG_NBD : MBG_NBD, r, alpha, corner_or(.01, 800, 1), log_uniform(.01, 800));
		double		border = alpha * (600 / (36 + 3 * r) - 1);
		double		step = 1e-7 * border;
		double		e[4];

		for (int k = 0; k < 4; k++)
			e[k] = expected_purchases_if_alive(&model, 0, 0, border + (k - 1.5) * step);
		of_expected = larger(of_expected, fabs(e[3] - 3 * e[2] + 3 * e[1] - e[0]) / e[0]);
	}
	within(of_expected, 2e-13, "sum and expectation agree on purchases of BG/NBD");

	for (int i = 0; i < 20000; i++)
	{
		/* 8, 16, 32 nodes, and where the integrand is cut: all in the way of a growing T */
		static PurchaseModel model;
		static double T,
					x,
					before,
					first,
					second;
		double		value;

		if (i % 200 == 0)
		{
			model = random_model(PARETO_NBD);
			x = floor(log_uniform(1, 60) - 1);
			T = .01 * (model.parameters[1] + model.parameters[3]);
			before = first = second = 0;
		}
		T *= 1.05;
		for (int k = 0; k < 4; k++)
		{
			double		here = purchase_log_likelihood(&model, x, 0, T * (1 + (k - 1.5) * 1e-5));

			value = here - before;
			if (k == 3)
				of_nodes = larger(of_nodes, fabs((value - first) - (first - second)) / larger(1, fabs(here)));
			second = first;
			first = value;
			before = here;
		}
	}
	within(of_nodes, 3e-12, "8, 16 and 32 nodes agree on the likelihood of Pareto/NBD");
}

/* ---------- distributions add up ---------- */

static void
test_counts(void)
{
	random_state = 4;
	for (int kind = BG_NBD; kind <= BG_BB; kind++)
	{
		char		name[100];
		double		of_sum = 0;
		double		of_mean = 0;
		bool		in_range = true;

		for (int i = 0; i < 25; i++)
		{
			PurchaseModel model = random_model((PurchaseModelKind) kind);
			double		horizon = 0;
			double		sum = 0;
			double		mean = 0;
			double		last;

			/* most purchases within 1000 */
			if (kind == BG_BB)
				horizon = last = floor(log_uniform(1, 100));
			else
			{
				model.parameters[0] = log_uniform(.05, 50);
				horizon = model.parameters[1] * log_uniform(.01, 20 / (1 + model.parameters[0]) + 1);
				last = 1000;
			}
			for (double n = 0; n <= last; n += 1)
			{
				double		probability = purchase_count_probability(&model, n, horizon);

				in_range = in_range && probability >= 0 && probability <= 1 + 1e-12;
				sum += probability;
				mean += n * probability;
			}
			of_sum = larger(of_sum, fabs(sum - 1));
			of_mean = larger(of_mean, fabs(mean / expected_purchases_of_new(&model, horizon) - 1));
			in_range = in_range && purchase_count_probability(&model, 0, 0) == 1 &&
				purchase_count_probability(&model, 3, 0) == 0;
		}
		ok(in_range, "probabilities of numbers of purchases");
		snprintf(name, sizeof(name), "%s: they add up to 1", kind_names[kind]);
		within(of_sum, 1e-11, name);
		within(of_mean, 1e-11, "and to the mean");
	}
}

/* All patterns of n opportunities; (x, t_x) stands for (t_x - 1 over x - 1) of them. */
static void
test_patterns_of_opportunities(void)
{
	double		of_sum = 0;
	double		of_mean = 0;

	random_state = 5;
	for (int i = 0; i < 300; i++)
	{
		PurchaseModel model = random_model(BG_BB);
		double		n = 1 + floor(uniform() * 20);
		double		sum = exp(purchase_log_likelihood(&model, 0, 0, n));
		double		mean = 0;

		for (double t_x = 1; t_x <= n; t_x += 1)
		{
			double		choices = 1;

			for (double x = 1; x <= t_x; x += 1)
			{
				double		probability = choices * exp(purchase_log_likelihood(&model, x, t_x, n));

				sum += probability;
				mean += x * probability;
				choices *= (t_x - x) / x;
			}
		}
		of_sum = larger(of_sum, fabs(sum - 1));
		of_mean = larger(of_mean, fabs(mean / expected_purchases_of_new(&model, n) - 1));
	}
	within(of_sum, 1e-12, "BG/BB: the likelihoods of all patterns add up to 1");
	within(of_mean, 1e-11, "and give the expected number of purchases");
}

/* The density of the next purchase: what the likelihood of x + 1 adds up to is what that of x loses. */
static void
test_likelihood_is_a_density(void)
{
	double		worst = 0;

	random_state = 6;
	for (int i = 0; i < 60; i++)
	{
		static const double node[] = {.06943184420297371, .33000947820757187, .66999052179242813, .93056815579702629};
		static const double weight[] = {.17392742256872693, .32607257743127307, .32607257743127307, .17392742256872693};
		PurchaseModel model = random_model((PurchaseModelKind) (i % 3));
		double		T = log_uniform(.1, 100);
		double		sum;

		/* P(X(T) = 0) + integral of the density of (1, t, T) = P(X(T) <= 1), for 400 panels of ln (0.01 alpha + t) */
		double		start = .01 * fmin(model.parameters[1], model.kind == PARETO_NBD ? model.parameters[3] : 1e9);

		sum = exp(purchase_log_likelihood(&model, 0, 0, T));
		for (int panel = 0; panel < 400; panel++)
			for (int k = 0; k < 4; k++)
			{
				double		length = log1p(T / start);
				double		t = start * expm1(length * (panel + node[k]) / 400);

				sum += weight[k] * length / 400 * (start + t) * exp(purchase_log_likelihood(&model, 1, t, T));
			}
		worst = larger(worst, fabs(sum / (purchase_count_probability(&model, 0, T) +
										  purchase_count_probability(&model, 1, T)) - 1));
	}
	within(worst, 1e-9, "likelihoods of one purchase and none add up to the probability of at most one");
}

static void
test_survival(void)
{
	bool		fine = true;
	double		of_leaving = 0;
	double		of_lifetime = 0;

	random_state = 7;
	for (int i = 0; i < 200; i++)
	{
		double		alpha = corner_or(.01, 800, 1);
		double		beta = corner_or(.01, 800, 1);
		double		c = i % 2 ? 1 : log_uniform(.1, 4);
		double		before = 1;
		double		parameters[3] = {alpha, beta, c};
		double		discount = log_uniform(.001, 2);
		double		age = floor(log_uniform(1, 100)) - 1;
		double		lifetime;
		double		now;

		fine = fine && renewal_survival(alpha, beta, c, 0) == 1;
		for (double t = 1; t < 3000; t *= 3)
		{
			double		after = renewal_survival(alpha, beta, c, t);

			fine = fine && after <= before && after >= 0 && (after < before || before == 0);
			before = after;
		}
		for (double t = 1; t < 100; t *= 2)
		{
			RenewalPattern pattern = {t, true, 1};
			RenewalData data = {3, &pattern, 1, no_interrupts};
			double		left = exp(renewals_log_likelihood(&data, parameters, NULL));
			double		earlier = renewal_survival(alpha, beta, c, t - 1);

			if (earlier > 0)
				of_leaving = larger(of_leaving, fabs(left - (earlier - renewal_survival(alpha, beta, c, t))) / earlier);
		}
		/* V(age) = 1 + S(age + 1) / S(age) V(age + 1) / (1 + d) */
		lifetime = discounted_renewals(alpha, beta, c, age, discount);
		now = renewal_survival(alpha, beta, c, age);
		if (now > 1e-250)
			of_lifetime = larger(of_lifetime, fabs(1 + renewal_survival(alpha, beta, c, age + 1) / now / (1 + discount) *
												   discounted_renewals(alpha, beta, c, age + 1, discount) - lifetime) /
								 lifetime);
		fine = fine && lifetime >= 1 && lifetime <= (1 + discount) / discount * (1 + 1e-13) &&
			at_most(discounted_renewals(alpha, beta, c, age, discount * 2), lifetime);
	}
	ok(fine, "survival falls from 1, lifetime is between 1 and (1 + d) / d and falls with d");
	within(of_leaving, 1e-12, "who leaves does not survive");
	within(of_lifetime, 1e-11, "lifetime from one age to the next");

	close_to(discounted_renewals(1.5, 3, 1, 2, 0), (1.5 + 3 + 2 - 1) / .5, 1e-15, "undiscounted");
	close_to(discounted_renewals(1.5, 3, 1 + 1e-9, 2, 0), 11, 1e-7, "c beside 1, undiscounted");
	close_to(discounted_renewals(1.01, 3, 1 + 1e-9, 2, 0), (1.01 + 3 + 2 - 1) / .01, 1e-5, "hardly finite");
	close_to(discounted_renewals(.7, 3, 1 + 1e-9, 2, .01), discounted_renewals(.7, 3, 1, 2, .01), 1e-7, "c beside 1");
	close_to(discounted_renewals(2.5, 3, 1, 2, 1e-14), 5.0 * 6.5 / 5 / 1.5, 1e-12, "hardly discounted");
	ok(discounted_renewals(1, 3, 1, 2, 0) == INFINITY && discounted_renewals(2, 3, .5, 2, 0) == INFINITY,
	   "infinite where the sum diverges");
	ok(isfinite(discounted_renewals(1e-5, 1e5, 10, 0, 1e-9)) && isfinite(renewal_survival(1e5, 1e-5, 100, 1e6)),
	   "powers beyond all numbers");
}

static void
test_spending(void)
{
	bool		between = true;
	bool		rises = true;
	double		mass = 0;

	random_state = 8;
	for (int i = 0; i < 2000; i++)
	{
		double		parameters[3] = {log_uniform(.01, 100), 1 + log_uniform(.01, 100), log_uniform(.01, 1000)};
		double		x = floor(log_uniform(1, 5000));
		double		mean = log_uniform(1e-4, 1e6);
		double		prior = expected_spending(parameters, 0, 0);
		double		expected = expected_spending(parameters, x, mean);

		between = between && at_most(fmin(prior, mean), expected) && at_most(expected, fmax(prior, mean));
		rises = rises && expected_spending(parameters, x, mean * 1.1) > expected;
	}
	ok(between, "expected spending is between that of all and the customer's own mean");
	ok(rises, "and rises with that");

	/* a density: in ln m the trapezoidal rule */
	for (int i = 0; i < 50; i++)
	{
		double		parameters[3] = {log_uniform(.3, 20), log_uniform(.5, 20), log_uniform(.1, 100)};
		double		sum = 0;
		SpendingPattern pattern = {floor(log_uniform(1, 50)), 0, 1};
		SpendingData data = {&pattern, 1, no_interrupts};

		for (double u = -150; u < 150; u += .05)
		{
			pattern.mean = exp(u);
			sum += .05 * pattern.mean * exp(spending_log_likelihood(&data, parameters, NULL));
		}
		mass = larger(mass, fabs(sum - 1));
	}
	within(mass, 1e-12, "the density of the mean integrates to 1");
}

/* ---------- gradients ---------- */

/*
 * The gradient by logarithms of the parameters against differences of four
 * points on either side, which are exact up to the eighth order.
 */
static double
gradient_error(LogLikelihood function, void *data, const double *parameters, int count)
{
	static const double factors[] = {4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280};
	double		gradient[MAX_PARAMETERS];
	double		worst = 0;
	double		value = function(data, parameters, gradient);

	if (value != function(data, parameters, NULL))
		return INFINITY;
	for (int k = 0; k < count; k++)
	{
		const double step = .01;
		double		moved[MAX_PARAMETERS];
		double		slope = 0;
		double		size = 0;

		memcpy(moved, parameters, count * sizeof(double));
		for (int i = 0; i < 4; i++)
		{
			double		above;
			double		below;

			moved[k] = parameters[k] * exp((i + 1) * step);
			above = function(data, moved, NULL);
			moved[k] = parameters[k] * exp(-(i + 1) * step);
			below = function(data, moved, NULL);
			slope += factors[i] * (above - below) / step;
			size = larger(size, fabs(above - below) / step);
		}
		worst = larger(worst, fabs(gradient[k] * parameters[k] - slope) /
					   (larger(size, 1) + fabs(value) * 1e-6));
	}
	return worst;
}

static void
test_gradients(void)
{
	char		name[100];

	random_state = 9;
	for (int kind = BG_NBD; kind <= BG_BB; kind++)
	{
		double		worst = 0;

		for (int i = 0; i < 400; i++)
		{
			PurchaseModel model = random_model((PurchaseModelKind) kind);
			PurchasePattern patterns[6];
			PurchaseData data = {(PurchaseModelKind) kind, patterns, 6, no_interrupts};
			double		error;

			/* two of each x side by side */
			for (int j = 0; j < 6; j++)
			{
				patterns[j] = random_history((PurchaseModelKind) kind);
				patterns[j].weight = log_uniform(.1, 10);
				if (j % 2 && kind != BG_BB)
				{
					patterns[j].t_x = patterns[j - 1].t_x * uniform();
					patterns[j].x = patterns[j - 1].x;
					patterns[j].T = fmax(patterns[j].T, patterns[j].t_x);
				}
			}
			error = gradient_error(purchases_log_likelihood, &data, model.parameters, 4);
			if (!(error < 1e-7))
				print_case(&model, patterns[0].x, patterns[0].t_x, patterns[0].T, error);
			worst = larger(worst, error);
		}
		snprintf(name, sizeof(name), "%s: gradient", kind_names[kind]);
		within(worst, 1e-8, name);
	}

	for (int parameters = 2; parameters <= 3; parameters++)
	{
		double		worst = 0;

		for (int i = 0; i < 500; i++)
		{
			double		at[3] = {corner_or(.01, 800, 1), corner_or(.01, 800, 1), log_uniform(.2, 4)};
			RenewalPattern patterns[4];
			RenewalData data = {parameters, patterns, 4, no_interrupts};

			for (int j = 0; j < 4; j++)
				patterns[j] = (RenewalPattern) {floor(log_uniform(1, 60)) - (j == 0), j > 1, log_uniform(.1, 10)};
			worst = larger(worst, gradient_error(renewals_log_likelihood, &data, at, parameters));
		}
		within(worst, 1e-8, parameters == 2 ? "sBG: gradient" : "BdW: gradient");
	}

	{
		double		worst = 0;

		for (int i = 0; i < 500; i++)
		{
			double		at[3] = {log_uniform(.01, 100), log_uniform(.01, 100), log_uniform(.01, 1000)};
			SpendingPattern patterns[4];
			SpendingData data = {patterns, 4, no_interrupts};

			for (int j = 0; j < 4; j++)
				patterns[j] = (SpendingPattern) {j % 2 ? patterns[j - 1].x : floor(log_uniform(1, 5000)),
					log_uniform(.01, 1e4), log_uniform(.1, 10)};
			worst = larger(worst, gradient_error(spending_log_likelihood, &data, at, 3));
		}
		within(worst, 1e-8, "Gamma-Gamma: gradient");
	}
}

/* A log likelihood is the sum over its patterns, times their weights. */
static void
test_weights(void)
{
	double		worst = 0;

	random_state = 10;
	for (int i = 0; i < 400; i++)
	{
		PurchaseModel model = random_model((PurchaseModelKind) (i % 4));
		PurchasePattern patterns[3];
		PurchaseData data = {model.kind, patterns, 3, no_interrupts};
		double		sum = 0;

		for (int j = 0; j < 3; j++)
		{
			patterns[j] = random_history(model.kind);
			patterns[j].weight = log_uniform(.1, 10);
			sum += patterns[j].weight * purchase_log_likelihood(&model, patterns[j].x, patterns[j].t_x, patterns[j].T);
		}
		worst = larger(worst, fabs(purchases_log_likelihood(&data, model.parameters, NULL) - sum) / larger(100, fabs(sum)));
	}
	within(worst, 1e-13, "weights");
}

/* ---------- fits of simulated customers ---------- */

#define CUSTOMERS	100000

static int
compare_patterns(const void *left, const void *right)
{
	const PurchasePattern *a = left;
	const PurchasePattern *b = right;

	if (a->x != b->x)
		return a->x < b->x ? -1 : 1;
	if (a->T != b->T)
		return a->T < b->T ? -1 : 1;
	return a->t_x < b->t_x ? -1 : a->t_x > b->t_x;
}

/* Equal ones become one; returns how many are left. */
static size_t
collapse(PurchasePattern *patterns, size_t count)
{
	size_t		left = 0;

	qsort(patterns, count, sizeof(patterns[0]), compare_patterns);
	for (size_t i = 0; i < count; i++)
		if (left > 0 && compare_patterns(&patterns[i], &patterns[left - 1]) == 0)
			patterns[left - 1].weight += patterns[i].weight;
		else
			patterns[left++] = patterns[i];
	return left;
}

/* Times are kept to a tenth: what that rounds away is nothing beside the standard errors. */
static PurchasePattern
simulated(const PurchaseModel *model)
{
	const double *p = model->parameters;
	PurchasePattern pattern = {0, 0, 6, 1};
	double		rate;
	double		leaves;
	double		end;
	double		t = 0;

	if (model->kind == BG_BB)
	{
		rate = beta_deviate(p[0], p[1]);
		leaves = beta_deviate(p[2], p[3]);
		for (double i = 1; i <= pattern.T && uniform() >= leaves; i += 1)
			if (uniform() < rate)
			{
				pattern.x += 1;
				pattern.t_x = i;
			}
		return pattern;
	}
	pattern.T = 30 + 4 * floor(4 * uniform());
	rate = gamma_deviate(p[0], p[1]);
	leaves = model->kind == PARETO_NBD ? exponential(gamma_deviate(p[2], p[3])) : beta_deviate(p[2], p[3]);
	end = model->kind == PARETO_NBD ? fmin(leaves, pattern.T) : pattern.T;
	if (model->kind == MBG_NBD && uniform() < leaves)
		return pattern;
	while ((t += exponential(rate)) < end)
	{
		pattern.x += 1;
		pattern.t_x = fmin(fmax(round(10 * t) / 10, .1), pattern.T);
		if (model->kind != PARETO_NBD && uniform() < leaves)
			break;
	}
	return pattern;
}

/* The largest distance of a parameter from the true one, in standard errors; z: each. */
static double
distance(const Maximum *maximum, const double *parameters, int count, double *z)
{
	double		worst = maximum->result == MAXIMISED ? 0 : INFINITY;

	for (int k = 0; k < count; k++)
	{
		z[k] = (maximum->parameters[k] - parameters[k]) / maximum->standard_errors[k];
		worst = larger(worst, fabs(z[k]));
	}
	return worst;
}

static PurchasePattern customers[CUSTOMERS];

static double
refit(const PurchaseModel *model, uint64_t seed, double *z)
{
	PurchaseData data = {model->kind, customers, 0, no_interrupts};
	Maximum		maximum;

	random_state = seed * 1000 + model->kind;
	for (int i = 0; i < CUSTOMERS; i++)
		customers[i] = simulated(model);
	data.count = collapse(customers, CUSTOMERS);
	purchases_fit(&data, 0, &maximum);
	return distance(&maximum, model->parameters, 4, z);
}

static int
compare_spending(const void *left, const void *right)
{
	double		a = ((const SpendingPattern *) left)->x;
	double		b = ((const SpendingPattern *) right)->x;

	return a < b ? -1 : a > b;
}

static double
refit_spending(const double *parameters, uint64_t seed, double *z)
{
	static SpendingPattern spending[CUSTOMERS];
	SpendingData data = {spending, CUSTOMERS, no_interrupts};
	Maximum		maximum;

	random_state = seed * 1000 + 10;
	for (int i = 0; i < CUSTOMERS; i++)
	{
		double		x = ceil(exponential(.5));

		spending[i] = (SpendingPattern) {
			x, gamma_deviate(parameters[0] * x, x * gamma_deviate(parameters[1], parameters[2])), 1
		};
	}
	qsort(spending, CUSTOMERS, sizeof(spending[0]), compare_spending);
	spending_fit(&data, 0, &maximum);
	return distance(&maximum, parameters, 3, z);
}

static double
refit_renewals(const double *parameters, int count, uint64_t seed, double *z)
{
	static const int seen[] = {5, 8, 12};
	RenewalPattern patterns[13 * 2] = {{0, false, 0}};
	RenewalData data = {count, patterns, 26, no_interrupts};
	Maximum		maximum;

	random_state = seed * 1000 + 20 + count;
	for (int i = 0; i < 26; i++)
		patterns[i] = (RenewalPattern) {i / 2 + i % 2 * (i / 2 == 0), i % 2, 0};
	for (int i = 0; i < CUSTOMERS; i++)
	{
		double		theta = beta_deviate(parameters[0], parameters[1]);
		double		renewed = ceil(pow(log(uniform()) / log1p(-theta), 1 / (count == 3 ? parameters[2] : 1)));

		patterns[renewed <= seen[i % 3] ? (int) fmax(renewed, 1) * 2 + 1 : seen[i % 3] * 2].weight += 1;
	}
	renewals_fit(&data, 0, &maximum);
	return distance(&maximum, parameters, count, z);
}

/*
 * The seed was not chosen: it is the first.  Of the seeds 1 to 20 it is 20 of
 * BG/NBD, 19 of MBG/NBD, 20 of Pareto/NBD, BG/BB and Gamma-Gamma, 19 of sBG
 * and 20 of BdW that leave all parameters within three standard errors; the
 * squares of the distances in standard errors are .6 to 1.4 on average.
 */
static const PurchaseModel true_models[] = {
	{BG_NBD, {.25, 4.5, .8, 2.5}},
	{MBG_NBD, {.5, 6, .9, 1.6}},
	{PARETO_NBD, {.55, 10.5, .6, 11.5}},
	{BG_BB, {1.2, .75, .65, 2.8}}
};
static const double true_spending[] = {6.25, 3.75, 15.5};
static const double true_renewals[] = {.7, 1.2, 1.3};

static void
test_recovery(void)
{
	double		z[MAX_PARAMETERS];
	char		name[100];

	for (size_t i = 0; i < COUNT(true_models); i++)
	{
		snprintf(name, sizeof(name), "%s: parameters of simulated customers, in standard errors", kind_names[i]);
		within(refit(&true_models[i], 1, z), 3, name);
	}
	within(refit_spending(true_spending, 1, z), 3, "Gamma-Gamma: parameters of simulated customers");
	within(refit_renewals(true_renewals, 2, 1, z), 3, "sBG: parameters of simulated customers");
	within(refit_renewals(true_renewals, 3, 1, z), 3, "BdW: parameters of simulated customers");
}

/* ---------- data that tell little, or in other words ---------- */

#define PATTERNS(...)	(PurchasePattern[]) {__VA_ARGS__}, COUNT(((PurchasePattern[]) {__VA_ARGS__}))

static MaximisationResult
result_of(PurchaseModelKind kind, const PurchasePattern *patterns, size_t count, double penalty, Maximum *maximum)
{
	PurchaseData data = {kind, patterns, count, no_interrupts};

	purchases_fit(&data, penalty, maximum);
	return maximum->result;
}

/*
 * What identifies nothing never counts as maximised, with parameters that
 * are somewhere on a ridge; whether it ends on the ridge or at a bound
 * depends on rounding.
 */
static void
tells_nothing(const char *name, const PurchasePattern *patterns, size_t count, bool opportunities)
{
	bool		fine = true;

	for (int kind = opportunities ? BG_BB : BG_NBD; kind <= (opportunities ? BG_BB : PARETO_NBD); kind++)
	{
		Maximum		maximum;
		MaximisationResult result = result_of((PurchaseModelKind) kind, patterns, count, 0, &maximum);

		fine = fine && result != MAXIMISED && maximum.iterations <= 200 &&
			(result == MAXIMUM_AT_BOUND) <= (maximum.bound != 0);
		for (int k = 0; k < 4; k++)
			fine = fine && maximum.parameters[k] > 0 && isfinite(maximum.parameters[k]) && isnan(maximum.standard_errors[k]);
		fine = fine && isfinite(maximum.log_likelihood);
		if (!fine)
		{
			printf("# %s: result %d, bound %d, (%g, %g, %g, %g)\n", kind_names[kind], result, maximum.bound, maximum.parameters[0],
				   maximum.parameters[1], maximum.parameters[2], maximum.parameters[3]);
			break;
		}
	}
	ok(fine, name);
}

static void
test_degenerate(void)
{
	Maximum		maximum;

	tells_nothing("nobody comes back", PATTERNS({0, 0, 39, 1000}, {0, 0, 20, 500}), false);
	tells_nothing("one customer", PATTERNS({2, 10, 39, 1}), false);
	tells_nothing("two customers", PATTERNS({0, 0, 39, 1}, {2, 10, 39, 1}), false);
	tells_nothing("two customers who come back", PATTERNS({1, 10, 39, 1}, {2, 30, 39, 1}), false);
	tells_nothing("all do the same", PATTERNS({3, 20, 39, 1000}), false);
	tells_nothing("all buy every day", PATTERNS({140, 20, 20, 500}, {273, 39, 39, 500}), false);
	tells_nothing("all buy once more", PATTERNS({1, 5, 39, 300}, {1, 20, 39, 300}, {1, 38, 39, 300}), false);
	tells_nothing("all were here today", PATTERNS({0, 0, 39, 300}, {1, 39, 39, 300}, {2, 39, 39, 300}, {5, 39, 39, 100}), false);
	tells_nothing("no time", PATTERNS({0, 0, 0, 300}, {1, 0, 0, 30}), false);
	tells_nothing("no time between", PATTERNS({0, 0, 39, 100}, {1, 0, 39, 10}, {3, 0, 39, 10}), false);
	tells_nothing("a million purchases", PATTERNS({0, 0, 39, 10}, {1000, 30, 39, 10}, {1e5, 39, 39, 10}, {1e6, 38.9, 39, 1}), false);
	tells_nothing("weights below one", PATTERNS({0, 0, 39, .3}, {1, 10, 39, .1}, {2, 30, 39, .06}, {4, 35, 39, .03}), false);
	tells_nothing("no weight", PATTERNS({0, 0, 39, 300}, {1, 10, 39, 0}), false);
	tells_nothing("one in a million comes back", PATTERNS({0, 0, 39, 1e6}, {1, 10, 39, 1}), false);
	tells_nothing("nobody gives", PATTERNS({0, 0, 6, 1000}), true);
	tells_nothing("all give always", PATTERNS({6, 6, 6, 1000}), true);
	tells_nothing("all give the same", PATTERNS({3, 4, 6, 1000}), true);
	tells_nothing("one opportunity", PATTERNS({0, 0, 1, 1000}, {1, 1, 1, 500}), true);
	tells_nothing("two donors", PATTERNS({0, 0, 6, 1}, {2, 3, 6, 1}), true);
	tells_nothing("always or never", PATTERNS({0, 0, 6, 500}, {6, 6, 6, 500}), true);

	/* a bound says what the data are like */
	result_of(BG_NBD, PATTERNS({0, 0, 39, 300}, {1, 39, 39, 300}, {2, 39, 39, 300}, {5, 39, 39, 100}), 0, &maximum);
	ok(maximum.result == MAXIMUM_AT_BOUND && maximum.parameters[2] < 1e-4 * maximum.parameters[3], "nobody leaves: a / b is 0");
	result_of(BG_NBD, PATTERNS({0, 0, 39, 1000}, {0, 0, 20, 500}), 0, &maximum);
	ok(maximum.result == MAXIMUM_AT_BOUND && maximum.parameters[0] < 1e-4 * maximum.parameters[1], "nobody buys: r / alpha is 0");
	ok(result_of(BG_BB, PATTERNS({0, 0, 10000, 500}, {100, 2000, 10000, 500}, {3000, 9999, 10000, 100}), 0, &maximum) == MAXIMISED,
	   "ten thousand opportunities");

	/* in the penalty's hands: a maximum or a lower bound, but nothing far away */
	for (int kind = BG_NBD; kind <= PARETO_NBD; kind++)
	{
		result_of((PurchaseModelKind) kind, PATTERNS({3, 20, 39, 1000}), 1e-3, &maximum);
		ok(maximum.bound <= 0 && maximum.parameters[0] < 100 && maximum.parameters[1] < 39 * 100 && maximum.parameters[2] < 100,
		   "a penalty keeps parameters near");
	}
}

static void
test_degenerate_others(void)
{
	static const struct
	{
		const char *name;
		RenewalPattern patterns[4];
	}			renewals[] = {
		{"all leave at once", {{1, true, 100}}},
		{"nobody leaves", {{5, false, 100}}},
		{"one leaves, one stays", {{1, true, 1}, {3, false, 1}}},
		{"as many leave each time", {{1, true, 500}, {2, true, 250}, {3, true, 125}, {3, false, 125}}},
		{"nothing was to be renewed", {{0, false, 10}}},
		{"one renewal", {{1, true, 300}, {1, false, 700}}}
	};
	static const struct
	{
		const char *name;
		SpendingPattern patterns[4];
		size_t		count;
	}			spending[] = {
		{"one customer", {{1, 10, 1}}, 1},
		{"all spend the same", {{1, 10, 50}, {3, 10, 50}}, 2},
		{"two customers", {{1, 10, 1}, {2, 30, 1}}, 2},
		{"fourteen digits apart", {{1, 1e-5, 1}, {1, 1e9, 1}, {2, 1, 1}, {3, 1e4, 1}}, 4},
		{"one purchase each", {{1, 10, 50}, {1, 20, 30}, {1, 5, 40}, {1, 100, 5}}, 4}
	};
	Maximum		maximum;

	for (size_t i = 0; i < COUNT(renewals); i++)
		for (int parameters = 2; parameters <= 3; parameters++)
		{
			/* what is not given is {0, false, 0} */
			RenewalData data = {parameters, renewals[i].patterns, 4, no_interrupts};

			renewals_fit(&data, 0, &maximum);
			ok(maximum.result != MAXIMISED && isfinite(maximum.log_likelihood) && maximum.parameters[1] > 0, renewals[i].name);
		}
	for (size_t i = 0; i < COUNT(spending); i++)
	{
		SpendingData data = {spending[i].patterns, spending[i].count, no_interrupts};

		spending_fit(&data, 0, &maximum);
		ok(maximum.result != MAXIMISED && isfinite(maximum.log_likelihood) && maximum.parameters[1] > 0, spending[i].name);
	}
}

/* The same data in other units, in other weights, from other starts. */
static void
test_equivalent(void)
{
	for (int kind = BG_NBD; kind <= PARETO_NBD; kind++)
	{
		static PurchasePattern patterns[1500];
		static PurchasePattern scaled[1500];
		PurchaseData data = {(PurchaseModelKind) kind, patterns, 0, no_interrupts};
		PurchaseData scaled_data = {(PurchaseModelKind) kind, scaled, 0, no_interrupts};
		MaximisationTask task = {
			.parameters = 4,
			.unit = {1, 42, 1, kind == PARETO_NBD ? 42 : 1},
			.log_likelihood = purchases_log_likelihood,
			.data = &data,
		};
		Maximum		first;
		Maximum		other;
		double		worst = 0;
		double		purchases = 0;
		char		name[100];

		random_state = 11;
		for (size_t i = 0; i < COUNT(patterns); i++)
		{
			patterns[i] = simulated(&true_models[kind]);
			purchases += patterns[i].x;
		}
		data.count = scaled_data.count = collapse(patterns, COUNT(patterns));
		purchases_fit(&data, 0, &first);
		ok(first.result == MAXIMISED, kind_names[kind]);

		for (double unit = 1e-3; unit < 2e3; unit *= 10)
		{
			for (size_t i = 0; i < data.count; i++)
				scaled[i] = (PurchasePattern) {patterns[i].x, patterns[i].t_x * unit, patterns[i].T * unit, patterns[i].weight};
			purchases_fit(&scaled_data, 0, &other);
			for (int k = 0; k < 4; k++)
			{
				double		by = k == 1 || (k == 3 && kind == PARETO_NBD) ? unit : 1;

				worst = larger(worst, fabs(other.parameters[k] / (by * first.parameters[k]) - 1));
				worst = larger(worst, fabs(other.standard_errors[k] / (by * first.standard_errors[k]) - 1));
			}
			worst = larger(worst, fabs(other.log_likelihood + purchases * log(unit) - first.log_likelihood));
		}
		snprintf(name, sizeof(name), "%s: the unit of time does not matter", kind_names[kind]);
		within(worst, 1e-5, name);

		worst = 0;
		for (size_t i = 0; i < data.count; i++)
		{
			scaled[i] = patterns[i];
			scaled[i].weight *= .25;
			task.weight += patterns[i].weight;
		}
		purchases_fit(&scaled_data, 0, &other);
		for (int k = 0; k < 4; k++)
		{
			worst = larger(worst, fabs(other.parameters[k] / first.parameters[k] - 1));
			worst = larger(worst, fabs(other.standard_errors[k] / (2 * first.standard_errors[k]) - 1));
		}
		within(worst, 1e-5, "a quarter of the weight doubles the standard errors, no more");

		/* every parameter ten times larger or smaller */
		worst = 0;
		for (int corner = 0; corner < 16; corner++)
		{
			for (int k = 0; k < 4; k++)
				task.start[k] = first.parameters[k] * (corner & 1 << k ? 10 : .1);
			maximise(&task, &other);
			worst = larger(worst, other.result == MAXIMISED ? 0 : 1);
			for (int k = 0; k < 4; k++)
				worst = larger(worst, fabs(other.parameters[k] / first.parameters[k] - 1));
		}
		within(worst, 1e-5, "starts far away reach the same maximum");
	}
}

int
main(void)
{
	read_donations();
	test_published_purchases();
	test_published_spending();
	test_published_renewals();
	test_reference_purchases();
	test_reference_others();
	test_properties();
	test_short_horizons();
	test_far_out();
	test_for_ever();
	test_borders();
	test_counts();
	test_patterns_of_opportunities();
	test_likelihood_is_a_density();
	test_survival();
	test_spending();
	test_gradients();
	test_weights();
	test_recovery();
	test_degenerate();
	test_degenerate_others();
	test_equivalent();
	return finish();
}
