import type { Client } from '../../../incident-io/client.ts';
import type { Identity } from '../../../incident-io/identity.ts';
import type { TablePermission } from '../../../incident-io/permissions.ts';
import type { KeyReference } from '../../../settings/key.ts';
import type { TableSettings } from '../../../settings/settings.ts';
import type { ChangingOptions } from '../../options/settings-options.ts';

/** The options of `link`, as commander gives them. */
export type LinkOptions = ChangingOptions & {
  readonly connection?: string;
  readonly to?: string;
  readonly keyEnv?: string;
  readonly keyFile?: string;
  readonly keyStdin?: true;
  readonly baseUrl: string;
  readonly tables?: string;
  readonly method: readonly string[];
  readonly every: readonly string[];
  readonly import: boolean;
  readonly force?: true;
};

/** A key that was checked, and what it may read. */
export type CheckedKey = {
  readonly key: string;
  /** Where it was given by reference; a key that was typed or piped has none yet. */
  readonly reference: KeyReference | undefined;
  readonly client: Client;
  readonly identity: Identity;
  readonly permissions: readonly TablePermission[];
};

/** What a new connection is to be. */
export type Answers = {
  readonly connection: string;
  /** As `destinationOf` gives it. */
  readonly destination: string;
  readonly apiKey: KeyReference;
  /** Whether `apiKey` is a file that does not hold the key yet. */
  readonly writeKey: boolean;
  readonly tables: { readonly [table: string]: TableSettings };
};

export const defaultConnection = 'incident-io';
export const defaultDestination = './warehouse';
