/** Whether a text is one of a few: accepted values. */

export type IsMember = (text: string) => boolean;

/**
 * By length, then by comparing: a text that was just parsed has no hash yet, and making one for a `Set` takes longer than
 * comparing it with the one or two members of its length.
 */
export function compileTextSet(members: ReadonlySet<string>): IsMember {
  const byLength: (readonly string[] | undefined)[] = [];
  for (const member of members) byLength[member.length] = [...(byLength[member.length] ?? []), member];
  return (text) => {
    const candidates = byLength[text.length];
    if (candidates === undefined) return false;
    for (const candidate of candidates) if (candidate === text) return true;
    return false;
  };
}
