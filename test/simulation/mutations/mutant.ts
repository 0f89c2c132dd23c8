import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import ts from 'typescript';
import type { Mutation } from './mutations.js';

/** No seed takes that long: a mutant that does has lost its way, which is to be caught, too. */
const SILENT_MS = 60_000;

/** What became of a mutant. */
export interface Outcome {
  /** How many seeds it took; undefined if it got through all of them. */
  readonly seeds: number | undefined;
  readonly fault: string;
}

/** Tries a mutation on a copy of what is built, for as many seeds as it may take. @throws Error if it does not apply any more */
export async function tryMutation(mutation: Mutation): Promise<Outcome> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'agrotour-mutant-'));
  try {
    cpSync('dist', path.join(folder, 'dist'), { recursive: true });
    cpSync('package.json', path.join(folder, 'package.json'));
    symlinkSync(path.resolve('node_modules'), path.join(folder, 'node_modules'));
    const built = path.join(folder, 'dist', mutation.file.replace(/\.ts$/, '.js'));
    writeFileSync(built, compile(mutate(readFileSync(mutation.file, 'utf8'), mutation)));
    return await simulate(folder, mutation.seedsMax);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mutate(source: string, { name, file, find, replace }: Mutation): string {
  const parts = source.split(find);
  if (parts.length !== 2)
    throw new Error(`"${name}" does not apply to ${file} any more: its text is there ${parts.length - 1} times.`);
  return parts.join(replace);
}

/** One file, as the build does it; but it can't see there that this is a package of modules. */
function compile(source: string): string {
  const { config } = ts.readConfigFile('tsconfig.json', (file) => ts.sys.readFile(file)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, '.');
  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext, sourceMap: false };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}

async function simulate(folder: string, seeds: number): Promise<Outcome> {
  const main = path.join(folder, 'dist/test/simulation/main.js');
  const child = spawn(process.execPath, [main, '--seeds', `${seeds}`, '--quick'], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: SILENT_MS + seeds * 2_000,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (code === 0) return { seeds: undefined, fault: '' };
  if (code === null) return { seeds, fault: 'hangs' };
  const [, seed, fault = ''] = /Seed (\d+) breaks:\n(.*)/.exec(output) ?? [];
  // What does not even start is not caught.
  if (seed === undefined) throw new Error(output);
  return { seeds: Number(seed), fault };
}
