import { BytesStore } from "./bytes-store.ts";
import type { ColumnType } from "./column.ts";
import { layoutOf } from "./column-kind.ts";
import { BoolStore, FloatStore, WordStore } from "./fixed-width-stores.ts";
import type { ValueStore } from "./value-store.ts";

/** An empty store for values of `type`. Throws a TypeError for lists and structs, which have no equality here. */
export function createValueStore(type: ColumnType): ValueStore {
  const layout = layoutOf(type);
  switch (layout) {
    case "bool":
      return new BoolStore(type);
    case "int32":
      return new WordStore(type, layout, 1);
    case "int64":
      return new WordStore(type, layout, 2);
    case "int128":
      return new WordStore(type, layout, 4);
    case "float64":
      return new FloatStore(type);
    case "bytes":
      return new BytesStore(type);
    case "list":
    case "struct":
      throw new TypeError(`columns of kind ${layout} are no keys`);
  }
}
