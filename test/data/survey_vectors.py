#!/usr/bin/env python3
"""Writes survey_vectors.csv: figures of surveys, computed with 40 digits by the formulas as they are printed, sharing
nothing with the C code. Needs mpmath.

    python3 test/data/survey_vectors.py > test/data/survey_vectors.csv
"""
import random

from mpmath import erfinv, mp, mpf, sqrt

mp.dps = 40
random.seed(20250101)
NONE = ''


def z_of(confidence):
    return sqrt(2) * erfinv(mpf(confidence))


def wilson(successes, n, z):
    share = mpf(successes) / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * mpf(n) ** 2))
    return max(mpf(0), centre - half), min(mpf(1), centre + half)


def wald(d, q, p, z, add):
    d, q, p = d + mpf(add) * 3 / 4, q + mpf(add) * 3 / 2, p + mpf(add) * 3 / 4
    n = d + q + p
    score = (p - d) / n
    error = sqrt(((p + d) / n - score ** 2) / n)
    return score, error, max(mpf(-1), score - z * error), min(mpf(1), score + z * error)


def tango(d, p, n, z, side):
    """The limit on that side (-1 low, 1 high): where the score test just rejects."""
    observed = mpf(p - d) / n
    if observed == side:
        return mpf(side)

    def statistic(delta):
        a, b, c = 2 * n, -d - p + (2 * n - p + d) * delta, -d * delta * (1 - delta)
        share = (-b + sqrt(b * b - 4 * a * c)) / (2 * a)
        return (p - d - n * delta) / sqrt(n * (2 * share + delta * (1 - delta)))

    inside, outside = observed, mpf(side)
    for _ in range(130):
        middle = (inside + outside) / 2
        if abs(statistic(middle)) <= z:
            inside = middle
        else:
            outside = middle
    return inside


def digits(value):
    return mp.nstr(value, 20, strip_zeros=False, min_fixed=-30, max_fixed=30)


SCALES = [(0, 10), (0, 10), (0, 10), (1, 10), (1, 5), (1, 7), (0, 1), (3, 8)]
print('survey,confidence,promoter_from,detractor_to,satisfied_from,nps,standard_error,wald_low,wald_high,wald_margin,'
      'adjusted_low,adjusted_high,adjusted_margin,score_low,score_high,csat,csat_low,csat_high,mean,median,stddev,index')
for case in range(120):
    lowest, highest = random.choice(SCALES)
    points = highest - lowest + 1
    top = 10 ** random.choice([0, 1, 2, 3, 6, 12, 17])
    counts = [random.randint(0, top) if random.random() < 0.7 else 0 for _ in range(points)]
    if sum(counts) == 0:
        counts[random.randrange(points)] = top
    n = sum(counts)
    detractor_to = random.randint(lowest, highest - 1)
    promoter_from = random.randint(detractor_to + 1, highest)
    satisfied_from = random.randint(lowest + 1, highest)
    confidence = random.choice(['0.5', '0.8', '0.9', '0.95', '0.95', '0.99', '0.999'])
    z = z_of(confidence)
    d = sum(counts[:detractor_to - lowest + 1])
    p = sum(counts[promoter_from - lowest:])
    q = n - d - p
    score, error, wald_low, wald_high = wald(d, q, p, z, 0)
    _, adjusted_error, adjusted_low, adjusted_high = wald(d, q, p, z, 1)
    satisfied = sum(counts[satisfied_from - lowest:])
    csat_low, csat_high = wilson(satisfied, n, z)
    total = sum((lowest + i) * c for i, c in enumerate(counts))
    mean = mpf(total) / n
    order = []
    for place in ((n - 1) // 2, n // 2):
        seen = 0
        for i, c in enumerate(counts):
            seen += c
            if place < seen:
                order.append(lowest + i)
                break
    squares = sum(c * (lowest + i - mean) ** 2 for i, c in enumerate(counts))
    figures = [100 * score, 100 * error, 100 * wald_low, 100 * wald_high, 100 * z * error,
               100 * adjusted_low, 100 * adjusted_high, 100 * z * adjusted_error,
               100 * tango(d, p, n, z, -1), 100 * tango(d, p, n, z, 1),
               mpf(satisfied) / n, csat_low, csat_high,
               mean, mpf(sum(order)) / 2, sqrt(squares / (n - 1)) if n > 1 else None,
               100 * (mean - lowest) / (highest - lowest)]
    survey = '"%d..%d:{%s}"' % (lowest, highest, ','.join(map(str, counts)))
    print(','.join([survey, confidence, str(promoter_from), str(detractor_to), str(satisfied_from)] +
                   [NONE if f is None else digits(f) for f in figures]))
