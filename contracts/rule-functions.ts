/** What record rules may call besides CEL's own functions. One table, so that the compiler and the edge cannot differ. */
import type { Environment } from "@marcbachmann/cel-js";

/** Adds `abs(double)` and `sum(list)`; returns the same environment. */
export function registerRuleFunctions(environment: Environment): Environment {
  return environment
    .registerFunction("abs(double): double", (value: number) => Math.abs(value))
    .registerFunction("sum(list): double", (values: Iterable<unknown>) => {
      let total = 0;
      for (const value of values) total += Number(value);
      return total;
    });
}
