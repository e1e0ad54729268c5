/** SELECTs over the table `t` of test/oracle/shop-tables.ts; each keeps the partition column `d`. */
export const statements: Readonly<Record<string, string>> = {
  counts: "SELECT d, k, count(*) AS c, count(n) AS cn, count(DISTINCT s) AS cs FROM t GROUP BY d, k",
  integer_sums:
    "SELECT d, sum(n)::DECIMAL(38,0) AS sn, sum(m)::BIGINT AS sm, sum(DISTINCT m)::BIGINT AS sdm FROM t GROUP BY d",
  decimal_sums: "SELECT d, k, sum(amount) AS sa, sum(big) AS sb, avg(amount) AS aa, avg(big) AS ab FROM t GROUP BY ALL",
  float_sums:
    "SELECT d, k, sum(x) AS sx, avg(x) AS ax, avg(n) AS an, avg(m) AS am, avg(DISTINCT m) AS adm FROM t GROUP BY ALL",
  distinct_values: `SELECT d, count(DISTINCT x) AS cx, count(DISTINCT n) AS cn, count(DISTINCT big) AS cb, count(DISTINCT b) AS cbo, count(DISTINCT ts) AS ct,
    count(DISTINCT amount) AS ca, sum(DISTINCT amount) AS sa, sum(DISTINCT x) AS sx, min(DISTINCT s) AS ms, count(DISTINCT s || k) AS csk FROM t GROUP BY d`,
  ungrouped_inside:
    "SELECT d, (k IS NULL) AS f, sum(c)::BIGINT AS s, max(most) AS m FROM (SELECT d, k, count(*) AS c, max(x) AS most FROM t GROUP BY d, k) GROUP BY ALL",
  union_of_groups:
    "SELECT d, k, count(*) AS c FROM t GROUP BY d, k UNION ALL SELECT d, s, sum(m)::BIGINT FROM t WHERE b GROUP BY d, s",
  extremes: `SELECT d, min(s) AS a, max(s) AS b, min(n) AS c, max(n) AS e, min(x) AS f, max(x) AS g, min(amount) AS h,
    max(big) AS i, min(ts) AS j, max(b) AS l, min(b) AS o, max(m) AS p FROM t GROUP BY d`,
  filtered_aggregates: `SELECT d, count(*) FILTER (WHERE b) AS c, sum(m) FILTER (WHERE x > 0)::BIGINT AS s,
    count(DISTINCT k) FILTER (WHERE m IS NOT NULL) AS k, bool_and(b) AS ba, bool_or(b) AS bo, count_if(m > 0)::BIGINT AS ci FROM t GROUP BY d`,
  arg_extremes: `SELECT d, arg_max(k, row(m, k)) AS a, arg_min(n, row(x, s, n)) AS b, max_by(amount, (ts, amount)) FILTER (WHERE b) AS c, arg_min(s, s) AS e,
    arg_max(x, {m: m, x: x}) AS f, argmin(big, row(b, big)) AS g, min_by(ts, row(amount, ts)) AS h, arg_max(b, row(k, b)) AS i FROM t GROUP BY d`,
  first_rows: `SELECT d, k, s, m, b FROM t QUALIFY row_number() OVER (PARTITION BY d, k ORDER BY m DESC, s NULLS FIRST, b) = 1`,
  last_rows: `SELECT d, x, ts, n AS v FROM t WHERE b IS NOT NULL QUALIFY row_number() OVER (PARTITION BY d ORDER BY ts DESC NULLS FIRST, x NULLS FIRST, n DESC NULLS LAST, b) = 1`,
  first_of_groups: `SELECT d, k, c FROM (SELECT d, k, count(*) AS c FROM t GROUP BY d, k) QUALIFY row_number() OVER (PARTITION BY d ORDER BY c DESC, k) = 1`,
  arg_extremes_of_groups: `SELECT d, arg_max(k, row(c, k)) AS a, arg_min(c, k) AS b FROM (SELECT d, k, count(*) AS c FROM t GROUP BY d, k) GROUP BY d`,
  having_more: "SELECT d, k, count(*) AS c FROM t GROUP BY d, k HAVING count(*) > 1 AND min(m) IS NOT NULL",
  where_logic: `SELECT d, k, m FROM t WHERE (m > 0 AND b) OR (NOT b AND (x < 0 OR k IN ('a', 'é'))) OR (m NOT IN (1, 2, 3) AND s IS NULL)`,
  three_valued: `SELECT d, b AND m > 0 AS a, b OR m > 0 AS o, NOT b AS n, k IN ('a', s, NULL) AS i, k NOT IN ('a', 'b') AS ni,
    m BETWEEN 0 AND 10 AS bt, b IS DISTINCT FROM (m > 0) AS df, k IS NOT DISTINCT FROM s AS nd FROM t`,
  comparisons:
    "SELECT d, x = x AS a, x < 0.5 AS b, s < k AS c, big >= amount AS e, ts > '2000-01-01'::TIMESTAMPTZ AS f, n <> m AS g, d <= '1970-01-01' AS h FROM t",
  integer_arithmetic:
    "SELECT d, m % 7 AS a, m // 7 AS b, (m // 1000) * 3 AS c, -(m // 2) AS e, m::BIGINT + 5 AS f, (n // 4) - m AS g, n % (m // 9) AS h FROM t",
  overflowing: "SELECT d, m + 1 AS a FROM t",
  decimal_arithmetic:
    "SELECT d, amount + 1 AS a, amount * 2 AS b, amount - 0.005 AS c, big - amount AS e, -amount AS f, abs(amount) AS g, amount * m AS h FROM t",
  float_arithmetic:
    "SELECT d, x / m AS a, x * 2 AS b, m / 3 AS c, amount / 7 AS e, x - 0.5 AS f, abs(x) AS g, -x AS h, floor(x) AS i, ceil(x) AS j, n / m AS k FROM t",
  rounding:
    "SELECT d, round(x) AS a, round(x, 2) AS b, round(x, -2) AS c, round(amount, 1) AS e, round(amount) AS f, round(amount, -3) AS g, round(big, 2) AS h FROM t",
  conditionals: `SELECT d, CASE WHEN m > 5 THEN 'high' WHEN m > 0 THEN k WHEN b THEN s END AS a, CASE k WHEN 'a' THEN 1 WHEN 'b' THEN 2.5 ELSE m END AS b,
    coalesce(s, k, 'none') AS c, nullif(m, 0) AS e, ifnull(x, 0) AS f, if(b, n, m) AS g FROM t`,
  guarded:
    "SELECT d, CASE WHEN m BETWEEN -1000 AND 1000 THEN m * m ELSE -1 END AS a, CASE WHEN n BETWEEN -9 AND 9 THEN n::INTEGER END AS b FROM t",
  casts: `SELECT d, m::DOUBLE AS a, m::DECIMAL(12,2) AS b, amount::INTEGER::BIGINT AS c, amount::DECIMAL(15,1) AS e, n::DOUBLE AS f, big::DOUBLE AS g,
    amount::DOUBLE AS h, b::INTEGER AS i, n::DECIMAL(38,3) AS j FROM t WHERE abs(amount) < 1000000`,
  lenient_casts:
    "SELECT d, TRY_CAST(n AS INTEGER) AS a, TRY_CAST(x AS INTEGER) AS b, TRY_CAST(amount AS DECIMAL(5,1)) AS c, TRY_CAST(x AS DECIMAL(6,2)) AS e FROM t",
  strict_cast: "SELECT d, big::DECIMAL(12,2) AS a FROM t",
  to_text:
    "SELECT d, n::VARCHAR AS a, amount::VARCHAR AS b, d::VARCHAR AS c, ts::VARCHAR AS e, b::VARCHAR AS f, big::VARCHAR AS g, m::VARCHAR AS h FROM t",
  from_text:
    "SELECT d, m::VARCHAR::INTEGER AS a, amount::VARCHAR::DECIMAL(12,1) AS b, d::VARCHAR::DATE AS c, ts::VARCHAR::TIMESTAMPTZ AS e, amount::VARCHAR::DOUBLE AS f FROM t",
  dates: `SELECT d, date_trunc('hour', ts) AS a, date_trunc('week', ts) AS b, date_trunc('month', ts)::DATE AS c, date_trunc('quarter', d)::DATE AS e,
    year(d) AS f, month(ts) AS g, day(ts) AS h, extract(hour FROM ts) AS i, date_part('dow', d) AS j, dayofyear(ts) AS l, week(d) AS o, quarter(ts) AS p,
    minute(ts) AS q, second(ts) AS r, isodow(d) AS u, ts::DATE AS v, d + 1 AS w, d - ts::DATE AS y, epoch(d) AS z FROM t`,
  text: `SELECT d, lower(s) AS a, upper(s) AS b, length(s) AS c, strlen(s) AS e, s || k AS f, concat(s, m, k) AS g, starts_with(s, k) AS h,
    contains(s, 'a') AS i, ends_with(s, k) AS j, upper(k) = k AS l FROM t`,
  choices:
    "SELECT d, greatest(m, 3, n) AS a, least(amount, 10) AS b, greatest(s, k) AS c, least(x, m) AS e, greatest(x, 0.5) AS f, least(d, ts::DATE) AS g FROM t",
  lists: `SELECT d, len(tags) AS a, list_sum(nums)::BIGINT AS b, list_min(tags) AS c, list_max(nums) AS e, list_avg(nums) AS f, tags[1] AS g, tags[-1] AS h,
    items[2].sku AS i, list_count(nums) AS j FROM t`,
  lists_contain: `SELECT d, list_contains(nums, m) AS a, list_contains(tags, k) AS b, array_has(tags, 'a') AS c, list_contains(nums, NULL) AS e,
    list_has(list_transform(nums, lambda v: v::DOUBLE), x) AS f FROM t`,
  lambdas: `SELECT d, list_transform(nums, lambda v: v::BIGINT + n // 1000) AS a, list_filter(nums, lambda v: v > m) AS b,
    list_transform(tags, lambda w, i: w || i) AS c, list_sum(list_transform(items, lambda l: l.quantity * l.unit_price)) AS e FROM t`,
  unnested: "SELECT d, k, unnest(items).quantity AS q FROM t",
  unnested_sums:
    "SELECT d, sku, sum(quantity)::BIGINT AS q, count(*) AS c FROM (SELECT d, unnest(items, recursive := true) FROM t) GROUP BY ALL",
  distinct_rows: "SELECT DISTINCT d, k, b FROM t",
  union_all: "SELECT d, k AS name, m AS v FROM t WHERE b UNION ALL SELECT d, s, n FROM t WHERE NOT b",
  union_distinct: "SELECT d, x FROM t UNION SELECT d, x FROM t",
  with_query:
    "WITH daily AS (SELECT *, m > 0 AS positive FROM t) SELECT d, positive, count(*) AS c FROM daily GROUP BY ALL UNION ALL SELECT d, b, -1 FROM daily",
  twice_grouped:
    "SELECT d, max(c) AS most, count(*) AS groups FROM (SELECT d, k, count(*) AS c FROM t GROUP BY d, k) GROUP BY d",
  grouped_by_values: "SELECT d, x, big, ts, n, b, m > 0 AS p, count(*) AS c FROM t GROUP BY ALL",
  first_three:
    "SELECT d, k, c FROM (SELECT d, k, count(*) AS c FROM t GROUP BY d, k) ORDER BY c DESC, k NULLS FIRST, d LIMIT 3 OFFSET 1",
  structs: "SELECT d, items, tags, nums FROM t WHERE len(items) > 0",
};
