import type { SourceDetail, Sources as SourcesJson } from '../contract/sources.ts';
import type { ConsoleWorld } from '../world.ts';
import { countRows } from './count-rows.ts';
import { SourceWatch } from './source-watch.ts';
import { readSources } from './sources-watch.ts';
import { Topic } from './topic.ts';

/** A page that was just opened shows what is known after this time; the rest follows. */
const patienceMs = 1_000;

type Watched = { readonly watch: SourceWatch; readonly topic: Topic<SourceDetail> };

/** What pages watch: the list of sources, and each source. */
export class Topics {
  readonly #world: ConsoleWorld;
  readonly #watched = new Map<string, Watched>();
  readonly sources: Topic<SourcesJson>;

  constructor(world: ConsoleWorld) {
    this.#world = world;
    this.sources = new Topic(() => readSources(world.client, world.sources));
  }

  /** Throws `UsageError` if there is no such source. */
  async source(id: string): Promise<Watched> {
    const file = await this.#world.sources.file(id);
    const known = this.#watched.get(id);
    if (known) return known;
    const watch = new SourceWatch(this.#world.client, { id, file }, countRows);
    const watched = { watch, topic: new Topic((signal) => watch.read(signal, patienceMs)) };
    this.#watched.set(id, watched);
    return watched;
  }

  /** Shows a change at once on every page that watches. */
  changed(id: string): void {
    const watched = this.#watched.get(id);
    watched?.watch.forget();
    watched?.topic.poke();
    this.sources.poke();
  }
}
