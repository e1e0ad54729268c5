import {
  intField,
  structField,
  structsField,
  ThriftError,
  type ThriftStruct,
  textField,
  withThriftFields,
} from "./thrift.ts";
import { decodeThrift } from "./thrift-decode.ts";
import { encodeThrift, packedThrift } from "./thrift-encode.ts";

// Why the footer is ours, and not left to parquet-wasm 0.8.0:
// - `ParquetFile.stream` and `.read` panic on a damaged page: the error is thrown in a microtask, where nobody can catch it, and the
//   read never settles; `stream` applies `offset` and `limit` to each row group anew. Its synchronous `readParquet` fails properly,
//   but takes whole files and ignores `columns`: so it is given a small file with just the row group and columns wanted (excerpt.ts).
// - `transformParquetStream` swallows write errors, and no writer can end a row group where we want: so each row group is written
//   as a file of its own, and the files are joined (join.ts).

/** Field ids of parquet.thrift (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift). */
export const FILE = { schema: 2, rows: 3, rowGroups: 4, keyValues: 5, columnOrders: 7, encryption: 8 } as const;
export const ELEMENT = { name: 4, children: 5 } as const;
export const KEY_VALUE = { key: 1, value: 2 } as const;
export const GROUP = { chunks: 1, bytes: 2, rows: 3, sorting: 4, offset: 5, compressedBytes: 6, ordinal: 7 } as const;
/** Of a `SortingColumn`. */
export const SORTING = { leaf: 1, descending: 2, nullsFirst: 3 } as const;
export const CHUNK = {
  filePath: 1,
  fileOffset: 2,
  metadata: 3,
  offsetIndex: 4,
  offsetIndexLength: 5,
  columnIndex: 6,
  columnIndexLength: 7,
} as const;
export const CHUNK_METADATA = {
  uncompressedBytes: 6,
  compressedBytes: 7,
  dataPage: 9,
  indexPage: 10,
  dictionaryPage: 11,
  statistics: 12,
  bloomFilter: 14,
  bloomFilterLength: 15,
  sizeStatistics: 16,
} as const;

export const MAGIC = Uint8Array.of(0x50, 0x41, 0x52, 0x31); // "PAR1"

/** The footer's length (4 bytes, little-endian) and the magic: the last bytes of a file. */
export const TRAILER_BYTES = 8;

/** A column of the file's top level, with all that is nested in it. */
export interface FooterColumn {
  readonly name: string;
  /** Its part of the schema, depth first, itself first. */
  readonly elements: readonly ThriftStruct[];
  /** Its leaves are the chunks `[firstLeaf, firstLeaf + leaves)` of each row group. */
  readonly firstLeaf: number;
  readonly leaves: number;
}

export interface FooterRowGroup {
  readonly struct: ThriftStruct;
  readonly rows: number;
  readonly chunks: readonly ThriftStruct[];
}

