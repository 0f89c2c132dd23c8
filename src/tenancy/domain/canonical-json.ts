type Scalar = string | number | boolean | null;

/**
 * The JSON Canonicalization Scheme (RFC 8785) for a flat object: keys sorted, no white space, numbers and texts as
 * ECMAScript writes them. Two programs that mean the same write the same bytes, so their hashes agree.
 */
export function canonicalJson(fields: Readonly<Record<string, Scalar>>): string {
  return canonicalJsonOf<typeof fields>(
    Object.fromEntries(Object.keys(fields).map((name) => [name, (all) => all[name] ?? null])),
  )(fields);
}

/**
 * As `canonicalJson`, for values that are written often: the keys are sorted once.
 * @param members what of a `T` stands under each key
 */
export function canonicalJsonOf<T>(members: Readonly<Record<string, (value: T) => Scalar>>): (value: T) => string {
  const sorted = Object.entries(members)
    // The names are ASCII, where the default order by UTF-16 units is the scheme's.
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, of], index) => ({ key: `${index > 0 ? ',' : ''}${JSON.stringify(name)}:`, of }));
  return (value) => {
    let json = '{';
    for (const { key, of } of sorted) json += key + JSON.stringify(of(value));
    return `${json}}`;
  };
}
