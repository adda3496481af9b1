import { isRefusal } from '../errors.ts';
import type { Call, Client } from './client.ts';
import { readObject } from './json-answers.ts';

/** Who a key belongs to and what it may see. */
export type Identity = {
  /** `dashboard_url` of the organisation, or `unknown`. */
  readonly account: string;
  /** Canonical JSON of the key's roles and teams, or `unknown`. A key that sees more must read the old rows too. */
  readonly visibility: string;
  /** The key's name as the organisation gave it. */
  readonly name: string | undefined;
  /** The API's clock at this answer, milliseconds since the epoch; `undefined` if the answer has no `Date`. */
  readonly answeredAt: number | undefined;
};

/**
 * Reads `GET /v1/identity`, which needs no scope. If the API answers but refuses to tell, account and visibility are
 * `unknown`. Throws `CredentialsError` for a wrong key, and `ApiUnavailableError`.
 */
export async function readIdentity(client: Client, call: Call): Promise<Identity> {
  try {
    const { body, answeredAt } = await readObject(client, '/v1/identity', call);
    const identity = body['identity'];
    if (typeof identity !== 'object' || identity === null) return unknownIdentity(answeredAt);
    const {
      dashboard_url: account,
      name,
      roles,
      team_roles: teamRoles,
      teams,
    } = identity as Record<string, unknown>;
    return {
      account: typeof account === 'string' && account !== '' ? account : 'unknown',
      visibility: JSON.stringify({
        roles: sorted(roles),
        team_roles: sorted(teamRoles),
        teams: sorted(Array.isArray(teams) ? teams.map((team) => (team as { id?: unknown } | null)?.id) : []),
      }),
      name: typeof name === 'string' ? name : undefined,
      answeredAt,
    };
  } catch (error) {
    // A refusal is an answer too, and carries the API's time.
    if (isRefusal(error)) return unknownIdentity(error.facts.answeredAt);
    throw error;
  }
}

function unknownIdentity(answeredAt: number | undefined): Identity {
  return { account: 'unknown', visibility: 'unknown', name: undefined, answeredAt };
}

function sorted(values: unknown): string[] {
  return Array.isArray(values) ? values.map(String).sort() : [];
}
