#!/usr/bin/env python3
"""Prints the rows of the tables of reference figures in test/unit/test_models.c and test_special_functions.c.

With the textbook formulas (2F1, Tricomi's U, incomplete gamma) and plain sums, at 60 digits and more (mpmath): nothing
of how the sources compute them.  Every argument is the double that its decimal digits stand for.
"""
import random
from mpmath import (mp, mpf, beta, binomial, diff, exp, gamma, gammainc, hyp2f1, hyperu, inf, log, log1p, loggamma, nstr,
                    psi, quad, rf)

mp.dps = 60


def negative_binomial(r, alpha, t, n):
    return exp(loggamma(r + n) - loggamma(r) - loggamma(n + 1)) * (alpha / (alpha + t))**r * (t / (alpha + t))**n


# BG/NBD (before = 0) and MBG/NBD (before = 1): chances to leave before the first repeat purchase

def bg_terms(before, r, alpha, a, b, x, t_x, T):
    k = x + before
    alive = beta(a, b + k) * (alpha + T)**-(r + x)
    return alive, beta(a + 1, b + k - 1) * (alpha + t_x)**-(r + x) if k > 0 else mpf(0)


def bg_likelihood(before, r, alpha, a, b, x, t_x, T):
    return (loggamma(r + x) - loggamma(r) + r * log(alpha) - log(beta(a, b))
            + log(sum(bg_terms(before, r, alpha, a, b, x, t_x, T))))


def bg_alive(before, r, alpha, a, b, x, t_x, T):
    alive, left = bg_terms(before, r, alpha, a, b, x, t_x, T)
    return alive / (alive + left)


def bg_expected(before, r, alpha, a, b, x, T, h):
    if a == 1:                  # its limit
        a += mpf(10)**-30
    r, alpha, b = r + x, alpha + T, b + x + before
    return (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + h))**r * hyp2f1(r, b, a + b - 1, h / (alpha + h)))


def bg_of_new(before, r, alpha, a, b, h):
    return bg_expected(before, r, alpha, a, b, 0, 0, h) * (b / (a + b) if before else 1)


def bg_discounted(before, r, alpha, a, b, x, T, d, h):
    r, alpha, b = r + x, alpha + T, b + x + before
    mp.dps = 50
    rate = lambda t: exp(-d * t) * r / alpha * (alpha / (alpha + t))**(r + 1) * hyp2f1(r + 1, b, a + b, t / (alpha + t))
    end = min(h, 60 / d)
    places = [mpf(0)]
    t = 1 / (d + (r + 1) / alpha)
    while t < end:
        places.append(t)
        t *= 2
    value = quad(rate, places + [end], method='gauss-legendre')
    mp.dps = 60
    return value


def bg_count(before, r, alpha, a, b, n, h):
    stays = lambda k: beta(a, b + k) / beta(a, b)
    k = n + before
    exactly = negative_binomial(r, alpha, h, n)
    if k == 0:
        return exactly
    if n == 0:
        return exactly * stays(1) + 1 - stays(1)
    more = negative_binomial(r, alpha, h, n + 1) * hyp2f1(1, r + n + 1, n + 2, h / (alpha + h))
    return stays(k) * exactly + (stays(k - 1) - stays(k)) * (exactly + more)


# Pareto/NBD: Schmittlein, Morrison and Colombo 1987; Fader and Hardie 2006; discounted: with Tricomi's U

def pareto_terms(r, alpha, s, beta_, x, t_x, T):
    z = r + s + x
    if alpha >= beta_:
        part = lambda t: hyp2f1(z, s + 1, z + 1, (alpha - beta_) / (alpha + t)) / (alpha + t)**z
    else:
        part = lambda t: hyp2f1(z, r + x, z + 1, (beta_ - alpha) / (beta_ + t)) / (beta_ + t)**z
    return (alpha + T)**-(r + x) * (beta_ + T)**-s, s / z * (part(t_x) - part(T))


def pareto_likelihood(r, alpha, s, beta_, x, t_x, T):
    return (loggamma(r + x) - loggamma(r) + r * log(alpha) + s * log(beta_)
            + log(sum(pareto_terms(r, alpha, s, beta_, x, t_x, T))))


