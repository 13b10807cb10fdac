import { log } from './log';
import { observeHttp } from './observe-http';
import { updateReadiness } from './readiness';
import { SettingsError, settings } from './settings';
import { GracefulShutdown } from './shutdown';

const USAGE_EXIT_CODE = 2;
const WARM_UP_TRIES = 5;

/** Check the settings, start counting requests, and render the page once so that the first visitor does not wait. */
export function startUp(): void {
  checkSettings();
  const shutdown = new GracefulShutdown();
  observeHttp(shutdown);
  shutdown.listen();
  void warmUp();
}

function checkSettings(): void {
  try {
    const { backendUrl, apiToken } = settings();
    log('info', 'starting', { backend_url: backendUrl, token: apiToken ? 'set' : 'none' });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(USAGE_EXIT_CODE);
  }
}

async function warmUp(): Promise<void> {
  const host = process.env.HOSTNAME;
  const address = !host || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  for (let attempt = 1; attempt <= WARM_UP_TRIES; attempt += 1) {
    try {
      const answer = await fetch(`http://${address}:${settings().port}/`, { cache: 'no-store' });
      await answer.arrayBuffer();
      if (answer.ok) {
        updateReadiness({ warmed: true });
        log('info', 'ready', { seconds: Number(process.uptime().toFixed(2)) });
        return;
      }
      log('error', 'the page could not be rendered', { status: answer.status });
    } catch (error) {
      log('error', 'the page could not be rendered', { cause: String(error) });
    }
    await new Promise((wake) => setTimeout(wake, 1000 * attempt));
  }
}
