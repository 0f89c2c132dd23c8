type Scalar = string | number | boolean | null;

/**
 * The JSON Canonicalization Scheme (RFC 8785) for a flat object: keys sorted, no white space, numbers and texts as
 * ECMAScript writes them. Two programs that mean the same write the same bytes, so their hashes agree.
 */
export function canonicalJson(fields: Readonly<Record<string, Scalar>>): string {
  const members = Object.entries(fields)
    // The names are ASCII, where the default order by UTF-16 units is the scheme's.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return `{${members.join(',')}}`;
}