def pareto_alive(r, alpha, s, beta_, x, t_x, T):
    alive, left = pareto_terms(r, alpha, s, beta_, x, t_x, T)
    return alive / (alive + left)


def pareto_expected(r, alpha, s, beta_, x, T, h):
    rate, beta_ = (r + x) / (alpha + T), beta_ + T
    if s == 1:
        return rate * beta_ * log1p(h / beta_)
    return rate * beta_ / (s - 1) * (1 - (beta_ / (beta_ + h))**(s - 1))


def pareto_of_new(r, alpha, s, beta_, h):
    return pareto_expected(r, alpha, s, beta_, 0, 0, h)


def pareto_discounted(r, alpha, s, beta_, x, T, d, h):
    z = d * (beta_ + T)
    scale = (r + x) / (alpha + T) * (beta_ + T) * z**(s - 1)
    if h == inf:
        return scale * hyperu(s, s, z)
    return scale * exp(z) * (gammainc(1 - s, z) - gammainc(1 - s, z + d * h))


def pareto_count(r, alpha, s, beta_, n, h):
    mp.dps = 400                # of which the sum cancels most
    z = r + s + n + 1
    if alpha >= beta_:
        part = lambda i, t: hyp2f1(r + s + i, s + 1, z, (alpha - beta_) / (alpha + t)) / (alpha + t)**(r + s + i)
    else:
        part = lambda i, t: hyp2f1(r + s + i, r + n, z, (beta_ - alpha) / (beta_ + t)) / (beta_ + t)**(r + s + i)
    left = part(0, 0) - sum(rf(r + s, i) * h**i / gamma(i + 1) * part(i, h) for i in range(int(n) + 1))
    value = (negative_binomial(r, alpha, h, n) * (beta_ / (beta_ + h))**s
             + alpha**r * beta_**s * beta(r + n, s + 1) / beta(r, s) * left)
    mp.dps = 60
    return value


# BG/BB: Fader, Hardie and Shang 2010

def bb_terms(a, b, c, d, x, t_x, n):
    scale = beta(a, b) * beta(c, d)
    return (beta(a + x, b + n - x) * beta(c, d + n) / scale,
            sum(beta(a + x, b + t_x - x + i) * beta(c + 1, d + t_x + i) for i in range(int(n - t_x))) / scale)


def bb_likelihood(a, b, c, d, x, t_x, n):
    return log(sum(bb_terms(a, b, c, d, x, t_x, n)))


def bb_alive(a, b, c, d, x, t_x, n):
    alive, left = bb_terms(a, b, c, d, x, t_x, n)
    return alive / (alive + left) * (d + n) / (c + d + n)


def bb_discounted(a, b, c, d, x, n, discount, h):
    z = exp(-discount)
    d += n
    if h == inf:
        total = z * d / (c + d) * hyp2f1(1, d + 1, c + d + 1, z)
    else:
        total = term = mpf(0) + 1
        total -= 1
        for i in range(int(h)):
            term *= z * (d + i) / (c + d + i)
            total += term
    return (a + x) / (a + b + n) * total


def bb_expected(a, b, c, d, x, n, h):
    return bb_discounted(a, b, c, d, x, n, mpf(0), h)


def bb_of_new(a, b, c, d, h):
    return bb_expected(a, b, c, d, 0, 0, h)


def bb_count(a, b, c, d, n, h):
    scale = beta(a, b) * beta(c, d)
    return (binomial(h, n) * beta(a + n, b + h - n) * beta(c, d + h)
            + sum(binomial(i, n) * beta(a + n, b + i - n) * beta(c + 1, d + i) for i in range(int(n), int(h)))) / scale


# Gamma-Gamma, sBG and BdW

def spending_likelihood(p, q, c, x, m):
    return (loggamma(p * x + q) - loggamma(p * x) - loggamma(q) + q * log(c) + (p * x - 1) * log(m)
            + p * x * log(x) - (p * x + q) * log(c + x * m))


def survival(a, b, c, t):
    return beta(a, b + t**c) / beta(a, b) if t > 0 else mpf(1)


def leaving(a, b, c, t):
    return log(survival(a, b, c, t - 1) - survival(a, b, c, t))


