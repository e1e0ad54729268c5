/** Faults of restaurant snapshots. */
import type { MenuItem, RestaurantEvent } from "../restaurants.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const restaurantFaults: readonly Fault<RestaurantEvent>[] = [
  missing("restaurant_id"),
  missing("menu_items"),
  missing("is_open"),
  {
    name: "dish_price_missing",
    expected: "MISSING_FIELD",
    corrupt: (row) => withFirstDish(row, { price: undefined }),
  },
  {
    name: "dish_price_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (row) => withFirstDish(row, { price: `${row.currency} ${row.menu_items[0]?.price}` }),
  },
  {
    name: "menu_is_an_object",
    expected: "TYPE_MISMATCH",
    corrupt: (row) => withFields(row, { menu_items: { ...row.menu_items[0] } }),
  },
  {
    name: "unknown_cuisine",
    expected: "INVALID_ENUM",
    corrupt: (row, { random }) => withFields(row, { cuisine: random.pick(["fusion", "Italian", ""]) }),
  },
  {
    name: "unknown_category",
    expected: "INVALID_ENUM",
    corrupt: (row) => withFirstDish(row, { category: "secret" }),
  },
  {
    name: "restaurant_id_without_prefix",
    expected: "INVALID_FORMAT",
    corrupt: (row) => withFields(row, { restaurant_id: row.restaurant_id.slice(4) }),
  },
  {
    name: "opened_on_is_no_date",
    expected: "INVALID_FORMAT",
    corrupt: (row, { random }) => withFields(row, { opened_on: random.pick(["2019-02-30", "03/2019", "2019"]) }),
  },
  {
    name: "dish_name_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (row) => withFirstDish(row, { name: `Ramen ${LONE_SURROGATE}` }),
  },
  {
    name: "rating_out_of_ten",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (row, { random }) => withFields(row, { rating: random.int(51, 100) / 10 }),
  },
  {
    name: "dish_for_nothing",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (row) => withFirstDish(row, { price: 0 }),
  },
  {
    name: "menu_empty",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (row) => withFields(row, { is_open: false, menu_items: [] }),
  },
  {
    name: "open_without_a_dish",
    expected: "RULE_VIOLATION",
    corrupt: (row) =>
      withFields(row, {
        is_open: true,
        menu_items: row.menu_items.map((item) => ({ ...item, available: false })),
      }),
  },
];

function missing(field: keyof RestaurantEvent): Fault<RestaurantEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (row) => withFields(row, { [field]: undefined }),
  };
}

function withFirstDish(row: RestaurantEvent, fields: Partial<Record<keyof MenuItem, unknown>>): string {
  return withFields(row, {
    menu_items: row.menu_items.map((item, index) => (index === 0 ? { ...item, ...fields } : item)),
  });
}
