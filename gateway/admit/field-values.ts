/** The values of an object's known fields, in the order of a schema, whatever order they were sent in. */

export interface FieldValues {
  /** The values of an object by the field's position in the schema; undefined for an absent one. */
  of(record: Readonly<Record<string, unknown>>): readonly unknown[];
  /** How many fields the last object had that are not known. */
  unknown: number;
}

/**
 * `names` in the order of the schema. The object's keys are walked once: V8 reads a value next to its key in a few
 * nanoseconds, where a look-up by name in objects of many shapes takes ten. Which field a key is, is guessed first: producers
 * send their fields in one order, so it is the one that followed the field before it in the last object.
 */
export function compileFieldValues(names: readonly string[]): FieldValues {
  const positions = new Map(names.map((name, position) => [name, position]));
  /**
   * By 1 + the position of a field, or 0 at the beginning: the position of the field that came next. Behind the last it is the first
   * again: a place that has once compared a key with undefined calls a function for it, for all keys from then on.
   */
  const followers: number[] = [0, ...names.map((_name, position) => (position + 1) % names.length)];
  const fieldValues: FieldValues = {
    unknown: 0,
    of(record) {
      // An array for each object: the collector's bookkeeping of young values in an old array costs more than a young array.
      const values = new Array<unknown>(names.length);
      let unknown = 0;
      let before = 0;
      for (const name in record) {
        const value = record[name];
        let position = followers[before] ?? 0;
        if (names[position] !== name) {
          const known = positions.get(name);
          if (known === undefined) {
            unknown++;
            continue;
          }
          position = known;
          followers[before] = known;
        }
        values[position] = value;
        before = position + 1;
      }
      fieldValues.unknown = unknown;
      return values;
    },
  };
  return fieldValues;
}
