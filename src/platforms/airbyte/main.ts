#!/usr/bin/env node
import { runProcess } from '../platform-process.ts';
import { runAirbyte } from './run-airbyte.ts';

await runProcess(runAirbyte);
