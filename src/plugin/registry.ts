import { UsageError } from '../errors.ts';
import { withSuggestion } from '../nearest.ts';
import type { WarehouseSource } from './warehouse-source.ts';

/** The sources of a platform, by name. */
export class SourceRegistry {
  readonly #sources = new Map<string, WarehouseSource>();

  /** Throws `UsageError` if a source of this name is already registered. */
  register(source: WarehouseSource): void {
    const { name } = source;
    if (this.#sources.has(name)) {
      throw new UsageError(
        `A source ${JSON.stringify(name)} is already registered.`,
        'Register each source once.',
      );
    }
    this.#sources.set(name, source);
  }

  /** Throws `UsageError`, with the nearest name, if there is none. */
  get(name: string): WarehouseSource {
    const source = this.#sources.get(name);
    if (source) return source;
    const names = [...this.#sources.keys()];
    throw new UsageError(
      `There is no source ${JSON.stringify(name)}.`,
      names.length === 0
        ? 'None is registered yet.'
        : withSuggestion(name, names, `Registered: ${names.join(', ')}.`),
    );
  }

  /** In the order in which they were registered. */
  list(): readonly WarehouseSource[] {
    return [...this.#sources.values()];
  }
}
