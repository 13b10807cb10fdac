import type { Server, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { log } from './log';
import { updateReadiness } from './readiness';

/** How long running answers may take after a signal; below the grace that the chart gives. */
const DRAIN_MS = 20_000;
/** After SIGTERM, how long a client that holds a connection idle gets to let go of it. */
const LINGER_MS = 5_000;
const TICK_MS = 100;

/**
 * Ends the process so that nobody's request fails. A connection that looks idle may have a request on its way, so at
 * SIGTERM every answer asks the client to close its connection, and the server goes on listening until none is left or
 * LINGER_MS have passed, and no answer runs. SIGINT, a developer's Ctrl-C, waits for running answers alone.
 */
export class GracefulShutdown {
  private stopping = false;
  private readonly running = new Set<ServerResponse>();
  private readonly servers = new Set<Server>();

  /** A request has arrived at this server, and this will be its answer. */
  began(server: Server, response: ServerResponse): void {
    this.servers.add(server);
    this.running.add(response);
    if (this.stopping) askToClose(response);
  }

  /** The answer has ended, or its connection broke. */
  ended(response: ServerResponse): void {
    this.running.delete(response);
  }

  /** React to SIGTERM and SIGINT from now on. */
  listen(): void {
    process.once('SIGTERM', () => void this.stop(LINGER_MS));
    process.once('SIGINT', () => void this.stop(0));
  }

  private async stop(lingerMs: number): Promise<void> {
    this.stopping = true;
    updateReadiness({ stopping: true });
    log('info', 'stopping', { in_flight: this.running.size });
    for (const response of this.running) askToClose(response);
    const signalled = performance.now();
    while (await this.isNeeded(performance.now() - signalled, lingerMs)) {
      await new Promise((wake) => setTimeout(wake, TICK_MS));
    }
    log(this.running.size > 0 ? 'warn' : 'info', 'stopped', { in_flight: this.running.size });
    process.exit(0);
  }

  private async isNeeded(passedMs: number, lingerMs: number): Promise<boolean> {
    if (this.running.size > 0) return passedMs < DRAIN_MS;
    return passedMs < lingerMs && (await this.isConnected());
  }

  private async isConnected(): Promise<boolean> {
    const counts = [...this.servers].map((server) => promisify(server.getConnections.bind(server))());
    return (await Promise.all(counts)).some((count) => count > 0);
  }
}

/** An answer that has begun can no longer ask; its client finds out when the connection closes. */
function askToClose(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}
