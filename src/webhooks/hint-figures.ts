import type { MetricMeter } from '@temporalio/common';
import type { Settings } from '../settings/settings.ts';

/** The labels that say which connection a metric belongs to. */
export type Labels = { readonly [label: string]: string };

/** What became of a request to the receiver. */
export const deliveryOutcomes = [
  'taken',
  'resent',
  'no_table',
  'unknown_event',
  'unknown_connection',
  'no_secret',
  'badly_signed',
  'old',
  'replayed',
  'not_json',
  'too_large',
  'busy',
] as const;
export type DeliveryOutcome = (typeof deliveryOutcomes)[number];

/**
 * What became of the hints for a table at one trigger. `failed`: they are kept and tried again · `lost`: they are not
 * tried again · `refused`: the schedule does not exist.
 */
export const triggerOutcomes = ['started', 'buffered', 'paused', 'failed', 'lost', 'refused'] as const;
export type TriggerOutcome = (typeof triggerOutcomes)[number];

/** Counts deliveries, triggers, and the time from an event to its run. */
export type HintFigures = {
  /** @param settings of the connection, if one has that name */
  readonly delivered: (outcome: DeliveryOutcome, settings?: Settings) => void;
  readonly triggered: (settings: Settings, table: string, outcome: TriggerOutcome) => void;
  /** @param seconds from the event to the end of the run that read its table */
  readonly read: (settings: Settings, table: string, seconds: number) => void;
};

export const noFigures: HintFigures = {
  delivered: () => undefined,
  triggered: () => undefined,
  read: () => undefined,
};

export function hintFigures(
  meter: MetricMeter,
  labelsOf: (settings: Settings) => Labels = () => ({}),
): HintFigures {
  const hints = meter.createCounter(
    'incident_io_source_hints',
    undefined,
    'Requests to the receiver of webhooks, by what became of them.',
  );
  const triggers = meter.createCounter(
    'incident_io_source_hint_triggers',
    undefined,
    'Triggers of tables by hints, by what became of them.',
  );
  const seconds = meter.createHistogram(
    'incident_io_source_event_seconds',
    'float',
    undefined,
    'Seconds from an event to the end of the run that read its table.',
  );
  // Prometheus sees no increase in a series that begins at 1.
  for (const outcome of deliveryOutcomes) hints.add(0, { outcome });
  return {
    delivered: (outcome, settings) => hints.add(1, { outcome, ...(settings && labelsOf(settings)) }),
    triggered: (settings, table, outcome) => triggers.add(1, { table, outcome, ...labelsOf(settings) }),
    read: (settings, table, passed) => seconds.record(passed, { table, ...labelsOf(settings) }),
  };
}
