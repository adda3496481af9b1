#!/usr/bin/env node
import { runProcess } from '../platform-process.ts';
import { runTap } from './run-tap.ts';

await runProcess(runTap);
