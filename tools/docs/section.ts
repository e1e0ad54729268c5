/** A section of a page that people write, made from code: it stands between two markers. */

/** The page with `body` between the markers of `name`. Throws if it does not have them. */
export function withSection(page: string, name: string, body: string): string {
  const begin = `<!-- ${name}: written by \`npm run docs\` from the code. Do not edit. -->`;
  const end = `<!-- end of ${name} -->`;
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the page has no section between "${begin}" and "${end}"`);
  return `${page.slice(0, from)}${begin}\n\n${body}\n\n${page.slice(to)}`;
}
