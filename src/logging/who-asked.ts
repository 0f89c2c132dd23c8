/** Whoever has a token, of any role. */
export interface Asker {
  readonly userId: string;
  readonly tenantId?: string;
  readonly deviceId?: string;
}

/**
 * For the line of log that a request leaves, however it ends: said there, instead of by a logger of its own that each request
 * would make.
 */
export function whoAsked(principal: Asker | undefined): Partial<Asker> {
  if (!principal) return {};
  const { userId, tenantId, deviceId } = principal;
  return {
    userId,
    ...(tenantId !== undefined && { tenantId }),
    ...(deviceId !== undefined && { deviceId }),
  };
}
