import { AccountMismatchError } from '../../errors.ts';
import type { TableState } from '../warehouse.ts';

/**
 * A table belongs to one account, because rows of two accounts would replace each other. An account that could not be
 * read is not compared.
 * Throws `AccountMismatchError`.
 */
export function assertSameAccount(
  destination: string,
  table: string,
  state: TableState | undefined,
  account: string,
): void {
  if (!state || state.account === 'unknown' || account === 'unknown' || state.account === account) return;
  throw new AccountMismatchError(
    `${table} in ${destination} holds the account ${state.account}; the key belongs to ${account}.`,
  );
}
