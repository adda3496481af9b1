import type { Source } from '../../src/console/contract/sources.ts';

type State = Source['state'];

/** The name of a state, which is never shown by colour alone. */
export const stateWords: { readonly [S in State]: string } = {
  unreadable: 'Unreadable',
  failing: 'Failing',
  late: 'Late',
  paused: 'Paused',
  not_available: 'Not available',
  first_sync: 'First sync',
  current: 'Current',
};

const kinds: { readonly [S in State]: string } = {
  unreadable: 'bad',
  failing: 'bad',
  late: 'warn',
  paused: 'quiet',
  not_available: 'quiet',
  first_sync: 'info',
  current: 'good',
};

/** @param running whether a run is in progress, which the badge says during a first sync */
export function StateBadge({
  state,
  running = false,
}: {
  readonly state: State;
  readonly running?: boolean;
}) {
  const word = state === 'first_sync' && running ? 'Importing' : stateWords[state];
  return <span className={`badge ${kinds[state]}`}>{word}</span>;
}
