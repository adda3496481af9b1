export { syncSource } from './sync-source.ts';
export { syncTable } from './sync-table.ts';
