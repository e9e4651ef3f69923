\set bucket random(0, 15)
\set which random(1, 6)
\if :which = 1
SELECT count(*), sum(retained) FROM whole, loyalty.retention(h) AS r;
\elif :which = 2
SELECT count(*), sum(revenue) FROM history, loyalty.growth(h, period => 'week') AS r WHERE bucket = :bucket;
\elif :which = 3
SELECT count(*), sum(repurchased) FROM history, loyalty.repurchase(h) AS r WHERE bucket = :bucket;
\elif :which = 4
SELECT count(*), sum(clv) FROM history, loyalty.clv(h) AS r WHERE bucket = :bucket;
\elif :which = 5
SELECT r.* FROM (SELECT loyalty.rollup(s) AS s FROM survey) AS s, loyalty.survey_report(s) AS r;
\else
SELECT loyalty.orders(h), loyalty.revenue(h), (SELECT count(*) FROM triangle) FROM (SELECT loyalty.rollup(h) AS h FROM history WHERE bucket % 4 = :bucket % 4) AS t;
\endif
