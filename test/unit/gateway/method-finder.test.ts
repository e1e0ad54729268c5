import { expect, test } from "vitest";
import { createMethodFinder } from "../../../gateway/method-finder.ts";

test("the methods of an address, of each route that it fits", () => {
  const methodsAt = createMethodFinder([
    ["GET", "/letters/:id"],
    ["POST", "/letters/replay"],
    ["GET", "/letters"],
    ["POST", "/letters"],
  ]);
  expect(methodsAt("/letters")).toEqual(["GET", "POST"]);
  expect(methodsAt("/letters/1")).toEqual(["GET"]);
  expect(methodsAt("/letters/replay").sort()).toEqual(["GET", "POST"]);
  expect(methodsAt("/letters/1/more")).toEqual([]);
});
