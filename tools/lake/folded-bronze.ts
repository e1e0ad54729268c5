/** Bronze of closed dates, of which D1 has manifests in place of rows (`lakehouse/tables/bronze/fold.ts`). */
import { parseBronzeManifest, type StandingFile } from "../../lakehouse/tables/bronze/manifest.ts";
import type { CatalogRow, LakeSource } from "./source.ts";

export interface FoldedBronze {
  readonly topic: string;
  readonly date: string;
  /** A file that dates share is with each of them. */
  readonly file: StandingFile;
}

/** The files of the dates whose bronze D1 gave up to manifests. */
export async function foldedBronze(source: LakeSource): Promise<FoldedBronze[]> {
  const dates = await source.query(
    "SELECT topic, partition_date, manifest FROM bronze_manifests ORDER BY topic, partition_date",
  );
  const files: FoldedBronze[] = [];
  for (const { topic, partition_date: date, manifest } of dates) {
    const text = await source.read(String(manifest));
    if (text === undefined) continue;
    const parsed = parseBronzeManifest(new TextDecoder().decode(text));
    files.push(...parsed.files.map((file) => ({ topic: String(topic), date: String(date), file })));
  }
  return files;
}

/** As the view `partition_sources` has the inputs of dates that are in D1. */
export async function foldedSources(source: LakeSource): Promise<CatalogRow[]> {
  return (await foldedBronze(source)).flatMap(({ topic, date, file: stored }) =>
    stored.inputs.map(({ registration, file, rows, registered_at }) => ({
      domain: topic,
      partition_date: date,
      file,
      registration,
      rows,
      registered_at,
      retired_by: stored.retired === true ? "retention" : stored.file === file ? null : stored.file,
      built: 1,
    })),
  );
}
