/** A duty: what this deploy released, and nobody was told of yet, becomes events of the topic `schema_changes`. */
import { contracts } from "../../contracts/registry.ts";
import { codecsOf } from "../../schemas/codecs.ts";
import {
  type Announced,
  recordAnnouncements,
  type Unannounced,
  unannouncedReleases,
} from "../../sql/statements/releases.ts";
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
 * topic when there is nothing to announce. Throws the `RowError` of a topic whose earlier announcement cannot be read.
 */
export async function announceReleases(deps: AnnounceDeps, now: number): Promise<{ readonly announced: number }> {
  const at = new Date(now).toISOString();
  const current = bundledReleases();
  const { rows: unannounced, unreadable } = await unannouncedReleases(
    deps.db,
    current.map(({ topic, digest }) => ({ topic, digest })),
  );
  const announced = unannounced.length === 0 ? 0 : await announceAll(deps, unannounced, current, at, now);
  // The others' releases are announced all the same.
  if (unreadable[0] !== undefined) throw unreadable[0];
  return { announced };
}

async function announceAll(
  deps: AnnounceDeps,
  unannounced: readonly Unannounced[],
  current: ReturnType<typeof bundledReleases>,
  at: string,
  now: number,
): Promise<number> {
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
  return events.length;
}

function announcedRelease({
  revision,
  contract_version: contractVersion,
  fields,
  schemas: schemaIds,
}: Announced): AnnouncedRelease {
  return { revision, contractVersion, fields, schemaIds };
}
