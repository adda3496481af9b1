/** A process of its own that probes a destination and prints the outcome: `probe-destination.ts <destination>`. */
import { failureOf } from '../../src/failure.ts';
import { openStore } from '../../src/warehouse/store/open-store.ts';
import { probeStore } from '../../src/warehouse/store/probe.ts';

const destination = process.argv[2]!;
try {
  await probeStore(await openStore(destination), destination);
  console.log('accepted');
} catch (error) {
  console.log(JSON.stringify(failureOf(error)));
}
