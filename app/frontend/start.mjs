/**
 * Entry of the container. The framework writes to the console for people; a cluster wants one JSON line an event.
 * Its notes go to debug, its warnings and errors keep their level. `src/server/shutdown.ts` handles the signals.
 */
import { format, stripVTControlCharacters } from 'node:util';

const LEVELS = ['debug', 'info', 'warn', 'error'];
/** `warn`, or `warning` as the backend has it. */
const chosen = LEVELS.indexOf((process.env.LOG_LEVEL || 'info').toLowerCase().replace('warning', 'warn'));
/** A level that does not exist is refused when the settings are read. */
const lowest = chosen === -1 ? LEVELS.indexOf('info') : chosen;

/** @param {string} level */
function jsonWriter(level) {
  return (/** @type {unknown[]} */ ...parts) => {
    if (LEVELS.indexOf(level) < lowest) return;
    const message = stripVTControlCharacters(format(...parts)).trim();
    if (message === '') return;
    process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message })}\n`);
  };
}

console.log = console.info = console.debug = jsonWriter('debug');
console.warn = jsonWriter('warn');
console.error = jsonWriter('error');

/** Above the idle timeout of the proxies in front, so that they, not we, close idle connections. */
process.env.KEEP_ALIVE_TIMEOUT ??= '75000';
process.env.NEXT_MANUAL_SIG_HANDLE = 'true';
// @ts-expect-error made by the build, beside this file in the image
await import('./server.js');
