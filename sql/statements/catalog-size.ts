/** How large the database is. D1 says so beside the result of every query. */

/** Bytes. Reads no row, so D1 bills none. */
export async function catalogBytes(db: D1Database): Promise<number> {
  const { meta } = await db.prepare("SELECT 1").run();
  return meta.size_after;
}
