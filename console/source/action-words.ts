import type { ActionRequest } from '../../src/console/contract/sources.ts';

type Action = ActionRequest['action'];

/** What an action is called on its button, in its dialog and once it is done. */
export const actionWords: {
  readonly [A in Action]: { readonly verb: string; readonly title: string; readonly done: string };
} = {
  trigger: { verb: 'Sync now', title: 'Sync now', done: 'Sync started' },
  pause: { verb: 'Pause', title: 'Pause', done: 'Paused' },
  resume: { verb: 'Resume', title: 'Resume', done: 'Resumed' },
  cancel: { verb: 'Cancel run', title: 'Cancel what is running', done: 'Cancelled' },
  resync: { verb: 'Start from scratch', title: 'Start from scratch', done: 'Started from scratch' },
  unlink: { verb: 'Remove', title: 'Remove this source', done: 'Removed' },
};

/** Actions whose button has a warning colour. */
export const dangerous: ReadonlySet<Action> = new Set(['cancel', 'resync', 'unlink']);
