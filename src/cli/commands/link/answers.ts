import type { KeyFacts } from '../../../connections/key-facts.ts';
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
  readonly all?: true;
  readonly syncMethod: readonly string[];
  readonly every: readonly string[];
  readonly import: boolean;
  readonly force?: true;
};

/** A key that was checked. */
export type CheckedKey = KeyFacts & {
  readonly key: string;
  /** Where it was found; a key that was typed or piped has no such place yet. */
  readonly reference: KeyReference | undefined;
};

/** The new connection as the options or the answers describe it. */
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
