/** Up to three of `names` that are close to `name`, closest first: for "did you mean". */
export function nearestNames(name: string, names: readonly string[]): readonly string[] {
  const distances = names.map((candidate) => ({
    candidate,
    distance: editDistance(name.toLowerCase(), candidate.toLowerCase()),
  }));
  const best = Math.min(...distances.map(({ distance }) => distance));
  const limit = Math.min(best + 1, Math.max(2, Math.floor(name.length / 3)));
  return distances
    .filter(({ distance }) => distance <= limit && distance < name.length)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** A sentence with the nearest names, or with all of them when none is near. */
export function didYouMean(name: string, names: readonly string[]): string {
  const near = nearestNames(name, names);
  if (near.length > 0) return `did you mean ${near.map((candidate) => `"${candidate}"`).join(" or ")}?`;
  return names.length === 0 ? "there is none" : `there are ${names.map((candidate) => `"${candidate}"`).join(", ")}`;
}

/** Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substituted, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
