import { packageVersion } from '../package-version.ts';
import { act, previewAction } from './change/actions.ts';
import { changeNow, planChange } from './change/change.ts';
import { answerSql, sqlAsCsv } from './data/sql.ts';
import { dataTables, tableData } from './data/tables.ts';
import { healthOf } from './history/health.ts';
import { pastRuns } from './history/runs.ts';
import { checkKey, keyJson } from './link/check-key.ts';
import { Drafts } from './link/drafts.ts';
import { estimateOf } from './link/estimate.ts';
import { checkDestination, linkNow, planLink } from './link/link.ts';
import { offeredTables } from './link/offered-tables.ts';
import { readSources } from './live/sources-watch.ts';
import { Topics } from './live/topics.ts';
import { drawPicture } from './pictures/draw.ts';
import { pictures } from './pictures/pictures.ts';
import type { Handlers } from './server/routes.ts';
import type { ConsoleWorld } from './world.ts';

/** What answers each path of the contract. */
export function createHandlers(world: ConsoleWorld): Handlers {
  const topics = new Topics(world);
  return {
    about: () => ({
      version: packageVersion(),
      worker: world.serve !== undefined,
      settingsFolder: world.sources.folder,
      ...(world.temporalUi !== undefined && { temporalUi: world.temporalUi }),
      ...(world.sandbox && { sandbox: world.sandbox }),
    }),
    sources: async () => (await readSources(world.client, world.sources)).state,
    sourcesLive: () => topics.sources,
    tables: offeredTables,
    ...linking(world, topics),
    ...operating(world, topics),
    ...looking(world),
  };
}

type Linking =
  'checkKey' | 'checkAgain' | 'estimate' | 'checkDestination' | 'planLink' | 'link' | 'forgetDraft';

function linking(world: ConsoleWorld, topics: Topics): Pick<Handlers, Linking> {
  const drafts = new Drafts();
  const draftOf = (path: { readonly [name: string]: string }) => drafts.get(path['draft']!);
  return {
    checkKey: async ({ body, signal }) => {
      const draft = await checkKey(body, signal);
      return keyJson(drafts.add(draft), draft, world.sources);
    },
    checkAgain: async ({ path, signal }) => {
      const { key, baseUrl } = draftOf(path);
      const draft = await checkKey({ key, baseUrl }, signal);
      drafts.replace(path['draft']!, draft);
      return keyJson(path['draft']!, draft, world.sources);
    },
    estimate: ({ path, body }) => estimateOf(draftOf(path).facts.permissions, body.tables),
    checkDestination: ({ path, body }) => {
      draftOf(path);
      return checkDestination(body.destination, world);
    },
    planLink: ({ path, body }) => planLink(draftOf(path), body, world),
    link: async ({ path, body }) => {
      const linked = await linkNow(draftOf(path), body, world);
      drafts.forget(path['draft']!);
      topics.changed(linked.id);
      return linked;
    },
    forgetDraft: ({ path }) => {
      drafts.forget(path['draft']!);
      return {};
    },
  };
}

type Operating = 'source' | 'sourceLive' | 'planChange' | 'change' | 'previewAction' | 'act';

function operating(world: ConsoleWorld, topics: Topics): Pick<Handlers, Operating> {
  const fileOf = (path: { readonly [name: string]: string }) => world.sources.file(path['id']!);
  return {
    source: async ({ path, signal }) => {
      const { watch } = await topics.source(path['id']!);
      return (await watch.read(signal)).state;
    },
    sourceLive: async ({ path }) => (await topics.source(path['id']!)).topic,
    planChange: async ({ path, body, signal }) => planChange(await fileOf(path), body, world, signal),
    change: async ({ path, body, signal }) => {
      const done = await changeNow(await fileOf(path), body, world, signal);
      topics.changed(path['id']!);
      return done;
    },
    previewAction: async ({ path, body }) => previewAction(await fileOf(path), body),
    act: async ({ path, body }) => {
      const outcome = await act(await fileOf(path), body, world);
      topics.changed(path['id']!);
      return outcome;
    },
  };
}

type Looking = 'runs' | 'health' | 'dataTables' | 'tableData' | 'sql' | 'sqlAsCsv' | 'pictures' | 'picture';

function looking(world: ConsoleWorld): Pick<Handlers, Looking> {
  const fileOf = (path: { readonly [name: string]: string }) => world.sources.file(path['id']!);
  return {
    runs: async ({ path, query }) => pastRuns(await fileOf(path), query, world),
    health: async ({ path, query }) => healthOf(await fileOf(path), query.days, world),
    dataTables: async ({ path }) => dataTables(await fileOf(path)),
    tableData: async ({ path, query, signal }) =>
      tableData(await fileOf(path), path['table']!, query, signal),
    sql: async ({ path, body, signal }) => answerSql(await fileOf(path), body, signal),
    sqlAsCsv: async ({ path, body, signal }) => sqlAsCsv(await fileOf(path), body, signal),
    pictures: () => ({ pictures: [...pictures] }),
    picture: async ({ path, signal }) => drawPicture(await fileOf(path), path['name']!, signal),
  };
}
