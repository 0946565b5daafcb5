/** The group that no authorizer can limit and nothing can revoke. */
export const SYSTEM_MASTERS = "system:masters";
