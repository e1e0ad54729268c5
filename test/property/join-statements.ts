/** SELECTs that join the table `t` of test/oracle/shop-tables.ts with the lookup table `u` of the test. */
export const statements: Readonly<Record<string, string>> = {
  inner_join: "SELECT t.d, t.k, t.m, u.v, u.note FROM t JOIN u ON t.d = u.d AND t.k = u.k",
  join_using: "SELECT d, k, m, v FROM t JOIN u USING (d, k)",
  left_join: "SELECT t.d, t.s, u.k, u.v, u.note FROM t LEFT JOIN u ON t.d = u.d AND u.k = t.k",
  left_with_more:
    "SELECT t.d, t.m, u.v FROM t LEFT JOIN u ON t.d = u.d AND t.k = u.k AND t.m > u.v AND u.v IS DISTINCT FROM 3",
  inner_with_more: "SELECT t.d, t.m, u.v FROM t JOIN u ON t.d = u.d AND (t.m > u.v OR t.k = u.k)",
  semi_join: "SELECT t.d, t.k, t.m FROM t SEMI JOIN u ON t.d = u.d AND t.k = u.k",
  anti_join: "SELECT t.d, t.k, t.m FROM t ANTI JOIN u ON t.d = u.d AND t.k = u.k",
  semi_with_more: "SELECT t.d, t.m FROM t SEMI JOIN u ON t.d = u.d AND t.m < u.v",
  anti_with_more: "SELECT t.d, t.m FROM t ANTI JOIN u ON t.d = u.d AND t.m < u.v AND u.note LIKE '%a%'",
  in_subquery: "SELECT d, k FROM t WHERE d IN (SELECT d FROM u WHERE v > 0)",
  not_in_subquery: "SELECT d, k FROM t WHERE d NOT IN (SELECT d FROM u WHERE v > 5)",
  in_as_value:
    "SELECT d, d IN (SELECT d FROM u WHERE v > 0) AS known, d NOT IN (SELECT d FROM u WHERE v > 100) AS absent FROM t",
  by_every_type: `SELECT t.d, a.v AS a, b.v AS b, c.v AS c, e.v AS e, f.v AS f FROM t LEFT JOIN u a ON t.d = a.d AND t.n = a.n
    LEFT JOIN u b ON t.d = b.d AND t.x = b.x LEFT JOIN u c ON t.d = c.d AND t.big = c.big LEFT JOIN u e ON t.d = e.d AND t.ts = e.ts
    LEFT JOIN u f ON t.d = f.d AND t.b = f.b WHERE t.k <> ''`,
  by_expressions: "SELECT t.d, t.m, u.v FROM t JOIN u ON t.d = u.d AND lower(t.s) = u.k AND t.m % 5 = u.v % 5",
  grouped: `SELECT t.d, u.note, count(*) AS c, sum(t.amount) AS a, count(DISTINCT t.k) AS k FROM t LEFT JOIN u ON t.d = u.d AND t.k = u.k GROUP BY ALL`,
  of_groups: `SELECT t.d, t.k, t.c, g.c AS others FROM (SELECT d, k, count(*) AS c FROM t GROUP BY ALL) t
    JOIN (SELECT d, count(*) AS c, max(v) AS most FROM u GROUP BY d) g ON t.d = g.d WHERE g.most > 0 OR t.c > 1`,
  itself:
    "WITH daily AS (SELECT d, k, max(m) AS most FROM t GROUP BY ALL) SELECT t.d, t.k, t.m, most FROM t JOIN daily USING (d, k) WHERE t.m = most",
  twice:
    "SELECT t.d, a.v AS a, b.note AS b FROM t JOIN u a ON t.d = a.d AND t.k = a.k LEFT JOIN u b ON a.d = b.d AND a.v = b.v",
  nested_columns: "SELECT t.d, t.tags, u.labels FROM t LEFT JOIN u ON t.d = u.d AND t.k = u.k",
};
