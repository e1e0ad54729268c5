import type { Field } from "../columns/column.ts";
import { release } from "../columns/release.ts";
import { type FileStatistics, fileStatistics } from "./column-statistics.ts";
import {
  CHUNK,
  CHUNK_METADATA,
  chunkRange,
  encodeFooter,
  FILE,
  type Footer,
  type FooterRowGroup,
  footerLength,
  GROUP,
  KEY_VALUE,
  MAGIC,
  parseFooter,
  SORTING,
  TRAILER_BYTES,
} from "./footer.ts";
import {
  structField,
  structsField,
  type ThriftStruct,
  type ThriftValue,
  thriftInt,
  thriftStructs,
  withThriftFields,
} from "./thrift.ts";
import { packedThrift } from "./thrift-encode.ts";

const encoder = new TextEncoder();

/**
 * Joins Parquet files of one schema, each of one row group, into one file: their pages one after another, the positions in their
 * footers moved, one footer. Files are added as they are made, so that only their compressed bytes are held. Page indexes, which
 * hold positions of their own, are left out: they help to skip within a row group, and ours are small.
 */
export class ParquetJoin {
  readonly #parts: Uint8Array[] = [];
  readonly #rowGroups: FooterRowGroup[] = [];
  #size = MAGIC.length;
  #rows = 0;
  #first: Footer | undefined;
  readonly #sortedBy: readonly string[];

  /** By top-level name, columns of one leaf by which the rows of every file are in ascending order, nulls last. */
  constructor(sortedBy: readonly string[] = []) {
    this.#sortedBy = sortedBy;
  }

  /** Bytes of the pages so far. */
  get bytes(): number {
    return this.#size;
  }

  /** Adds a file of one row group of `rows` rows, or of no row, whose bytes are its own from now on. Throws an Error when it is not, since its writer has then failed us. */
  add(file: Uint8Array, rows: number): void {
    const length = footerLength(file, file.length);
    const dataEnd = file.length - TRAILER_BYTES - length;
    // A copy: its bounds are views, and outlive the file's bytes.
    const footer = parseFooter(file.slice(dataEnd, file.length - TRAILER_BYTES));
    if (footer.rows !== rows || footer.rowGroups.length > 1) {
      throw new Error(
        `parquet-wasm wrote ${footer.rows} rows in ${footer.rowGroups.length} row groups for ${rows} in one`,
      );
    }
    this.#first ??= footer;
    const by = this.#size - MAGIC.length;
    // The pages come first in a file, then the page indexes, then the footer.
    let pagesEnd = MAGIC.length;
    const sorting = sortingColumns(footer, this.#sortedBy);
    for (const group of footer.rowGroups) {
      const moved = movedGroup(group, by, this.#rowGroups.length);
      const struct = packedThrift(withThriftFields(moved, [[GROUP.sorting, sorting]]));
      this.#rowGroups.push({ ...group, struct });
      for (const chunk of group.chunks) pagesEnd = Math.max(pagesEnd, chunkRange(chunk).end);
    }
    this.#parts.push(file.subarray(MAGIC.length, pagesEnd));
    this.#size += pagesEnd - MAGIC.length;
    this.#rows += rows;
  }

  /** The whole file, with `metadata` added to the footer's key-value pairs, in its order; once. Throws when no file was added. */
  finish(metadata: Readonly<Record<string, string>>): Uint8Array {
    if (this.#first === undefined) throw new Error("no file was added: the schema is unknown");
    const pairs = Object.entries(metadata).map(([key, value]) => keyValue(key, value));
    const end = encodeFooter(
      withThriftFields(this.#first.struct, [
        [FILE.rows, thriftInt("i64", this.#rows)],
        [FILE.rowGroups, thriftStructs(this.#rowGroups.map(({ struct }) => struct))],
        [FILE.keyValues, thriftStructs([...structsField(this.#first.struct, FILE.keyValues), ...pairs])],
      ]),
    );
    const bytes = new Uint8Array(this.#size + end.length);
    bytes.set(MAGIC);
    let at = MAGIC.length;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
      // Copied: freed at once, since its file's bytes else wait for a collection beside the whole.
      release(part);
    }
    bytes.set(end, at);
    return bytes;
  }

  /** What the files added so far say of columns with these fields. */
  statistics(fields: readonly Field[]): FileStatistics {
    return fileStatistics(fields, this.#first?.columns ?? [], this.#rowGroups);
  }
}

/** A row group's `sorting_columns`; undefined for rows in no order. */
function sortingColumns({ columns }: Footer, names: readonly string[]): ThriftValue | undefined {
  if (names.length === 0) return undefined;
  return thriftStructs(
    names.map((name) => {
      const column = columns.find((each) => each.name === name);
      if (column === undefined || column.leaves !== 1) throw new Error(`parquet-wasm wrote no plain column ${name}`);
      return {
        kind: "struct",
        fields: new Map<number, ThriftValue>([
          [SORTING.leaf, thriftInt("i32", column.firstLeaf)],
          [SORTING.descending, { kind: "bool", value: false }],
          [SORTING.nullsFirst, { kind: "bool", value: false }],
        ]),
      };
    }),
  );
}

function movedGroup(group: FooterRowGroup, by: number, ordinal: number): ThriftStruct {
  const chunks = group.chunks.map((chunk) => {
    const metadata = structField(chunk, CHUNK.metadata);
    const movedMetadata = withThriftFields(metadata, [
      moved(metadata, CHUNK_METADATA.dataPage, by),
      moved(metadata, CHUNK_METADATA.dictionaryPage, by),
      [CHUNK_METADATA.indexPage, undefined],
      [CHUNK_METADATA.bloomFilter, undefined],
      [CHUNK_METADATA.bloomFilterLength, undefined],
    ]);
    return withThriftFields(chunk, [
      [CHUNK.metadata, movedMetadata],
      moved(chunk, CHUNK.fileOffset, by),
      [CHUNK.offsetIndex, undefined],
      [CHUNK.offsetIndexLength, undefined],
      [CHUNK.columnIndex, undefined],
      [CHUNK.columnIndexLength, undefined],
    ]);
  });
  const ordinalField = group.struct.fields.get(GROUP.ordinal);
  return withThriftFields(group.struct, [
    [GROUP.chunks, thriftStructs(chunks)],
    moved(group.struct, GROUP.offset, by),
    [GROUP.ordinal, ordinalField?.kind === "int" ? { ...ordinalField, value: ordinal } : undefined],
  ]);
}

/** A position moved; absent stays absent, and so does 0, which writers use for "none". */
function moved(struct: ThriftStruct, id: number, by: number): readonly [number, ThriftValue | undefined] {
  const value = struct.fields.get(id);
  return [id, value?.kind === "int" && value.value > 0 ? { ...value, value: value.value + by } : value];
}

function keyValue(key: string, value: string): ThriftStruct {
  return {
    kind: "struct",
    fields: new Map<number, ThriftValue>([
      [KEY_VALUE.key, { kind: "binary", bytes: encoder.encode(key) }],
      [KEY_VALUE.value, { kind: "binary", bytes: encoder.encode(value) }],
    ]),
  };
}
