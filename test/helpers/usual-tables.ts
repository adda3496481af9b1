import { tablesByHand } from '../../src/sandbox/sizes.ts';

/** Tables that are enough for a test about something else than the tables: with them it ends sooner. */
export const usualTables = tablesByHand;
