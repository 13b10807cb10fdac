import type { Server } from 'node:http';
import { log } from './log';
import { updateReadiness } from './readiness';

/** How long running answers may take after SIGTERM; below the grace that the chart gives. */
const DRAIN_MS = 20_000;

/**
 * Ends the process after its requests. The server goes on listening while answers run, so that nothing is refused
 * before every client has learnt from `/ready` that this process leaves.
 */
export class GracefulShutdown {
  private inFlight = 0;
  private stopping = false;
  private readonly servers = new Set<Server>();

  began(server: Server): void {
    this.inFlight += 1;
    this.servers.add(server);
  }

  ended(): void {
    this.inFlight -= 1;
    if (this.stopping && this.inFlight === 0) this.exit();
  }

  /** React to SIGTERM and SIGINT from now on. */
  listen(): void {
    process.once('SIGTERM', () => this.stop());
    process.once('SIGINT', () => this.stop());
  }

  private stop(): void {
    this.stopping = true;
    updateReadiness({ stopping: true });
    log('info', 'stopping', { in_flight: this.inFlight });
    setTimeout(() => {
      log('warn', 'stopped with requests in flight', { in_flight: this.inFlight });
      process.exit(0);
    }, DRAIN_MS).unref();
    if (this.inFlight === 0) this.exit();
  }

  private exit(): void {
    const closed = [...this.servers].map((server) => new Promise((done) => server.close(done)));
    for (const server of this.servers) server.closeIdleConnections();
    void Promise.all(closed).then(() => {
      log('info', 'stopped');
      process.exit(0);
    });
  }
}
