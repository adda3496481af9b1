import { defineQuery } from '@temporalio/workflow';
import type { Figures } from './windows.ts';

/** Where a run stands, for people who wait. */
export type TableProgress = {
  readonly table: string;
  readonly phase: 'planning' | 'reading' | 'committing' | 'done';
  readonly fullRead?: boolean;
  readonly reason?: string;
  readonly read?: Figures;
  readonly windows?: { readonly open: number; readonly done: number };
  readonly notes: readonly string[];
};

export const tableProgress = defineQuery<TableProgress>('progress');
