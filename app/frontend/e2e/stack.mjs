/**
 * Starts what the page needs, for real: a Postgres of its own, the backend, the built frontend and Chromium.
 * Everything listens on 127.0.0.1 only, on free ports, and keeps its files in one temporary folder.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const FRONTEND = resolve(import.meta.dirname, '..');
const BACKEND = resolve(FRONTEND, '../backend');
const CHROMIUM = '/usr/bin/chromium';

/** Chromium asks Google's hosts for many things unless told otherwise. */
const CHROMIUM_FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const isRoot = process.getuid?.() === 0;

/** The folder of Postgres' programs, or undefined. */
function postgresPrograms() {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
}

/** What this machine lacks for a run, or null. */
export function missingPart() {
  if (!existsSync(CHROMIUM)) return `Chromium is missing (${CHROMIUM})`;
  if (!postgresPrograms()) return 'PostgreSQL is missing (/usr/lib/postgresql/*/bin/initdb)';
  return null;
}

function python() {
  const found = [process.env.E2E_PYTHON, resolve(FRONTEND, '../../.venv/bin/python')].find(
    (path) => path && existsSync(path),
  );
  if (!found)
    throw new Error(
      'No Python for the backend: set E2E_PYTHON, or make a .venv in the root of the repository.',
    );
  return found;
}

/** @returns {Promise<number>} a port of 127.0.0.1 that nobody uses */
export function freePort() {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => done(port));
    });
  });
}

/**
 * Wait until a URL answers with success.
 * @param {string} url
 * @param {number} withinMs
 */
export async function answers(url, withinMs = 180_000) {
  const end = Date.now() + withinMs;
  while (Date.now() < end) {
    const response = await fetch(url).catch(() => null);
    if (response?.ok) return;
    await sleep(100);
  }
  throw new Error(`${url} did not answer within ${withinMs} ms`);
}

/** A program that runs until it is stopped; its output goes to a file. */
export class Service {
  /**
   * @param {string} name
   * @param {string[]} command
   * @param {{ env?: Record<string, string>, cwd?: string, folder: string }} options
   */
  constructor(name, command, { env = {}, cwd = FRONTEND, folder }) {
    this.name = name;
    this.command = command;
    this.options = { env, cwd };
    this.logFile = join(folder, `${name}.log`);
    /** @type {import('node:child_process').ChildProcess | null} */
    this.child = null;
  }

  start() {
    const log = openSync(this.logFile, 'a');
    const [program = '', ...args] = this.command;
    const { PATH = '', HOME = '' } = process.env;
    this.child = spawn(program, args, {
      cwd: this.options.cwd,
      env: { NODE_ENV: 'production', PATH, HOME, ...this.options.env },
      stdio: ['ignore', log, log],
    });
  }

  isRunning() {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  /**
   * End the program, by force when it does not go.
   * @param {NodeJS.Signals} signal
   */
  async stop(signal = 'SIGTERM') {
    const { child } = this;
    if (!child || !this.isRunning()) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    const forced = setTimeout(() => child.kill('SIGKILL'), 25_000);
    await gone;
    clearTimeout(forced);
  }

  log() {
    return readFileSync(this.logFile, 'utf8');
  }
}

/** @param {string} folder */
async function startPostgres(folder) {
  const bin = postgresPrograms();
  const port = await freePort();
  const data = join(folder, 'postgres');
  // Postgres refuses to run as root.
  const asOwner = isRoot ? ['setpriv', '--reuid=postgres', '--regid=postgres', '--clear-groups'] : [];
  const [program = '', ...args] = [
    ...asOwner,
    `${bin}/initdb`,
    '-D',
    data,
    '-U',
    'todo',
    '-A',
    'trust',
    '-E',
    'UTF8',
  ];
  execFileSync(program, args, { stdio: 'pipe', cwd: folder });
  const options = ['-h', '127.0.0.1', '-p', String(port), '-k', folder, '-c', 'fsync=off'];
  const service = new Service('postgres', [...asOwner, `${bin}/postgres`, '-D', data, ...options], {
    cwd: folder,
    folder,
  });
  service.start();
  const url = `postgresql://todo@127.0.0.1:${port}/postgres`;
  /** @param {string} statement */
  const sql = (statement) => {
    execFileSync(`${bin}/psql`, ['-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-c', statement], {
      stdio: 'pipe',
    });
  };
  return { service, url: `${url}?sslmode=disable`, sql };
}

/**
 * Run the migrations, again while Postgres is still starting.
 * @param {string} program
 * @param {Record<string, string>} env
 */
function migrate(program, env) {
  execFileSync(program, ['-m', 'todo_backend.migrate'], {
    env: { NODE_ENV: 'production', ...env },
    cwd: BACKEND,
    stdio: 'pipe',
    timeout: 180_000,
  });
}

/** Everything that the tests use, and one way to end it. */
export async function startStack() {
  const folder = mkdtempSync(join(tmpdir(), 'todo-e2e-'));
  chmodSync(folder, 0o777);
  const token = randomBytes(24).toString('hex');
  /** @type {Service[]} */
  const services = [];
  const stop = async () => {
    for (const service of services.reverse())
      await service.stop(service.name === 'postgres' ? 'SIGINT' : 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const postgres = await startPostgres(folder);
    services.push(postgres.service);

    const backendPort = await freePort();
    const backendUrl = `http://127.0.0.1:${backendPort}`;
    const backendEnv = {
      PATH: process.env.PATH ?? '',
      PYTHONPATH: join(BACKEND, 'src'),
      DATABASE_URL: postgres.url,
      API_TOKEN: token,
      PORT: String(backendPort),
    };
    const program = python();
    migrate(program, backendEnv);
    const backend = new Service('backend', [program, '-m', 'todo_backend'], {
      env: backendEnv,
      cwd: BACKEND,
      folder,
    });
    services.push(backend);
    backend.start();
    await answers(`${backendUrl}/ready`);

    const frontendPort = await freePort();
    const frontendUrl = `http://127.0.0.1:${frontendPort}`;
    const frontend = new Service('frontend', [process.execPath, '.next/standalone/start.mjs'], {
      env: { BACKEND_URL: backendUrl, API_TOKEN: token, PORT: String(frontendPort), HOSTNAME: '127.0.0.1' },
      folder,
    });
    services.push(frontend);
    frontend.start();
    await answers(`${frontendUrl}/ready`);
    /** Start the backend again if a test has ended it. */
    const restoreBackend = async () => {
      if (!backend.isRunning()) backend.start();
      await answers(`${backendUrl}/ready`);
    };
    return {
      url: frontendUrl,
      backendUrl,
      token,
      backend,
      restoreBackend,
      frontend,
      sql: postgres.sql,
      stop,
    };
  } catch (error) {
    for (const service of services) process.stderr.write(`--- ${service.name}\n${service.log()}\n`);
    await stop();
    throw error;
  }
}

/** @returns {Promise<import('playwright-core').Browser>} */
export async function startBrowser() {
  const { chromium } = await import('playwright-core');
  const flags = isRoot ? ['--no-sandbox', ...CHROMIUM_FLAGS] : CHROMIUM_FLAGS;
  return chromium.launch({ executablePath: CHROMIUM, args: flags });
}