export interface Footer {
  /** All but the row groups: what is made of a footer has others. */
  readonly struct: ThriftStruct;
  readonly root: ThriftStruct;
  readonly columns: readonly FooterColumn[];
  readonly rowGroups: readonly FooterRowGroup[];
  /** Rows of the file, the sum of its row groups'. */
  readonly rows: number;
  /** Key-value metadata, `ARROW:schema` included where an Arrow writer made the file. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * The length of the footer, from the trailer at the end of `tail`. Throws ThriftError when the magic is missing or the footer
 * would be longer than the file.
 */
export function footerLength(tail: Uint8Array, fileSize: number): number {
  const trailer = tail.subarray(tail.length - TRAILER_BYTES);
  if (trailer.length < TRAILER_BYTES) throw new ThriftError("it is shorter than a footer");
  if (!MAGIC.every((byte, i) => trailer[4 + i] === byte)) throw new ThriftError("it does not end with PAR1");
  const length = new DataView(trailer.buffer, trailer.byteOffset).getUint32(0, true);
  if (length > fileSize - TRAILER_BYTES - MAGIC.length) throw new ThriftError("its footer is longer than the file");
  return length;
}

/** Decodes a footer's Thrift bytes. Throws ThriftError when they are not the metadata of an unencrypted Parquet file. */
export function parseFooter(bytes: Uint8Array): Footer {
  const whole = decodeThrift(bytes);
  const struct = packedThrift(withThriftFields(whole, [[FILE.rowGroups, undefined]]));
  if (struct.fields.has(FILE.encryption)) throw new ThriftError("it is encrypted");
  const [root, ...elements] = structsField(struct, FILE.schema);
  if (root === undefined) throw new ThriftError("its schema is empty");
  const columns = topLevelColumns(elements, intField(root, ELEMENT.children) ?? 0);
  const leaves = columns.reduce((total, column) => total + column.leaves, 0);
  const rowGroups = structsField(whole, FILE.rowGroups).map((group) => {
    const chunks = structsField(group, GROUP.chunks);
    if (chunks.length !== leaves)
      throw new ThriftError(`a row group has ${chunks.length} chunks for ${leaves} columns`);
    return { struct: group, rows: count(group, GROUP.rows), chunks };
  });
  const rows = rowGroups.reduce((total, group) => total + group.rows, 0);
  if (rows !== intField(struct, FILE.rows)) throw new ThriftError("its row count is not that of its row groups");
  const metadata = new Map<string, string>();
  for (const pair of structsField(struct, FILE.keyValues)) {
    metadata.set(
      textField(pair, KEY_VALUE.key),
      pair.fields.has(KEY_VALUE.value) ? textField(pair, KEY_VALUE.value) : "",
    );
  }
  return { struct, root, columns, rowGroups, rows, metadata };
}

/** Where a column chunk's pages lie in the file, from the dictionary page, if there is one, to the last data page. */
export function chunkRange(chunk: ThriftStruct): { readonly start: number; readonly end: number } {
  if (chunk.fields.has(CHUNK.filePath)) throw new ThriftError("its columns lie in other files");
  const metadata = structField(chunk, CHUNK.metadata);
  const dataPage = count(metadata, CHUNK_METADATA.dataPage);
  // Some writers set 0 for "no dictionary"; no page can lie there.
  const dictionaryPage = intField(metadata, CHUNK_METADATA.dictionaryPage) || dataPage;
  const start = Math.min(dataPage, dictionaryPage);
  if (start < MAGIC.length) throw new ThriftError("a page lies before the start of the data");
  return { start, end: start + count(metadata, CHUNK_METADATA.compressedBytes) };
}

/** The bytes that end a file: footer, its length, magic. */
export function encodeFooter(struct: ThriftStruct): Uint8Array {
  const thrift = encodeThrift(struct);
  const bytes = new Uint8Array(thrift.length + TRAILER_BYTES);
  bytes.set(thrift);
  new DataView(bytes.buffer).setUint32(thrift.length, thrift.length, true);
  bytes.set(MAGIC, thrift.length + 4);
  return bytes;
}

/** An integer that must be there and cannot be negative. Throws ThriftError. */
export function count(struct: ThriftStruct, id: number): number {
  const value = intField(struct, id);
  if (value === undefined || value < 0) throw new ThriftError(`field ${id} is not a count`);
  return value;
}

function topLevelColumns(elements: readonly ThriftStruct[], columnCount: number): FooterColumn[] {
  const columns: FooterColumn[] = [];
  let next = 0;
  let leaf = 0;
  for (let i = 0; i < columnCount; i++) {
    const first = next;
    const firstLeaf = leaf;
    // Depth first: each element met is one fewer to come, and its children are so many more.
    for (let open = 1; open > 0; open--) {
      const element = elements[next++];
      if (element === undefined) throw new ThriftError("its schema ends early");
      const children = intField(element, ELEMENT.children) ?? 0;
      if (children < 0) throw new ThriftError("its schema has a negative number of children");
      if (children === 0) leaf += 1;
      open += children;
    }
    const own = elements.slice(first, next);
    // The loop above took one element at least.
    columns.push({ name: textField(own[0]!, ELEMENT.name), elements: own, firstLeaf, leaves: leaf - firstLeaf });
  }
  if (next !== elements.length) throw new ThriftError("its schema has more elements than its columns need");
  return columns;
}
