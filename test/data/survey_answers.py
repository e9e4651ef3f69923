#!/usr/bin/env python3
"""Writes survey_answers.csv: the answers of a shop's customers to "How likely are you to recommend us?" over 2025.

    python3 test/data/survey_answers.py > test/data/survey_answers.csv

Made up, and the same at every run. Customers differ in how content they are, and answer several times a year. In July
deliveries begin to come late, which September repairs. Who opens the survey without answering leaves no score.
"""
import datetime
import random

random.seed(2025)
CUSTOMERS = 1500
FIRST = datetime.date(2025, 1, 1)


def normal(mean, deviation):
    # from random() alone, whose numbers are the same in all versions
    return mean + deviation * (sum(random.random() for _ in range(12)) - 6)


content = [normal(8.5, 1.3) for _ in range(CUSTOMERS)]
rows = []
for number in range(3600):
    day = FIRST + datetime.timedelta(days=int(random.random() * 365))
    customer = int(random.random() * CUSTOMERS)
    late = 0.75 if datetime.date(2025, 7, 1) <= day < datetime.date(2025, 9, 15) else 0.0
    score = round(normal(content[customer] - late, 1.5))
    rows.append((day, customer + 1, '' if random.random() < 0.03 else str(max(0, min(10, score)))))

rows.sort(key=lambda row: row[0])
print('answer_id,customer_id,answered_on,score')
for number, (day, customer, score) in enumerate(rows, 1):
    print(f'{number},{customer},{day},{score}')