def renewals(a, b, c, age, d):
    if c == 1:
        return hyp2f1(1, b + age, a + b + age, 1 / (1 + d)) if d > 0 else (a + b + age - 1) / (a - 1)
    mp.dps = 30
    term = lambda t: survival(a, b, c, age + t) / survival(a, b, c, age) / (1 + d)**t
    first = 200                 # from there on Euler and Maclaurin
    total = sum(term(mpf(i)) for i in range(first)) + term(mpf(first)) / 2
    for k, divisor in ((1, -12), (3, 720), (5, -30240), (7, 1209600)):
        total += diff(term, mpf(first), k) / divisor
    v = log(mpf(first))
    while True:
        part = quad(lambda u: exp(u) * term(exp(u)), [v, v + 1], method='gauss-legendre')
        total += part
        v += 1
        if part < total * mpf(10)**-25:
            break
    mp.dps = 60
    return total


# ---------- rows ----------

rng = random.Random(20070911)
YEARS = (1.0, 40.0, 700.0)
DAY = 0.142857


def some(low, high):
    return float('%.3g' % exp(rng.uniform(float(log(low)), float(log(high)))))


def bg_parameters(i):
    a = (1.0, 1.00000001, 0.99999999, 0.01, 800.0, some(.05, 20), some(.05, 20))[i % 7]
    return [(.01, 100.0, some(.05, 5))[i % 3], (.01, 800.0, some(.5, 50))[i // 2 % 3], a,
            (.01, 800.0, some(.1, 20), some(.1, 20))[i % 4]]


def pareto_parameters(i):
    alpha = (.01, 800.0, some(.5, 50))[i // 2 % 3]
    return [(.01, 100.0, some(.05, 5))[i % 3], alpha,
            (1.0, 1.00000001, 0.999999, .01, 100.0, some(.05, 5), some(.05, 5))[i % 7],
            (alpha * (1 + 1e-8), alpha, .01, 800.0, some(.5, 50))[i % 5]]


def bb_parameters(i):
    return [(1.0, .01, 800.0, some(.1, 20))[(i * 7 + k * 3 + i // 4) % 4] for k in range(4)]


def history(i):
    x = (0, 1, 2, 5000, 17, 300)[i % 6]
    T = YEARS[i // 3 % 3]
    t_x = 0 if x == 0 else (T - DAY, T, T / 3)[i % 3]
    return [x, t_x, T]


def bb_history(i):
    n = (1, 6, 40, 300)[i % 4]
    x = (0, n, (n + 1) // 2, 1)[i // 2 % 4]
    return [x, 0 if x == 0 else min(n, x + i % 3), n]


HORIZONS = (1e-9, 1.0, 52.0, 1e4)
FAMILIES = (('BG_NBD', 'bg', 0, bg_parameters), ('MBG_NBD', 'bg', 1, bg_parameters),
            ('PARETO_NBD', 'pareto', None, pareto_parameters), ('BG_BB', 'bb', None, bb_parameters))


def arguments(family, figure, i):
    x, t_x, T = (bb_history if family == 'bb' else history)(i)
    horizon = (1, 6, 40, 10000)[i % 4] if family == 'bb' else HORIZONS[(i + i // 4) % 4]
    discount = (1e-4, .01, .002, 1.0)[i % 4]
    return {'likelihood': [x, t_x, T], 'alive': [x, t_x, T], 'expected': [x, T, horizon], 'of_new': [horizon],
            'discounted': [x, T, discount, (inf, 52, 300)[i % 3]],
            'count': [(0, 1, 5, 40)[i % 4], max(40 if family == 'bb' else 0, horizon)]}[figure]


def row(name, figure, parameters, args, value):
    text = ', '.join('INFINITY' if v == inf else '%.10g' % v for v in args)
    print('\t{%s, %s, {%s}, {%s}, %s},' % (name, "COUNTED" if figure == "count" else figure.upper(), ', '.join('%.10g' % v for v in parameters), text,
                                          nstr(value, 20)))


def exact(values):
    return [v if v == inf else mpf(float('%.10g' % v)) for v in values]


def main():
    for name, family, before, parameters in FAMILIES:
        for figure, rows in (('likelihood', 14), ('alive', 12), ('expected', 16), ('of_new', 6), ('discounted', 10),
                             ('count', 10)):
            for i in range(rows):
                p, args = parameters(i), arguments(family, figure, i)
                if figure == 'discounted' and family == 'bg' and args[0] == 5000:
                    args[0] = 500       # else it takes minutes
                first = [] if before is None else [before]
                value = globals()[family + '_' + figure](*first, *exact(p), *exact(args))
                if value > mpf(10)**-280 or figure == 'likelihood':
                    row(name, figure, p, args, value)
    print('spending')
    for i in range(10):
        values = [(.01, 100.0, 6.25)[i % 3], (.01, 3.74, 100.0)[i // 3 % 3], (.01, 15.4, 1000.0)[i % 3],
                  (1, 2, 5000, 17)[i % 4], some(.01, 1e4)]
        print('\t{%s, %s},' % (', '.join('%.10g' % v for v in values), nstr(spending_likelihood(*exact(values)), 20)))
    print('renewals: alpha, beta, c, age, discount, survival, leaving at age + 1, lifetime')
    for i in range(14):
        values = [(.01, .7, 5.4, 81.0)[i % 4], (.01, 1.18, 99.0, 800.0)[i // 2 % 4], (1.0, 1.0, .4, 1.6)[i // 3 % 4],
                  (0, 1, 40, 500)[i % 4], (.1, .0003, 1.0)[i % 3]]
        e = exact(values)
        print('\t{%s, %s, %s, %s},' % (', '.join('%.10g' % v for v in values), nstr(survival(*e[:4]), 20),
                                       nstr(leaving(*e[:3], e[3] + 1), 20), nstr(renewals(*e), 20)))
    print('ln Gamma and digamma')
    for x in (1e-5, .01, .5, 1.4, 1.5, 2.5, 9.99, 10.0, 123.4, 1e6):
        x = mpf(x)
        print('\t{%s, %s, %s},' % (nstr(x, 10), nstr(loggamma(x), 20), nstr(psi(0, x), 20)))
    print('rising: a, n, value, derivative')
    for a, n in ((.01, 1), (.01, 40), (.01, 41), (1e-5, 1e6), (800, 5000), (1e5, 3), (1e5, .25), (2.5, .5), (1e6, 1000),
                 (1e6, 1e6), (.5, 1e12), (1e12, .5)):
        a, n = mpf(a), mpf(n)
        print('\t{%s, %s, %s, %s},' % (nstr(a, 10), nstr(n, 10), nstr(loggamma(a + n) - loggamma(a), 20),
                                       nstr(psi(0, a + n) - psi(0, a), 20)))
    print('staying: a, b, n, value, by a, by b, by n')
    for a, b, n in ((.7, 1.2, 1), (.01, .01, 5000), (800, .01, 2), (.01, 800, 2), (1e5, 1e5, 1), (2.5, 1e6, .5), (1, 1, 1e6),
                    (.5, 3, 1e12)):
        a, b, n = mpf(a), mpf(b), mpf(n)
        print('\t{%s, %s, %s, %s, %s, %s, %s},' % (
            nstr(a, 10), nstr(b, 10), nstr(n, 10), nstr(log(beta(a, b + n)) - log(beta(a, b)), 20),
            nstr(psi(0, a + b) - psi(0, a + b + n), 20),
            nstr(psi(0, b + n) - psi(0, a + b + n) - psi(0, b) + psi(0, a + b), 20),
            nstr(psi(0, b + n) - psi(0, a + b + n), 20)))
    print('E 1 / (d + P): a, b, d, value')
    for a, b, d in ((5.4, 99, .22), (82, 5, .0003), (.01, .01, .5), (.01, 800, 1e-6), (800, .01, 1e-6), (1, 1, .1),
                    (2, 300, 1e-3), (20, 2000, .01), (1e5, 1e5, 1), (1e-5, 1e5, 1e-9), (10, 1e6, 1e-5), (.01, .01, 1e-12), (.2, .5, 1e-15)):
        a, b, d = mpf(a), mpf(b), mpf(d)
        print('\t{%s, %s, %s, %s},' % (nstr(a, 10), nstr(b, 10), nstr(d, 10),
                                       nstr(hyp2f1(1, a, a + b, -1 / d) / d, 20)))


main()
