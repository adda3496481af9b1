import { useState } from 'react';
import type { SqlRequest } from '../../src/console/contract/data.ts';
import { goTo, sourceHref } from '../app/route.ts';

/** The content of the SQL box, kept across a reload or a look at another table. */
export type SqlDraft = SqlRequest;

const keyOf = (id: string) => `sql of ${id}`;

export function useSqlDraft(id: string): [SqlDraft, (draft: SqlDraft) => void] {
  const [draft, setDraft] = useState<SqlDraft>(() => storedDraft(id));
  return [
    draft,
    (next) => {
      sessionStorage.setItem(keyOf(id), JSON.stringify(next));
      setDraft(next);
    },
  ];
}

function storedDraft(id: string): SqlDraft {
  const stored = sessionStorage.getItem(keyOf(id));
  return stored === null ? { sql: '' } : (JSON.parse(stored) as SqlDraft);
}

/** Opens the SQL box with a text. */
export function openInSql(id: string, draft: SqlDraft): void {
  sessionStorage.setItem(keyOf(id), JSON.stringify(draft));
  goTo(sourceHref(id, 'data'));
}
