import type { TablePermission } from '../incident-io/permissions.ts';

/** The scopes that tables lack, each once. */
export function missingScopes(permissions: readonly TablePermission[]): string[] {
  return [
    ...new Set(permissions.flatMap((permission) => (permission.allowed ? [] : (permission.scope ?? [])))),
  ];
}
