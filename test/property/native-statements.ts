/** SELECTs over the tables `t` and `u` of test/oracle/shop-tables.ts that only DuckDB runs, each with what the edge has not. */
export const natives: Readonly<Record<string, readonly [sql: string, reason: RegExp]>> = {
  ranks: ["SELECT d, k, m, dense_rank() OVER (PARTITION BY d ORDER BY m DESC) AS r FROM t", /window/],
  running_sums: ["SELECT d, k, sum(m) OVER (PARTITION BY d, k ORDER BY ts)::BIGINT AS s FROM t", /window/],
  numbered: [
    "SELECT d, k, s, m, row_number() OVER (PARTITION BY d ORDER BY m DESC NULLS LAST, k, s) AS r FROM t",
    /window/,
  ],
  neighbours: [
    "SELECT d, k, c, lag(c) OVER w AS before, lead(c) OVER w AS after FROM (SELECT d, k, count(*) AS c FROM t GROUP BY ALL) WINDOW w AS (PARTITION BY d ORDER BY k)",
    /window/,
  ],
  most_three: [
    "SELECT d, k, c FROM (SELECT d, k, count(*) AS c FROM t GROUP BY ALL) QUALIFY row_number() OVER (PARTITION BY d ORDER BY c DESC, k) <= 3",
    /window/,
  ],
  quantiles: ["SELECT d, median(m) AS a, quantile_disc(n, 0.9) AS b FROM t GROUP BY d", /median/],
  sorted_lists: [
    "SELECT d, list(k ORDER BY k) AS a, string_agg(DISTINCT k, '|' ORDER BY k) AS b, list(m ORDER BY n, m) AS c FROM t GROUP BY d",
    /list|string_agg/,
  ],
  totals: ["SELECT d, k, count(*) AS c FROM t GROUP BY GROUPING SETS ((d), (d, k))", /GROUPING SETS/],
  outer_joined: [
    "SELECT d, t.m, b.c FROM t FULL JOIN (SELECT d, k, count(*) AS c FROM t GROUP BY ALL) b USING (d, k)",
    /FULL/,
  ],
  as_of: [
    "SELECT t.d, t.ts, b.x FROM t ASOF LEFT JOIN (SELECT d, ts, max(m) AS x FROM t WHERE b GROUP BY ALL) b ON t.d = b.d AND t.ts >= b.ts",
    /ASOF/,
  ],
  with_partners: ["SELECT d, k FROM t WHERE EXISTS (SELECT 1 FROM t o WHERE o.d = t.d AND o.m > t.m)", /EXISTS/],
  counted: ["SELECT d, (SELECT count(*) FROM t o WHERE o.d = t.d AND o.k = t.k) AS c FROM t", /correlated/],
  without: ["SELECT d, k FROM t EXCEPT SELECT d, s FROM t", /EXCEPT/],
  in_both: ["SELECT d, k FROM t INTERSECT SELECT d, s FROM t", /INTERSECT/],
  elements: ["SELECT t.d, e.n FROM t, unnest(t.nums) AS e(n)", /unnest/],
  first_of_each: ["SELECT DISTINCT ON (d, k) d, k, m FROM t ORDER BY d, k, m DESC", /DISTINCT ON/],
  hashes: ["SELECT d, md5(k) AS h, regexp_replace(s, '[aeiou]', '_') AS r FROM t", /md5/],
  local_days: ["SELECT d, (ts AT TIME ZONE 'Europe/Berlin')::DATE AS l FROM t WHERE ts > '1900-01-01'", /timezone/],
  steps: [
    "WITH RECURSIVE r AS (SELECT d, k, 0 AS n FROM t UNION SELECT d, k, n + 1 FROM r WHERE n < 2) SELECT d, k, n FROM r",
    /recursive/,
  ],
};
