/** A duty: what this deploy released, and nobody was told of yet, becomes events of the topic `schema_changes`. */
import type { FieldRule } from "../../contracts/contract.ts";
import { contracts } from "../../contracts/registry.ts";
import { codecsOf } from "../../schemas/codecs.ts";
import { type Announced, recordAnnouncements, unannouncedReleases } from "../../sql/statements/releases.ts";
import { forgetUnknownFields } from "../../sql/statements/unknown-fields.ts";
import { type EmitDeps, emit } from "../platform-events/emit.ts";
import { type AnnouncedRelease, digestOf, type Release, releaseEvents } from "./release-events.ts";

export interface AnnounceDeps extends EmitDeps {
  readonly db: D1Database;
}

/** The releases of this bundle; computed at the first tick, not at start-up. */
let bundled: readonly { readonly topic: string; readonly digest: string; readonly release: Release }[] | undefined;

function bundledReleases() {
  bundled ??= contracts.map((contract) => {
    const release = { contract, schemas: codecsOf(contract.topic) };
    return { topic: contract.topic, digest: digestOf(release), release };
  });
  return bundled;
}

/**
 * Announces and then records: a crash in between announces the same events again, under the same ids. One query of a row per
 * topic when there is nothing to announce.
 */
export async function announceReleases(deps: AnnounceDeps, now: number): Promise<{ readonly announced: number }> {
  const at = new Date(now).toISOString();
  const current = bundledReleases();
  const unannounced = await unannouncedReleases(
    deps.db,
    current.map(({ topic, digest }) => ({ topic, digest })),
  );
  if (unannounced.length === 0) return { announced: 0 };
  const stale = unannounced.flatMap(({ topic, before }) => {
    const found = current.find((each) => each.topic === topic);
    return found === undefined ? [] : [{ ...found, before: before === null ? null : announcedRelease(before) }];
  });
  const events = stale.flatMap(({ release, before }) => releaseEvents(release, before, at));
  await emit("schema_changes", events, now, deps);
  const announcements = stale.map(({ topic, digest, release, before }) => ({
    topic,
    revision: (before?.revision ?? 0) + 1,
    contractVersion: release.contract.version,
    digest,
    fields: release.contract.fields,
    schemas: [...new Set([...(before?.schemaIds ?? []), ...release.schemas.map(({ id }) => id)])],
  }));
  await deps.db.batch([
    recordAnnouncements(deps.db, announcements, at),
    forgetUnknownFields(
      deps.db,
      stale.flatMap(({ topic, before }) => (before === null ? [] : [topic])),
    ),
  ]);
  return { announced: events.length };
}

function announcedRelease({
  revision,
  contract_version: contractVersion,
  fields,
  schemas,
}: Announced): AnnouncedRelease {
  // Both were written by this file.
  const parsedFields: FieldRule[] = JSON.parse(fields);
  const schemaIds: number[] = JSON.parse(schemas);
  return { revision, contractVersion, fields: parsedFields, schemaIds };
}
