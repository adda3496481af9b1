import { hideSecrets } from '../secrets.ts';
import type { News } from './told.ts';

/** A message as it is sent: Slack shows `text`, others read the fields. It never contains a row's value or a key. */
export type Message = {
  readonly text: string;
  readonly connection: string;
  readonly tables: readonly {
    readonly table: string;
    readonly state: News['state'];
    readonly lag_seconds?: number;
    readonly error?: string;
    readonly message?: string;
    readonly advice?: string;
  }[];
};

/** One message about all tables of a connection that have news. */
export function messageOf(connection: string, news: readonly News[]): Message {
  const text = [`incident-io-source: connection ${connection}`, ...linesOf(news)].map(hideSecrets).join('\n');
  return {
    text: forSlack(text),
    connection,
    tables: news.map(({ table, state, lagSeconds, error, message, advice }) => ({
      table,
      state,
      ...(lagSeconds !== undefined && { lag_seconds: lagSeconds }),
      ...(error !== undefined && { error }),
      ...(message !== undefined && { message: hideSecrets(message) }),
      ...(advice !== undefined && { advice: hideSecrets(advice) }),
    })),
  };
}

/** Tables with the same news share a line: a bad key, for example, affects every table in the same way. */
function linesOf(news: readonly News[]): string[] {
  const alike = new Map<string, News[]>();
  for (const one of news) {
    const line = JSON.stringify([one.state, one.message, one.advice]);
    alike.set(line, [...(alike.get(line) ?? []), one]);
  }
  return [...alike.values()].map((tables) => {
    const [{ state, message, advice }] = tables as [News, ...News[]];
    const names = tables.map(({ table }) => table).join(', ');
    const reason = message === undefined ? '' : `: ${message}`;
    return `• ${names} ${shownState[state] ?? state}${reason}${advice === undefined ? '' : ` → ${advice}`}`;
  });
}

const shownState: { readonly [S in News['state']]?: string } = {
  failing: 'FAILING',
  late: 'LATE',
  unreadable: 'UNREADABLE',
};

/** Slack uses these three characters for its own markup. */
function forSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
