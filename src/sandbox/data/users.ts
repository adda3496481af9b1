import { at, Dice, fraction, hash, Ids } from './random.ts';
import type { ApiRecord, Source, Span } from './source.ts';
import { dayMs } from './times.ts';
import { firstNames, lastNames } from './words.ts';

const tableSalt = 1;

export type Users = Source & {
  /** The short copy of a user that other rows embed; `undefined` if the account has no users. */
  slim(index: number): ApiRecord | undefined;
  /** Someone who is on call, by a roll of the dice from 0 to 1. A few people get most of the pages. */
  onCall(roll: number): ApiRecord | undefined;
};

export function createUsers(seed: number, count: number, span: Span): Users {
  const ids = new Ids(seed, tableSalt);
  const created = (index: number) => span.since - 20 * dayMs + index * 60_000;
  const slims: ApiRecord[] = [];
  const isActive = (index: number) => index < 3 || fraction(seed, tableSalt + 1, index) > 0.12;

  const slim = (index: number): ApiRecord => {
    const known = slims[index];
    if (known !== undefined) return known;
    const first = at(firstNames, index % firstNames.length);
    const last = at(lastNames, (index + 5 * Math.floor(index / firstNames.length)) % lastNames.length);
    const dice = new Dice(hash(seed, tableSalt + 2, index));
    const made = {
      id: ids.of(index, created(index)),
      name: `${first} ${last}`,
      email: index % 41 === 40 ? undefined : `user${index + 1}@example.com`,
      role: dice.pick(['viewer', 'responder', 'administrator', 'unset']),
      slack_user_id: dice.chance(0.9)
        ? `U0${hash(seed, tableSalt + 3, index)
            .toString(36)
            .toUpperCase()}`
        : undefined,
    };
    if (index < count) slims[index] = made;
    return made;
  };

  return {
    count,
    rising: true,
    id: (index, moment = created(index)) => ids.of(index, moment),
    indexOf: (id) => ids.indexOf(id),
    created,
    updated: created,
    record: (index, moment = created(index)) => {
      const dice = new Dice(hash(seed, tableSalt + 4, index));
      const role = (slug: string, name: string) => ({
        id: ids.of(slug.length, span.since),
        slug,
        name,
        description: `${name}.`,
      });
      return {
        ...slim(index),
        id: ids.of(index, moment),
        is_active: isActive(index),
        base_role: index === 0 ? role('owner', 'Owner') : role('responder', 'Responder'),
        custom_roles: dice.chance(0.2) ? [role('customer-success', 'Customer Success')] : [],
        seats: {
          on_call: index < 24 ? 'full_access' : 'none',
          response: dice.chance(0.8) ? 'full_access' : 'viewer_only',
        },
      };
    },
    facets: (index) => ({ include_inactive: String(isActive(index)) }),
    facetPaths: { include_inactive: ['is_active'] },
    slim: (index) => (count === 0 ? undefined : slim(index % count)),
    onCall: (roll) => (count === 0 ? undefined : slim(Math.floor(Math.min(count, 24) * roll ** 2.2))),
  };
}
